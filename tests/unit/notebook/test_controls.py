"""Controls without a page: which widget a parameter gets, what is sent and when, and what is shown."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Annotated, Any, Literal, Optional

import ipywidgets
import pytest
from pydantic import BaseModel, Field

from reactor_nb.core.command import command, commands_of
from reactor_nb.core.model import VideoModel
from reactor_nb.errors import NotStreamingError, ParameterError
from reactor_nb.notebook import control_table
from reactor_nb.notebook.control import UNSET
from reactor_nb.notebook.control_table import build_field
from reactor_nb.notebook.controls import SOURCE, Controls


class Mood(enum.Enum):
    CALM = "calm"
    WILD = "wild"


class Point(BaseModel):
    x: float
    y: float


class Everything(VideoModel):
    @command("few")
    def few(self, value: Literal["a", "b"]) -> None: ...

    @command("many")
    def many(self, value: Literal["a", "b", "c", "d", "e"] = "b") -> None: ...

    @command("mood")
    def mood(self, value: Mood) -> None: ...

    @command("flag")
    def flag(self, value: bool = True) -> None: ...

    @command("whole")
    def whole(self, value: int = Field(3, ge=0, le=10)) -> None: ...

    @command("part")
    def part(self, value: Annotated[float, Field(gt=0, le=2, multiple_of=0.25)]) -> None: ...

    @command("free_whole")
    def free_whole(self, value: int) -> None: ...

    @command("half_open")
    def half_open(self, value: float = Field(1.0, ge=0)) -> None: ...

    @command("text")
    def text(self, value: str = "hello") -> None: ...

    @command("long_text")
    def long_text(self, value: str = Field("", max_length=2000)) -> None: ...

    @command("maybe")
    def maybe(self, value: Optional[int] = Field(None, ge=0, le=5)) -> None: ...  # noqa: UP045

    @command("point")
    def point(self, value: Point) -> None: ...

    @command("pair")
    def pair(self, name: str, size: int = Field(2, ge=1, le=9)) -> None: ...

    @command("go", description="Now")
    def go(self) -> None: ...

    def start_session(self) -> None: ...


class Calls:
    """Takes calls as a session does; `answer` ends the oldest open one."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.open: list[Future[Any]] = []
        self.refuse: Exception | None = None

    def __call__(self, name: str, params: Mapping[str, Any]) -> Future[Any]:
        if self.refuse is not None:
            raise self.refuse
        self.sent.append((name, dict(params)))
        self.open.append(Future())
        return self.open[-1]

    def answer(self, error: Exception | None = None) -> None:
        future = self.open.pop(0)
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def controls(calls: Calls) -> Controls:
    return Controls(commands_of(Everything), calls)


def field_of(controls: Controls, name: str, param: str = "value") -> Any:
    return controls._parts[name].controls[param]._field.widget


def press(controls: Controls, name: str) -> None:
    button = controls._parts[name].press
    assert button is not None
    button.click()


def note_of(controls: Controls, name: str, param: str = "value") -> str:
    return str(controls._parts[name].controls[param]._note.value)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("few", ipywidgets.ToggleButtons),
        ("many", ipywidgets.Dropdown),
        ("mood", ipywidgets.ToggleButtons),
        ("flag", ipywidgets.Checkbox),
        ("whole", ipywidgets.IntSlider),
        ("part", ipywidgets.FloatSlider),
        ("free_whole", ipywidgets.BoundedIntText),
        ("half_open", ipywidgets.BoundedFloatText),
        ("text", ipywidgets.Text),
        ("long_text", ipywidgets.Textarea),
        ("maybe", ipywidgets.IntSlider),
        ("point", ipywidgets.Textarea),
    ],
)
def test_a_parameter_gets_the_widget_of_its_type(name: str, kind: type) -> None:
    (param,) = commands_of(Everything)[name].params
    assert type(build_field(param).widget) is kind


def test_bounds_and_steps_come_from_the_schema(controls: Controls) -> None:
    slider = field_of(controls, "part")
    assert (slider.min, slider.max, slider.step) == (0.25, 2.0, 0.25)


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [(0.0, 1.0, 0.01), (0.25, 4.0, 0.01), (-180.0, 180.0, 2.0), (0.0, 3e-5, 2e-7), (0, 1e6, 1e4)],
)
def test_the_step_of_a_free_number_is_round(low: float, high: float, step: float) -> None:
    field = control_table.ROWS[4].build({"type": "number", "minimum": low, "maximum": high})
    assert field.widget.step == step


def test_a_slider_shows_its_default_and_not_a_neighbour() -> None:
    schema = {"type": "number", "minimum": 0.25, "maximum": 4.0, "default": 1.0}
    slider = control_table.ROWS[4].build(schema).widget
    assert (1.0 - slider.min) / slider.step == pytest.approx(round((1.0 - slider.min) / slider.step))


