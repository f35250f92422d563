"""How a line of the prompt is read, and what may be typed next."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field

from reactor_nb.core.command import command, commands_of
from reactor_nb.core.model import VideoModel
from reactor_nb.errors import ParameterError, ReactorError, UnknownCommandError, UsageError
from reactor_nb.runtime.orders import options, read_call, read_order, template


class Walker(VideoModel):
    @command("move", description="Where to")
    def move(self, direction: Literal["left", "right"], speed: float = 0.5) -> None: ...

    @command("dim")
    def dim(self, level: float = Field(..., ge=0.25)) -> None: ...

    @command("say")
    def say(self, text: str, is_loud: bool) -> None: ...

    @command("reset")
    def reset(self) -> None: ...


COMMANDS = commands_of(Walker)


@pytest.mark.parametrize(
    ("line", "order"),
    [("start", ("start", "")), ("  STOP ", ("stop", "")), ("cmd move {}", ("cmd", "move {}")), ("exit", ("quit", ""))],
)
def test_an_order_is_the_first_word_of_a_line(line: str, order: tuple[str, str]) -> None:
    assert read_order(line) == order


AS_JSON = 'move   {"direction":"left","speed":0.25}'


@pytest.mark.parametrize("rest", [AS_JSON, "move direction=left speed=0.25", AS_JSON.replace("   ", " ")])
def test_parameters_are_json_or_words(rest: str) -> None:
    assert read_call(rest, COMMANDS) == ("move", {"direction": "left", "speed": 0.25})


def test_the_only_parameter_needs_no_name_and_a_sentence_is_quoted() -> None:
    assert read_call("dim 0.5", COMMANDS) == ("dim", {"level": 0.5})
    assert read_call('say text="a rainy night" is_loud=true', COMMANDS)[1] == {"text": "a rainy night", "is_loud": True}
    assert read_call("reset", COMMANDS) == ("reset", {})


@pytest.mark.parametrize(
    ("rest", "error", "mend"),
    [
        ("", UsageError, 'Type: cmd move {"direction": "left", "speed": 0.5}'),
        ("dim {level: 1}", UsageError, 'Type: cmd dim {"level": 0.25}'),
        ("dim [1]", ParameterError, 'Type: cmd dim {"level": 0.25}'),
        ("dmi 3", UnknownCommandError, "Did you mean dim?"),
        ('say "a', UsageError, 'Type: cmd say {"text": "...", "is_loud": true}'),
        ("move left", ParameterError, "Type: cmd move direction="),
    ],
)
def test_a_call_that_cannot_be_read_is_an_error_with_the_line_to_type(
    rest: str, error: type[ReactorError], mend: str
) -> None:
    with pytest.raises(error) as refused:
        read_call(rest, COMMANDS)
    assert mend in str(refused.value)


def test_without_commands_the_example_is_a_form() -> None:
    with pytest.raises(UsageError, match=r"Type: cmd NAME \{\}"):
        read_call("", {})


def test_a_template_is_a_call_that_the_command_takes() -> None:
    for spec in COMMANDS.values():
        name, params = read_call(template(spec).removeprefix("cmd "), COMMANDS)
        assert COMMANDS[name].validate(params) is not None


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ("st", ["start", "stop", "status"]),
        ("cmd ", ["move", "dim", "say", "reset"]),
        ("cmd d", ["dim"]),
        ("cmd move ", ['{"direction": "left", "speed": 0.5}', '{"direction": "right", "speed": 0.5}']),
        ('cmd move {"direction": "r', ['{"direction": "right", "speed": 0.5}']),
        ("cmd say ", ['{"text": "...", "is_loud": true}', '{"text": "...", "is_loud": false}']),
        ("cmd dim ", ['{"level": 0.25}']),
        ("cmd reset ", []),
        ("cmd nothing ", []),
        ("stop now", []),
    ],
)
def test_what_may_be_typed_next_fits_what_stands_there(line: str, texts: list[str]) -> None:
    found = list(options(line, COMMANDS))
    assert [option.text for option in found] == texts
    assert all(line.endswith(option.text[: option.typed]) for option in found if not option.text.startswith("{"))
