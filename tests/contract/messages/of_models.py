"""Mistakes in @model, @command and their parameters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from reactor_nb import VideoModel, command, model
from reactor_nb.core.command import commands_of
from reactor_nb.core.discovery import choose
from reactor_nb.core.results import to_json
from reactor_nb.errors import (
    ModelDefinitionError,
    ModelNotFoundError,
    ParameterError,
    ResultError,
    SeveralModelsError,
    UnknownCommandError,
)
from tests.contract.messages.case import Cases

CASES = Cases()
answered = CASES.answered


class Playable(VideoModel):
    def start_session(self) -> None:
        """Ends at once."""


class Camera(Playable):
    @command("move")
    def move(self, direction: str, speed: float = Field(0.5, ge=0, le=1)) -> None: ...


def command_of(method: Callable[..., Any], name: str = "go") -> type:
    return type("Camera", (Playable,), {"go": command(name)(method)})


@answered(
    ModelDefinitionError,
    "@model(name='My Model'): 'M' at position 1 is not allowed; a model's name has lowercase letters, digits "
    'and hyphens. Write @model(name="my-model")',
)
def a_name_with_a_capital_letter(folder: Path) -> object:
    return model("My Model")


@answered(
    ModelDefinitionError,
    "@model(name='my-model-'): a model's name starts and ends with a lowercase letter or a digit. Write "
    '@model(name="my-model")',
)
def a_name_that_ends_with_a_hyphen(folder: Path) -> object:
    return model("my-model-")


@answered(ModelDefinitionError, '@model needs a name. Write @model(name="camera") above class Camera.')
def model_without_brackets(folder: Path) -> object:
    return model(Camera)  # type: ignore[arg-type]


@answered(ModelDefinitionError, '@model got int 3 for its name; it needs a string: @model(name="my-model")')
def a_name_that_is_a_number(folder: Path) -> object:
    return model(3)  # type: ignore[arg-type]


@answered(
    ModelDefinitionError,
    "@model got dict {'fps': 30} for its config; it needs the path of a YAML file: @model(name=\"...\", "
    'config="configs/default.yaml")',
)
def a_configuration_that_is_no_path(folder: Path) -> object:
    return model("plasma", config={"fps": 30})  # type: ignore[arg-type]


@answered(
    ModelDefinitionError, "@model got str 'vae' for its weights; it needs a list of folder names: weights=['vae']"
)
def weights_that_are_no_list(folder: Path) -> object:
    return model("plasma", weights="vae")


@answered(
    ModelDefinitionError,
    "@model(weights=...): '../vae' is no folder name; it has letters, digits, underscores and hyphens. Write "
    'weights=["vae"]',
)
def weights_that_leave_their_folder(folder: Path) -> object:
    return model("plasma", weights=["../vae"])


@answered(
    ModelDefinitionError,
    '@model(name="plasma") was put on the class dict; it needs a subclass of VideoModel. Write: class '
    "dict(VideoModel):",
)
def model_above_another_class(folder: Path) -> object:
    return model("plasma")(dict)  # type: ignore[type-var]


@answered(
    ModelDefinitionError,
    "Plasma has no start_session, the loop that makes its frames. Add to the class:\n    def "
    "start_session(self):\n        while not get_ctx().should_stop():\n            "
    "get_ctx().emit_block(self.generate())",
)
def a_model_without_start_session(folder: Path) -> object:
    class Plasma(VideoModel):
        def __init__(self, config: Any) -> None: ...

    return model("plasma")(Plasma)


@answered(
    ModelDefinitionError,
    '@command got the function Camera.move for its name; it needs a string. Write @command("move")',
)
def a_command_without_a_name(folder: Path) -> object:
    return command(Camera.move)  # type: ignore[arg-type]


@answered(
    ModelDefinitionError,
    "@command('set prompt'): ' ' at position 4 is not allowed; a command's name is typed as one word. Write "
    '@command("set_prompt")',
)
def a_command_of_two_words(folder: Path) -> object:
    return command("set prompt")


@answered(
    ModelDefinitionError,
    "@command got the name 'requestCapabilities', which every model answers by itself. Rename it: "
    '@command("capabilities")',
)
def a_command_of_a_name_that_is_taken(folder: Path) -> object:
    return command("requestCapabilities")


@answered(
    ModelDefinitionError,
    '@command("go") got int 3 for its description; it needs a string. Write @command("go", description="...")',
)
def a_description_that_is_no_text(folder: Path) -> object:
    return command("go", 3)  # type: ignore[arg-type]


@answered(
    ModelDefinitionError,
    '@command("go") was put on the class Camera; it needs a method. Write\n@command("go")\ndef go(self): ...',
)
def a_command_above_a_class(folder: Path) -> object:
    return command("go")(Camera)


@answered(
    ModelDefinitionError,
    "Camera.send is a method of every VideoModel and cannot be the command 'send'. Rename it: def "
    "send_command(self, ...)",
)
def a_command_on_a_method_of_every_model(folder: Path) -> object:
    return type("Camera", (Playable,), {"send": command("send")(lambda self: None)})


@answered(
    ModelDefinitionError,
    "Camera has two methods for the command 'turn': pan and tilt. Give one another name: @command(\"tilt\")",
)
def two_methods_under_one_name(folder: Path) -> object:
    def pan(self: Any) -> None: ...
    def tilt(self: Any) -> None: ...

    return type("Camera", (Playable,), {"pan": command("turn")(pan), "tilt": command("turn")(tilt)})


@answered(
    ModelDefinitionError,
    "Still.move overrides the command 'move' and cannot take its parameters (got an unexpected keyword "
    "argument 'direction'). Keep them, or make it a command of its own: @command(\"move\") above move",
)
def an_override_that_cannot_take_the_parameters(folder: Path) -> object:
    def move(self: Any) -> None: ...

    return type("Still", (Camera,), {"move": move})


@answered(
    ModelDefinitionError, "command go: Camera.go takes no `self`. Write def go(self, ...), or put @staticmethod above."
)
def a_method_without_self(folder: Path) -> object:
    def go() -> None: ...

    go.__qualname__ = "Camera.go"
    return command_of(go)


@answered(
    ModelDefinitionError,
    "command go: Camera.go takes `*points`, and a command's parameters are sent by name. Name each one; if "
    "this is a decorator's wrapper, give it functools.wraps.",
)
def parameters_without_names(folder: Path) -> object:
    def go(self: Any, *points: float) -> None: ...

    go.__qualname__ = "Camera.go"
    return command_of(go)


@answered(
    ModelDefinitionError,
    "command go: parameter then is collections.abc.Callable[[], None], which cannot be sent as JSON. Annotate "
    "it with bool, int, float, str, Literal, Enum, list, tuple, dict, a date, Optional or a pydantic model, "
    "for example then: float.",
)
def a_parameter_that_json_cannot_carry(folder: Path) -> object:
    def go(self: Any, then: Callable[[], None]) -> None: ...

    return command_of(go)


@answered(
    ModelDefinitionError,
    "command go: the annotation 'Sped' of parameter speed cannot be read: name 'Sped' is not defined. Define "
    "or import Sped above the class.",
)
def an_annotation_that_names_nothing(folder: Path) -> object:
    def go(self: Any, speed: Sped) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    return command_of(go)


@answered(
    ModelDefinitionError,
    "command go: Field(alias=...) on parameter speed. A parameter is sent under its Python name; remove the "
    "alias or rename the parameter.",
)
def an_alias_of_a_parameter(folder: Path) -> object:
    def go(self: Any, speed: float = Field(0.5, alias="velocity")) -> None: ...

    return command_of(go)


@answered(
    ModelNotFoundError,
    'No @model decorated class found. Type @model(name="my-model") above a class of VideoModel and run its cell first.',
)
def running_without_any_model(folder: Path) -> object:
    return choose({})


@answered(
    ModelNotFoundError, 'No @model decorated class found. Type @model(name="camera") above class Camera(VideoModel).'
)
def running_a_class_without_model(folder: Path) -> object:
    return choose({"Camera": Camera})


@answered(
    ModelNotFoundError,
    "No model of the name 'cammera'; there is camera. Did you mean camera? Type: %reactor run camera",
)
def running_a_name_that_is_none(folder: Path) -> object:
    return choose({"Camera": model("camera")(Camera)}, "cammera")


@answered(ModelNotFoundError, "one is an instance of Camera; a run needs the class. Type: %reactor run camera")
def running_an_instance(folder: Path) -> object:
    cls = model("camera")(Camera)
    return choose({"camera": cls, "one": cls()}, "one")


@answered(SeveralModelsError, "Multiple models found: ['a', 'b']. Name the one that is meant. Type: %reactor run b")
def running_one_of_two_without_a_name(folder: Path) -> object:
    def start_session(self: Any) -> None: ...

    return choose({name: model(name)(type(name, (Playable,), {"start_session": start_session})) for name in ("a", "b")})


@answered(
    UnknownCommandError,
    "Unknown command: moove. Commands: move. Did you mean move? Send: move direction=<str> [speed=<float 0..1>]",
)
def an_unknown_command(folder: Path) -> object:
    return Camera().send("moove", {})


@answered(
    UnknownCommandError, 'Unknown command: move. This model has no commands; put @command("move") above a method.'
)
def a_command_to_a_model_that_has_none(folder: Path) -> object:
    return Playable().send("move")


@answered(
    ParameterError,
    "move refused speed=1.5: Input should be less than or equal to 1. Send: move direction=<str> [speed=<float 0..1>]",
)
def a_number_out_of_its_range(folder: Path) -> object:
    return Camera().send("move", {"direction": "up", "speed": 1.5})


@answered(
    ParameterError,
    "move refused direction is missing; sped: no such parameter; did you mean speed? Send: move "
    "direction=<str> [speed=<float 0..1>]",
)
def a_parameter_that_is_missing_and_one_too_many(folder: Path) -> object:
    return Camera().send("move", {"sped": 1})


@answered(
    ParameterError,
    "move refused speed=nan: Input should be a finite number. Send: move direction=<str> [speed=<float 0..1>]",
)
def a_number_that_is_none(folder: Path) -> object:
    return Camera().send("move", {"direction": "up", "speed": float("nan")})


@answered(
    ParameterError,
    "move got list ['up']; its parameters are sent by name, as an object. Send: move direction=<str> "
    "[speed=<float 0..1>]",
)
def parameters_as_a_list(folder: Path) -> object:
    return commands_of(Camera)["move"].validate(["up"])  # type: ignore[arg-type]


@answered(
    ResultError,
    "result['frame'] is object, which JSON cannot hold. Return numbers, strings, lists and dicts of them, "
    "arrays, dataclasses or pydantic models.",
)
def a_result_that_json_cannot_hold(folder: Path) -> object:
    return to_json({"frame": object()})


@answered(
    ResultError,
    "result['loss'][1] is nan, which JSON cannot hold. Return None in its place: x if math.isfinite(x) else None",
)
def a_result_that_is_not_finite(folder: Path) -> object:
    return to_json({"loss": [0.5, float("nan")]})


@answered(ResultError, "result is bytes, which JSON cannot hold. Return base64.b64encode(x).decode()")
def a_result_of_bytes(folder: Path) -> object:
    return to_json(b"PNG")


@answered(ResultError, "result has the key (1, 2); keys of a JSON object are strings. Write '(1, 2)'")
def a_result_with_a_key_that_is_no_text(folder: Path) -> object:
    return to_json({(1, 2): "a"})


@answered(
    ResultError,
    "result[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0... is nested deeper than "
    "64 levels; does it hold itself?",
)
def a_result_that_holds_itself(folder: Path) -> object:
    result: list[Any] = []
    result.append(result)
    return to_json(result)
