"""Commands: in order, one at a time, every accepted call answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import BaseModel, Field

from reactor_nb import VideoModel, command, get_ctx, model
from reactor_nb.core.calls import MOST_WAITING, refuse_value_as_timeout
from reactor_nb.core.command import commands_of
from reactor_nb.core.events import SessionEvent
from reactor_nb.core.session import Session
from reactor_nb.errors import (
    CallQueueFullError,
    CallTimeoutError,
    CommandFailedError,
    NotStreamingError,
    ParameterError,
    UnknownCommandError,
    WrongThreadError,
)
from tests.support.eventually import eventually
from tests.unit.core.stage import Stage, staged

_FRAME = np.zeros((4, 6, 3), np.uint8)


class Point(BaseModel):
    x: int


@model(name="plasma")
class Plasma(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.calls: list[Any] = []
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.session: Session | None = None

    @command("add")
    def add(self, number: int) -> list[int]:
        self.calls.append(number)
        return self.calls

    @command("set_speed")
    def set_speed(self, speed: float = Field(0.5, ge=0.0, le=1.0)) -> str:
        return threading.current_thread().name

    @command("move")
    def move(self, direction: Literal["left", "right"], point: Point) -> int:
        return point.x

    @command("hold")
    def hold(self) -> str:
        self.entered.set()
        self.gate.wait(10)
        return "held"

    @command("fail")
    def fail(self) -> None:
        raise LookupError("no such prompt")

    @command("leave")
    def leave(self) -> None:
        raise SystemExit(1)

    @command("call_myself")
    def call_myself(self) -> Any:
        assert self.session is not None
        return self.session.send("add", number=1)

    @command("shout")
    def shout(self) -> None:
        get_ctx().send({"heard": True})

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(_FRAME)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(Plasma) as stage:
        stage.free.append(lambda: _instance(stage).gate.set())
        yield stage


@pytest.fixture
def session(stage: Stage) -> Session:
    session = stage.play()
    assert session.wait(5, frames=1)
    return session


def _instance(stage: Stage) -> Plasma:
    instance = stage.loaded.instance
    assert isinstance(instance, Plasma)
    return instance


def _hold(session: Session, stage: Stage) -> Future[Any]:
    held = session.submit("hold")
    assert _instance(stage).entered.wait(5)
    return held


def test_send_returns_what_the_method_returns(session: Session) -> None:
    assert session.send("set_speed", speed=0.25) == "reactor-commands-plasma"
    assert session.send("set_speed", 5.0, speed=0.5) == "reactor-commands-plasma"
    assert session.send("move", direction="left", point={"x": 3}) == 3


def test_calls_run_in_their_order_of_arrival(session: Session) -> None:
    futures = [session.submit("add", {"number": number}) for number in range(20)]
    assert futures[-1].result(5) == list(range(20))


def test_what_is_wrong_with_a_call_is_raised_before_anything_is_queued(session: Session) -> None:
    with pytest.raises(UnknownCommandError, match="Did you mean set_speed"):
        session.submit("set_sped")
    with pytest.raises(ParameterError) as caught:
        session.send("set_speed", speed=2)
    assert "speed" in caught.value.fields
    with pytest.raises(ValueError, match="loud"):
        session.send("set_speed", loud=True)
    assert session.stats()["failed_calls"] == 0


def test_a_command_that_raises_answers_with_the_authors_traceback_and_the_model_plays_on(session: Session) -> None:
    events: list[SessionEvent] = []
    session.subscribe(events.append)
    with pytest.raises(CommandFailedError, match="LookupError: no such prompt") as caught:
        session.send("fail")
    assert "raise LookupError" in caught.value.traceback_text
    assert "calls.py" not in caught.value.traceback_text.replace("test_calls.py", "")
    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.__cause__.__traceback__ is None
    assert "no such prompt" in session.log.text()
    assert [event.data["is_error"] for event in events if event.kind == "call"] == [True]
    assert session.send("add", number=1) == [1]
    assert session.state == "streaming"
    assert session.stats()["failed_calls"] == 1


def test_a_command_may_not_end_the_process(session: Session) -> None:
    with pytest.raises(CommandFailedError, match="SystemExit"):
        session.send("leave")
    assert session.send("add", number=1) == [1]


def test_send_from_a_command_raises_instead_of_waiting_for_itself(session: Session, stage: Stage) -> None:
    _instance(stage).session = session
    with pytest.raises(CommandFailedError, match=r"self\.add\(") as caught:
        session.send("call_myself", 5.0)
    assert isinstance(caught.value.__cause__, WrongThreadError)


def test_an_applied_call_is_told_with_its_values_and_source(session: Session) -> None:
    events: list[SessionEvent] = []
    session.subscribe(events.append)
    session.submit("set_speed", {"speed": 0.75}, source="page").result(5)
    session.submit("move", {"direction": "right", "point": {"x": 2}}, source="magic").result(5)
    told = [event.data for event in events if event.kind == "call"]
    assert told == [
        {"name": "set_speed", "params": {"speed": 0.75}, "source": "page", "is_error": False},
        {"name": "move", "params": {"direction": "right", "point": {"x": 2}}, "source": "magic", "is_error": False},
    ]
    assert session.last_params["set_speed"] == {"speed": 0.75}


def test_a_full_queue_is_an_error_and_never_a_wait(session: Session, stage: Stage) -> None:
    held = _hold(session, stage)
    waiting = [session.submit("add", {"number": number}) for number in range(MOST_WAITING)]
    with pytest.raises(CallQueueFullError, match="hold is running"):
        session.submit("add", {"number": 99})
    assert session.stats()["waiting_calls"] == MOST_WAITING
    _instance(stage).gate.set()
    assert held.result(5) == "held"
    assert waiting[-1].result(5) == list(range(MOST_WAITING))


def test_a_slow_command_does_not_hold_the_picture(session: Session, stage: Stage) -> None:
    _hold(session, stage)
    shown = len(stage.shown)
    assert eventually(lambda: len(stage.shown) > shown + 5)
    with pytest.raises(CallTimeoutError, match="it goes on in the model"):
        session.send("add", 0.01, number=1)


def test_a_cancelled_call_is_not_run(session: Session, stage: Stage) -> None:
    _hold(session, stage)
    cancelled = session.submit("add", {"number": 1})
    assert cancelled.cancel()
    _instance(stage).gate.set()
    assert session.send("add", number=2) == [2]


def test_a_stop_answers_what_waits_and_what_runs_too_long(session: Session, stage: Stage) -> None:
    held = _hold(session, stage)
    waiting = session.submit("add", {"number": 1})
    stopping = threading.Thread(target=lambda: session.stop(5.0))
    stopping.start()
    assert isinstance(waiting.exception(5), NotStreamingError)
    assert not held.done()
    _instance(stage).gate.set()
    stopping.join(5)
    assert held.result(5) == "held"
    assert _instance(stage).calls == []


def test_calls_are_refused_while_the_model_loads_and_after_the_end(stage: Stage) -> None:
    session = stage.session()
    with pytest.raises(NotStreamingError, match="loads"):
        session.submit("add", {"number": 1})
    session.start()
    assert session.wait(5, frames=1)
    session.stop()
    with pytest.raises(NotStreamingError, match="%reactor run plasma"):
        session.send("add", number=1)


def test_a_command_may_send_to_the_page(session: Session) -> None:
    session.send("shout")
    assert next(session.messages(2.0)) == {"heard": True}


def test_the_built_in_request_answers_with_the_schema(session: Session) -> None:
    capabilities = session.send("requestCapabilities")
    assert capabilities == Plasma.commands()


class Sprinter(VideoModel):
    @command("set_speed")
    def set_speed(self, speed: float = 0.5) -> None: ...


@pytest.mark.parametrize("value", [0.9, {"speed": 0.9}, "fast", True])
def test_a_value_in_the_place_of_the_time_limit_is_refused_with_the_line_to_type(value: object) -> None:
    spec = commands_of(Sprinter)["set_speed"]
    with pytest.raises(ParameterError, match=r"session\.send"):
        refuse_value_as_timeout(spec, "set_speed", value, {})


def test_a_time_limit_beside_parameters_is_one() -> None:
    spec = commands_of(Sprinter)["set_speed"]
    refuse_value_as_timeout(spec, "set_speed", 5, {"speed": 0.9})
    refuse_value_as_timeout(spec, "set_speed", None, {})
