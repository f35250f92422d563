"""Controls that a page moves itself: applied once, whatever ipywidgets says of them later."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Annotated, Any, Literal

import ipywidgets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ipywidgets.widgets.widget import _instances
from pydantic import BaseModel, Field

from reactor_nb.core.command import command, commands_of
from reactor_nb.core.model import VideoModel
from reactor_nb.errors import NotStreamingError, ParameterError, UnknownCommandError
from reactor_nb.notebook.control_moves import MOST_PAGES, MOVED, Move, Moves
from reactor_nb.notebook.control_table import build_field
from reactor_nb.notebook.controls import Controls


class Point(BaseModel):
    x: float
    y: float


class Everything(VideoModel):
    @command("few")
    def few(self, value: Literal["a", "b"]) -> None: ...

    @command("many")
    def many(self, value: Literal["a", "b", "c", "d", "e"] = "b") -> None: ...

    @command("flag")
    def flag(self, value: bool = True) -> None: ...

    @command("whole")
    def whole(self, value: int = Field(3, ge=0, le=10)) -> None: ...

    @command("part")
    def part(self, value: Annotated[float, Field(ge=0, le=2)] = 1.0) -> None: ...

    @command("free_whole")
    def free_whole(self, value: int) -> None: ...

    @command("half_open")
    def half_open(self, value: float = Field(1.0, ge=0)) -> None: ...

    @command("text")
    def text(self, value: str = "hello") -> None: ...

    @command("long_text")
    def long_text(self, value: str = Field("", max_length=2000)) -> None: ...

    @command("point")
    def point(self, value: Point) -> None: ...

    @command("pair")
    def pair(self, name: str, size: int = Field(2, ge=1, le=9)) -> None: ...

    @command("go", description="Now")
    def go(self) -> None: ...

    def start_session(self) -> None: ...


class Calls:
    """Takes calls as a session does, and answers each at once."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.refuse: Exception | None = None

    def __call__(self, name: str, params: Mapping[str, Any]) -> Future[Any]:
        if self.refuse is not None:
            raise self.refuse
        self.sent.append((name, dict(params)))
        answer: Future[Any] = Future()
        answer.set_result(None)
        return answer


class Page:
    """One page: moves a control as a person does, which says so by two roads. Either may be late or lost."""

    def __init__(self, controls: Controls, page_id: str = "p") -> None:
        self._controls = controls
        self._page_id = page_id
        self._order = 0
        self._places = {place["command"]: place for place in controls.addresses()}

    def set(self, name: str, raw: Any) -> Mapping[str, Any]:
        """A person sets the one parameter of a command; the two messages of it, unsent."""
        self._order += 1
        values = {} if raw is PRESS else dict.fromkeys(self._places[name]["params"], raw)
        return {"command": name, "page_id": self._page_id, "order": self._order, "values": values}

    def apply(self, name: str, values: Mapping[str, Any]) -> None:
        self._order += 1
        self.tell({"command": name, "page_id": self._page_id, "order": self._order, "values": values})

    def tell(self, move: Mapping[str, Any]) -> None:
        """The page's own message comes."""
        self._controls.moved(move)

    def update(self, move: Mapping[str, Any]) -> None:
        """The message of ipywidgets comes, as its comm brings it."""
        place = self._places[move["command"]]
        mark = {MOVED: {"page_id": move["page_id"], "order": move["order"]}}
        if place["press"] is not None:
            _receive(place["press"], {"presses": int(move["order"]), **mark})
            return
        for name, raw in move["values"].items():
            _receive(place["params"][name]["model_id"], {place["params"][name]["state"]: raw, **mark})

    def update_without_mark(self, name: str, raw: Any) -> None:
        """A page that sends no changes itself."""
        place = self._places[name]
        if place["press"] is not None:
            _receive(place["press"], {"presses": raw})
            return
        (param,) = place["params"].values()
        _receive(param["model_id"], {param["state"]: raw})


PRESS = object()


