"""The line of the magic: verbs, options, parameters and what is said of a line that cannot be read."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
from pydantic import Field

from reactor_nb.core.command import CommandSpec, command, commands_of
from reactor_nb.core.model import VideoModel
from reactor_nb.errors import ParameterError, UsageError
from reactor_nb.notebook import arguments
from reactor_nb.runtime.settings import StreamChoice


class Walker(VideoModel):
    @command("set_prompt")
    def set_prompt(self, prompt: str) -> None: ...

    @command("set_speed")
    def set_speed(self, speed: float = Field(0.5, ge=0.0, le=1.0)) -> None: ...

    @command("step")
    def step(self, direction: Literal["left", "right"], count: int = 1, path: list[int] | None = None) -> None: ...

    def start_session(self) -> None: ...


def spec(name: str) -> CommandSpec:
    return commands_of(Walker)[name]


def sent(line: str) -> dict[str, Any]:
    wanted = arguments.parse_send(line)
    return arguments.parameters_of(wanted, spec(wanted.command))


def test_run_takes_a_name_a_file_overrides_and_a_time() -> None:
    wanted = arguments.parse_run("plasma -c configs/big.yaml --model.fps=60 --model.net.depth 4 --for 10s --no-poster")
    assert wanted == arguments.RunArguments(
        "plasma", None, "configs/big.yaml", ("fps=60", "net.depth=4"), 10.0, None, has_poster=False
    )
    assert wanted.waits


def test_run_takes_what_is_said_of_the_stream() -> None:
    wanted = arguments.parse_run("plasma --quality=low --bitrate 800k --smoothness 0 --carrier jpeg")
    assert wanted.stream == StreamChoice("low", "800k", "0", "jpeg")
    assert arguments.parse_run("plasma").stream == StreamChoice()
    with pytest.raises(UsageError, match=r"--bitrate needs a value after it. Type: %reactor run --bitrate 8M"):
        arguments.parse_run("--bitrate --quality high")
    with pytest.raises(UsageError, match="did you mean --quality"):
        arguments.parse_run("--qualty high")


def test_a_plain_run_waits_for_nothing() -> None:
    assert not arguments.parse_run("").waits


@pytest.mark.parametrize(("text", "seconds"), [("10", 10), ("10s", 10), ("500ms", 0.5), ("2m", 120), ("1.5h", 5400)])
def test_a_duration_may_name_its_unit(text: str, seconds: float) -> None:
    assert arguments.parse_run(f"--for {text}").duration_s == seconds


def test_a_path_takes_the_place_of_a_name() -> None:
    assert arguments.parse_run("--path my-model").path == "my-model"
    with pytest.raises(UsageError, match="--path my-model"):
        arguments.parse_run("plasma --path my-model")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--for soon", "--for 10s"),
        ("--for -1s", "--for"),
        ("--frames 0", "--frames 300"),
        ("--fro 10s", "--for"),
        ("plasma ocean", "%reactor run plasma"),
        ("-c", "-c configs/big.yaml"),
        ('"open', "quotation"),
    ],
)
def test_a_run_that_cannot_be_read_says_what_to_type(line: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        arguments.parse_run(line)


def test_a_trailing_semicolon_is_accepted() -> None:
    assert arguments.split_verb("  run plasma ; ") == ("run", "plasma")


def test_an_empty_line_is_a_call_for_help() -> None:
    assert arguments.split_verb("") == ("help", "")


def test_an_unknown_verb_proposes_the_nearest() -> None:
    with pytest.raises(UsageError, match="Type: %reactor send x"):
        arguments.split_verb("sned x")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", (None, None)),
        ("plasma", ("plasma", None)),
        ("--out time.svg", (None, "time.svg")),
        ("plasma --out=time.svg", ("plasma", "time.svg")),
    ],
)
def test_a_profile_may_name_a_model_and_a_file(line: str, wanted: tuple[str | None, str | None]) -> None:
    assert arguments.parse_profile(line) == wanted


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--out", "needs a value after it. Type: %reactor profile --out profile.svg"),
        ("--file x.svg", "has no option '--file'; it has --out FILE"),
        ("one two", "takes one model name"),
    ],
)
def test_a_profile_that_cannot_be_read_says_what_to_type(line: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        arguments.parse_profile(line)


def test_the_doctor_takes_no_words() -> None:
    with pytest.raises(UsageError, match=r"takes no words, got 'plasma'\. Type: %reactor doctor"):
        arguments.refuse_words("plasma", "doctor")


def test_send_takes_words() -> None:
    assert sent("step direction=left count=3") == {"direction": "left", "count": 3}


def test_send_takes_a_json_object() -> None:
    assert sent('step {"direction": "left", "path": [1, 2]}') == {"direction": "left", "path": [1, 2]}


def test_send_takes_the_repr_of_a_python_dict() -> None:
    assert sent("step {'direction': 'left', 'path': None}") == {"direction": "left", "path": None}


def test_send_takes_the_value_alone_of_a_single_parameter() -> None:
    assert sent("set_prompt a rainy night") == {"prompt": "a rainy night"}
    assert sent("set_speed 0.8") == {"speed": 0.8}


def test_text_that_looks_like_a_number_stays_text_for_a_text_parameter() -> None:
    assert sent("set_prompt prompt=42") == {"prompt": "42"}


def test_send_may_name_the_model_anywhere() -> None:
    for line in ("--on b step direction=left", "step --on b direction=left", "step direction=left --on=b"):
        wanted = arguments.parse_send(line)
        assert (wanted.command, wanted.model_name, wanted.words) == ("step", "b", ("direction=left",))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "needs the name of a command"),
        ("step --on", "--on needs"),
        ('step {"a": 1} {"b": 2}', "one JSON object"),
        ('step direction=left {"count": 2}', "words or a JSON object"),
        ("set_prompt it's raining", "quotation"),
    ],
)
def test_a_send_that_cannot_be_read_says_what_to_type(line: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        arguments.parse_send(line)


def test_a_word_without_a_name_is_refused_with_the_signature() -> None:
    with pytest.raises(ParameterError, match="step"):
        sent("step left 3")


def test_expansion_leaves_json_objects_alone() -> None:
    expanded = arguments.expand(
        'send step {"direction": "$x", "count": 1} $x {x}', lambda text: text.replace("$x", "7")
    )
    assert expanded == 'send step {"direction": "$x", "count": 1} 7 {x}'


def test_braces_that_are_no_json_are_expanded() -> None:
    assert arguments.expand("run {name}", lambda text: text.replace("{name}", "plasma")) == "run plasma"
