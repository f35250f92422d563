"""Why reactor_nb differs from the original where it does: of the cases, and of what no case can show."""

from __future__ import annotations

from typing import NamedTuple

REASONS: dict[str, str] = {
    "alias": "A parameter is sent under its Python name. With an alias the schema would tell one name and Python "
    "another, and what is sent under the Python name would be dropped in silence.",
    "annotated": "Constraints inside Annotated[...] are the author's, and are lost there.",
    "async": "An `async def` handler runs to its end; there its coroutine is never awaited.",
    "by-name": "The parameters of a command are sent by name, so a signature that cannot be called by name is refused "
    "where it is written, not when somebody plays.",
    "default-nan": "JSON has no NaN: a default that is none is left out of the schema, where pydantic writes null.",
    "extra": "A parameter that the command does not have is a typing error: it is refused with the nearest name "
    "instead of being dropped in silence.",
    "names": "Any Python name is a parameter's name; those that pydantic keeps for itself too.",
    "nan": "NaN and infinity are refused unless the Field allows them: one of them in a model's state paints black for "
    "ever.",
    "reference": "The schema of an Enum, a model or a dataclass stands at its place; there a `$ref` points at "
    "definitions that are not sent.",
    "static": "A static method has no `self` and can be a command all the same.",
    "unsendable": "A type that JSON cannot carry is refused by @command, with the parameter's name; there "
    "every later `commands()` of the whole process raises.",
}


class Behaviour(NamedTuple):
    """A difference that is no question of one signature. `held_by`: the test that holds ours."""

    what: str
    original: str
    here: str
    held_by: str


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour(
        "`@model` with a name such as `My Model`",
        "accepted, although documented as lowercase letters, digits and hyphens",
        "refused; the character is named and a valid name proposed",
        "tests/unit/core/test_model.py::test_a_bad_name_is_refused_with_the_character_and_a_proposal",
    ),
    Behaviour(
        "the same `@model` name twice in a process, as when a cell is run again",
        "ValueError",
        "the new class replaces the old one; two files of one project are still an error",
        "tests/unit/core/test_model.py::test_the_same_name_may_be_decorated_again",
    ),
    Behaviour(
        "metadata called `class`",
        "overwrites the model's own",
        "kept apart, in `ModelSpec.metadata`",
        "tests/unit/core/test_model.py::test_metadata_overwrites_nothing_of_the_spec",
    ),
    Behaviour(
        "commands of two classes in one process",
        "one table: a command of class B is offered by, and runs on, class A",
        "commands belong to their class and its subclasses",
        "tests/unit/core/test_command.py::test_commands_belong_to_their_class",
    ),
    Behaviour(
        "a subclass that overrides a command's method",
        "the base class's method runs",
        "the subclass's method runs, validated by the command's own schema",
        "tests/unit/core/test_command.py::test_an_override_without_a_decorator_keeps_the_command_and_runs_itself",
    ),
    Behaviour(
        "two commands of one name in a class",
        "the later one wins in silence",
        "refused, both methods are named",
        "tests/unit/core/test_command.py::test_two_methods_under_one_name_are_refused",
    ),
    Behaviour(
        "a command's name with a blank, a quote, `=` or a control character",
        "accepted; cannot be typed at the prompt",
        "refused with a name that can",
        "tests/unit/core/test_command.py::test_a_name_that_cannot_be_typed_as_one_word_is_refused",
    ),
    Behaviour(
        "a method with `= Field(0.5)` called from Python",
        "receives the FieldInfo",
        "receives 0.5",
        "tests/unit/core/test_command.py::test_a_direct_call_gets_the_value_of_a_field_default",
    ),
    Behaviour(
        "numbers and arrays of numpy among the arguments",
        "refused, or handed on as they are",
        "accepted as numbers and lists",
        "tests/unit/core/test_parameters.py::test_numbers_and_arrays_of_numpy_may_be_sent",
    ),
    Behaviour(
        "a refusal",
        "pydantic's ValidationError",
        "ParameterError, a ValueError with the fields at fault; pydantic's error is its cause",
        "tests/unit/core/test_parameters.py::test_a_missing_and_an_extra_parameter_are_told_in_one_error",
    ),
    Behaviour(
        "`VideoModel.weights` of a name that is not declared",
        "ValueError; asks whichever model was decorated first",
        "WeightsError, a ValueError; asks the class it is called on or the model being loaded",
        "tests/unit/core/test_model.py::test_two_models_that_load_at_once_do_not_mix",
    ),
    Behaviour(
        "a class without start_session",
        "TypeError of abc at instantiation",
        "the same moment, and at @model; the sentence holds the lines to write",
        "tests/unit/core/test_model.py::test_a_class_without_start_session_can_be_written_and_not_made",
    ),
    Behaviour(
        "`--model.color=#ff8800`",
        "None: YAML reads a comment",
        "the text",
        "tests/unit/core/test_config.py::test_the_right_side_of_an_override_is_yaml",
    ),
)