def _receive(model_id: str, state: dict[str, Any]) -> None:
    widget = _instances[model_id]
    widget._handle_msg({"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []})


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def controls(calls: Calls) -> Controls:
    return Controls(commands_of(Everything), calls)


@pytest.fixture
def page(controls: Controls) -> Page:
    return Page(controls)


def widget_of(controls: Controls, name: str, param: str = "value") -> Any:
    (place,) = (place for place in controls.addresses() if place["command"] == name)
    return _instances[place["params"][param]["model_id"]]


def notes(controls: Controls) -> str:
    return " ".join(each.value for each in _family(controls.widget) if isinstance(each, ipywidgets.HTML))


def _family(widget: Any) -> list[Any]:
    return [widget, *(each for child in getattr(widget, "children", ()) for each in _family(child))]


RAW: list[tuple[str, Any, Any]] = [
    ("few", 1, "b"),
    ("many", 4, "e"),
    ("flag", False, False),
    ("whole", 7, 7),
    ("part", 2, 2.0),
    ("free_whole", 12, 12),
    ("half_open", 2.5, 2.5),
    ("text", "tower", "tower"),
    ("long_text", "a\nb", "a\nb"),
    ("point", '{"x": 1, "y": 2}', {"x": 1, "y": 2}),
]


@pytest.mark.parametrize(("name", "raw", "value"), RAW)
def test_what_a_page_tells_is_applied_and_the_kernels_widget_follows(
    controls: Controls, calls: Calls, page: Page, name: str, raw: Any, value: Any
) -> None:
    move = page.set(name, raw)
    page.tell(move)
    assert calls.sent == [(name, {"value": value})]
    assert type(calls.sent[0][1]["value"]) is type(value)
    page.update(move)
    widget = widget_of(controls, name)
    assert widget.value == (raw if name == "point" else value)


@pytest.mark.parametrize(("name", "raw", "value"), RAW)
def test_the_late_message_of_ipywidgets_is_not_applied_again(
    calls: Calls, page: Page, name: str, raw: Any, value: Any
) -> None:
    move = page.set(name, raw)
    page.tell(move)
    page.update(move)
    assert calls.sent == [(name, {"value": value})]


@pytest.mark.parametrize(("name", "raw", "value"), RAW)
def test_the_quick_message_of_ipywidgets_waits_for_the_pages_own(
    controls: Controls, calls: Calls, page: Page, name: str, raw: Any, value: Any
) -> None:
    move = page.set(name, raw)
    page.update(move)
    assert calls.sent == []
    assert widget_of(controls, name).value == (raw if name == "point" else value), "it is shown in the other pages"
    page.tell(move)
    assert calls.sent == [(name, {"value": value})]


@pytest.mark.parametrize(("name", "raw", "value"), RAW)
def test_a_page_that_tells_nothing_itself_is_heard_as_ever(
    calls: Calls, page: Page, name: str, raw: Any, value: Any
) -> None:
    page.update_without_mark(name, raw)
    assert calls.sent == [(name, {"value": value})]


def test_values_on_the_way_that_come_late_move_nothing_back(controls: Controls, calls: Calls, page: Page) -> None:
    passed = [page.set("whole", value) for value in (4, 6, 9)]
    for move in passed:
        page.tell(move)
    for move in (passed[0], passed[2]):  # ipywidgets sends the first, and what is newest when that was answered
        page.update(move)
        assert widget_of(controls, "whole").value == 9
    assert [params["value"] for _, params in calls.sent] == [4, 6, 9]


def test_a_move_that_comes_by_both_roads_is_applied_once_and_an_older_one_never(calls: Calls, page: Page) -> None:
    first, second = page.set("whole", 4), page.set("whole", 6)
    for move in (second, second, first):
        page.tell(move)
    assert calls.sent == [("whole", {"value": 6})]


def test_two_pages_count_for_themselves(controls: Controls, calls: Calls) -> None:
    one, other = Page(controls, "one"), Page(controls, "other")
    for value in (1, 2, 3):
        one.tell(one.set("whole", value))
    other.tell(other.set("whole", 8))
    assert calls.sent[-1] == ("whole", {"value": 8})


def test_a_person_may_return_to_a_value_that_python_left(controls: Controls, calls: Calls, page: Page) -> None:
    page.tell(page.set("whole", 7))
    controls.applied("whole", {"value": 2}, "python")
    page.tell(page.set("whole", 7))
    assert [params["value"] for _, params in calls.sent] == [7, 7]


def test_a_late_message_does_not_undo_what_python_has_set_since(controls: Controls, calls: Calls, page: Page) -> None:
    move = page.set("whole", 7)
    page.tell(move)
    controls.applied("whole", {"value": 2}, "python")
    page.update(move)
    assert widget_of(controls, "whole").value == 2
    assert calls.sent == [("whole", {"value": 7})]


def test_what_python_sets_reaches_the_pages_even_where_the_kernels_widget_stood(
    controls: Controls, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    widget = widget_of(controls, "whole")
    page.tell(page.set("whole", 7))
    monkeypatch.setattr(widget, "send_state", lambda key=None: sent.append((key, widget.value)))
    controls.applied("whole", {"value": 3}, "python")
    assert sent == [("value", 3)]
    controls.applied("whole", {"value": 3}, "python")
    assert len(sent) == 1, "they are there already"


def test_a_value_that_a_cell_sets_is_sent(controls: Controls, calls: Calls, page: Page) -> None:
    page.tell(page.set("whole", 7))
    widget_of(controls, "whole").value = 5
    assert calls.sent == [("whole", {"value": 7}), ("whole", {"value": 5})]


def test_a_button_that_a_page_tells_of_runs_once_for_each_press(calls: Calls, page: Page) -> None:
    presses = [page.set("go", PRESS) for _ in range(3)]
    for press in presses:
        page.tell(press)
    page.update(presses[0])
    page.update(presses[2])
    assert calls.sent == [("go", {})] * 3


def test_a_button_of_a_page_that_tells_nothing_itself_is_heard_as_ever(calls: Calls, page: Page) -> None:
    page.update_without_mark("go", 1)
    assert calls.sent == [("go", {})]


def test_presses_that_waited_for_a_cell_are_each_heard_though_one_message_brings_them(calls: Calls, page: Page) -> None:
    page.update_without_mark("go", 1)
    page.update_without_mark("go", 4)
    assert calls.sent == [("go", {})] * 4


def test_the_press_of_a_page_that_has_counted_fewer_is_heard(calls: Calls, page: Page) -> None:
    page.update_without_mark("go", 3)
    page.update_without_mark("go", 2)
    assert calls.sent == [("go", {})] * 4


def test_apply_takes_what_stands_in_the_page(controls: Controls, calls: Calls, page: Page) -> None:
    page.apply("pair", {"name": "tower", "size": 5})
    page.apply("pair", {"name": "tower", "size": 5})
    assert calls.sent == [("pair", {"name": "tower", "size": 5})] * 2


def test_apply_asks_for_what_nobody_has_set(controls: Controls, calls: Calls, page: Page) -> None:
    page.apply("pair", {"name": "", "size": 5})
    assert calls.sent == []
    assert "needs a value" in notes(controls)


@pytest.mark.parametrize("text", ["{x: 1", "[" * 100_000])
def test_text_that_is_no_value_is_told_beside_it(controls: Controls, calls: Calls, page: Page, text: str) -> None:
    page.tell(page.set("point", text))
    assert calls.sent == []
    assert "not JSON" in notes(controls)


@pytest.mark.parametrize(("name", "value"), [("whole", 10), ("part", 2.0)])
def test_a_number_larger_than_any_float_is_the_largest_that_the_widget_has(
    calls: Calls, page: Page, name: str, value: float
) -> None:
    page.tell(page.set(name, 10**400))
    assert calls.sent == [(name, {"value": value})]


def test_a_move_that_the_session_refuses_is_told_beside_it(controls: Controls, calls: Calls, page: Page) -> None:
    calls.refuse = NotStreamingError("the model is loading")
    page.tell(page.set("whole", 7))
    assert "loading" in notes(controls)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("few", 2),
        ("few", True),
        ("few", "b"),
        ("flag", 1),
        ("whole", "7"),
        ("whole", float("nan")),
        ("part", None),
        ("text", 3),
        ("point", {"x": 1}),
    ],
)
def test_what_no_widget_sends_is_refused(controls: Controls, calls: Calls, page: Page, name: str, raw: Any) -> None:
    with pytest.raises(ParameterError, match="Reload the page"):
        page.tell(page.set(name, raw))
    assert calls.sent == []


def test_a_parameter_or_command_that_is_not_drawn_is_refused(controls: Controls) -> None:
    message = {"command": "whole", "page_id": "p", "order": 1, "values": {"speed": 1}}
    with pytest.raises(ParameterError, match="speed"):
        controls.moved(message)
    with pytest.raises(UnknownCommandError, match="hole"):
        controls.moved({**message, "command": "hole"})


def test_a_number_beyond_the_bounds_is_taken_as_the_widget_takes_it(calls: Calls, page: Page) -> None:
    page.tell(page.set("whole", 70))
    assert calls.sent == [("whole", {"value": 10})]


def test_a_page_reads_a_widget_as_the_widget_reads_itself() -> None:
    specs = {name: spec for name, spec in commands_of(Everything).items() if len(spec.params) == 1}
    for name, raw, _ in RAW:
        field = build_field(specs[name].params[0])
        field.widget.set_state({field.state: raw})
        assert field.from_page(raw) == field.read(), name


@settings(max_examples=60, deadline=None)
@given(roads=st.data(), values=st.lists(st.integers(0, 10), min_size=1, max_size=8))
def test_in_whatever_order_the_two_roads_deliver_each_move_is_applied_at_most_once_and_the_newest_last(
    roads: st.DataObject, values: list[int]
) -> None:
    calls = Calls()
    controls = Controls(commands_of(Everything), calls)
    page = Page(controls)
    moves = [page.set("whole", value) for value in values]
    own = list(moves)  # in order: a data channel is
    late = sorted(roads.draw(st.sets(st.sampled_from(range(len(moves))))) | {len(moves) - 1})
    updates = [moves[index] for index in late]
    while own or updates:
        if own and (not updates or roads.draw(st.booleans())):
            page.tell(own.pop(0))
        else:
            page.update(updates.pop(0))
    assert [params["value"] for _, params in calls.sent] == values
    assert widget_of(controls, "whole").value == values[-1]
    controls.close()


def test_moves_of_two_threads_leave_the_newest_last(controls: Controls, calls: Calls, page: Page) -> None:
    moves = [page.set("whole", number % 11) for number in range(400)]

    def tell(part: list[Mapping[str, Any]]) -> None:
        for move in part:
            page.tell(move)

    threads = [threading.Thread(target=tell, args=(part,)) for part in (moves[::2], moves[1::2])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls.sent[-1] == ("whole", {"value": 399 % 11})
    page.update(moves[-1])
    assert widget_of(controls, "whole").value == 399 % 11


def test_the_record_of_pages_is_bounded() -> None:
    moves = Moves()
    for number in range(MOST_PAGES + 1):
        assert moves.take(Move(f"p{number}", 5))
    assert not moves.take(Move("p1", 5))
    assert moves.take(Move("p0", 5)), "the page that moved longest ago is forgotten"


@pytest.mark.parametrize(
    "mark", [None, 3, {}, {"page_id": "p"}, {"page_id": 1, "order": 1}, {"page_id": "p", "order": "1"}]
)
def test_a_mark_that_is_none_is_no_move(mark: Any) -> None:
    assert Move.of({MOVED: mark}) is None