def test_a_new_session_shows_what_the_model_has_and_not_what_was_refused(controls: Controls, calls: Calls) -> None:
    field_of(controls, "whole").value = 7
    calls.answer()
    calls.refuse = NotStreamingError("the session has ended")
    field_of(controls, "whole").value = 9
    calls.refuse = None
    controls.forget_refused()
    assert field_of(controls, "whole").value == 7
    assert "ended" not in note_of(controls, "whole")
    assert calls.sent == [("whole", {"value": 7})]


def test_defaults_are_shown_and_never_sent(controls: Controls, calls: Calls) -> None:
    assert field_of(controls, "whole").value == 3
    assert field_of(controls, "many").value == "b"
    assert field_of(controls, "text").value == "hello"
    assert calls.sent == []


def test_a_required_value_without_a_default_shows_as_unset(controls: Controls) -> None:
    assert field_of(controls, "few").value is None
    assert controls._parts["few"].controls["value"].value is UNSET
    assert "not set" in note_of(controls, "few")


def test_one_parameter_is_sent_as_it_changes(controls: Controls, calls: Calls) -> None:
    field_of(controls, "whole").value = 7
    assert calls.sent == [("whole", {"value": 7})]


def test_one_call_is_in_flight_and_the_newest_value_is_next(controls: Controls, calls: Calls) -> None:
    slider = field_of(controls, "whole")
    for value in (4, 5, 6, 7):
        slider.value = value
    assert calls.sent == [("whole", {"value": 4})]
    calls.answer()
    assert calls.sent == [("whole", {"value": 4}), ("whole", {"value": 7})]
    calls.answer()
    assert len(calls.sent) == 2


def test_a_slow_command_holds_no_other_control(controls: Controls, calls: Calls) -> None:
    field_of(controls, "whole").value = 7
    field_of(controls, "flag").value = False
    assert calls.sent == [("whole", {"value": 7}), ("flag", {"value": False})]


def test_several_parameters_are_sent_by_apply_alone(controls: Controls, calls: Calls) -> None:
    field_of(controls, "pair", "name").value = "tower"
    field_of(controls, "pair", "size").value = 5
    assert calls.sent == []
    press(controls, "pair")
    assert calls.sent == [("pair", {"name": "tower", "size": 5})]


def test_apply_asks_for_what_is_missing(controls: Controls, calls: Calls) -> None:
    press(controls, "pair")
    assert calls.sent == []
    assert "needs a value" in note_of(controls, "pair", "name")


def test_a_refused_value_is_told_at_its_control_and_cleared_by_the_next(controls: Controls, calls: Calls) -> None:
    field_of(controls, "whole").value = 7
    calls.answer(ParameterError("set_whole refuses 7", {"value": "not a lucky number"}))
    assert "not a lucky number" in note_of(controls, "whole")
    field_of(controls, "whole").value = 8
    calls.answer()
    assert "lucky" not in note_of(controls, "whole")


def test_a_call_refused_at_once_is_told_and_the_next_one_goes_out(controls: Controls, calls: Calls) -> None:
    calls.refuse = NotStreamingError("the model is loading")
    field_of(controls, "whole").value = 7
    assert "loading" in note_of(controls, "whole")
    calls.refuse = None
    field_of(controls, "whole").value = 8
    assert calls.sent == [("whole", {"value": 8})]


def test_a_value_of_somebody_else_moves_the_control_and_sends_nothing(controls: Controls, calls: Calls) -> None:
    controls.applied("whole", {"value": 9}, "python")
    controls.applied("few", {"value": "b"}, "page")
    controls.applied("mood", {"value": Mood.WILD}, "python")
    controls.applied("point", {"value": Point(x=1, y=2)}, "python")
    assert field_of(controls, "whole").value == 9
    assert field_of(controls, "few").value == "b"
    assert field_of(controls, "mood").value == "wild"
    assert "not set" not in note_of(controls, "few")
    assert calls.sent == []


def test_a_control_is_not_moved_by_its_own_call(controls: Controls) -> None:
    slider = field_of(controls, "whole")
    slider.value = 7
    controls.applied("whole", {"value": 3}, SOURCE)
    assert slider.value == 7


def test_a_person_may_return_to_a_value_that_somebody_else_left(controls: Controls, calls: Calls) -> None:
    field_of(controls, "whole").value = 7
    calls.answer()
    controls.applied("whole", {"value": 2}, "python")
    field_of(controls, "whole").value = 7
    assert calls.sent == [("whole", {"value": 7}), ("whole", {"value": 7})]


def test_broken_json_is_told_and_not_sent(controls: Controls, calls: Calls) -> None:
    field_of(controls, "point").value = "{x: 1"
    assert "not JSON" in note_of(controls, "point")
    field_of(controls, "point").value = '{"x": 1, "y": 2}'
    assert calls.sent == [("point", {"value": {"x": 1, "y": 2}})]


def test_closing_leaves_no_widget_behind() -> None:
    from ipywidgets.widgets.widget import _instances

    before = set(_instances)
    Controls(commands_of(Everything), Calls()).close()
    assert set(_instances) == before
