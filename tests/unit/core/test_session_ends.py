"""A model that does not come back, and what a session leaves alive: nothing."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from reactor_nb import VideoModel, command, get_ctx, model
from reactor_nb.core.events import SessionEvent
from reactor_nb.errors import ModelFailedError, ModelStuckError, NotStreamingError
from tests.support.eventually import eventually
from tests.unit.core.stage import staged

_FRAME = np.zeros((4, 6, 3), np.uint8)


class _Weights(np.ndarray[Any, Any]):
    """An array that can be referenced weakly."""


_alive: list[weakref.ref[Any]] = []


def _weights(owner: object) -> _Weights:
    array = np.zeros(1_000_000).view(_Weights)
    _alive[:] = [weakref.ref(owner), weakref.ref(array)]
    return array


@model(name="deaf")
class Deaf(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.go = threading.Event()
        self.weights_array = _weights(self)

    @command("ping")
    def ping(self) -> str:
        return "pong"

    def start_session(self) -> None:
        get_ctx().emit_block(_FRAME)
        self.think_for_ever()

    def think_for_ever(self) -> None:
        self.go.wait(15)


def test_a_model_that_does_not_return_is_abandoned_with_its_stack() -> None:
    with staged(Deaf) as stage:
        session = stage.session()
        events: list[SessionEvent] = []
        session.subscribe(events.append)
        session.start()
        assert session.wait(5, frames=1)
        go = stage.loaded.instance.go  # type: ignore[attr-defined]
        stage.free.append(go.set)
        with pytest.raises(ModelStuckError, match="should_stop") as caught:
            session.stop(0.05)
        assert "think_for_ever" in caught.value.traceback_text
        assert "session.py" not in caught.value.traceback_text
        assert session.state == "failed"
        assert isinstance(session.error, ModelStuckError)
        assert stage.loaded.is_stuck
        assert events[-1].data == {"state": "failed"}
        with pytest.raises(NotStreamingError):
            session.submit("ping")
        session.stop()
        with pytest.raises(ModelStuckError):
            session.result(1)
        go.set()
        eventually(lambda: stage.loaded.is_gone)
        gc.collect()
        assert [reference() for reference in _alive] == [None, None]


@model(name="fragile")
class Fragile(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.weights_array = _weights(self)
        self.ctx: Any = None

    @command("crash")
    def crash(self) -> None:
        local = self.weights_array
        raise RuntimeError(f"{len(local)}")

    def start_session(self) -> None:
        self.ctx = get_ctx()
        local = self.weights_array
        while not self.ctx.should_stop():
            self.ctx.emit_block(_FRAME)
        raise RuntimeError(f"{len(local)} values at the end")


def test_after_unload_nothing_is_alive_though_session_and_errors_are_held() -> None:
    with staged(Fragile) as stage:
        session = stage.play()
        assert session.wait(5, frames=1)
        call = session.submit("crash")
        call_error = call.exception(5)
        session.stop()
        with pytest.raises(ModelFailedError) as caught:
            session.result(5)
        held = (session, session.error, caught.value, call, call_error, stage.loaded)
        assert all(reference() is not None for reference in _alive)
        stage.loaded.unload(5.0)
        assert [reference() for reference in _alive] == [None, None]
        assert all(held)


def test_the_newest_frame_of_a_block_does_not_keep_the_block() -> None:
    @model(name="blocks")
    class Blocks(VideoModel):
        def start_session(self) -> None:
            get_ctx().emit_block(np.full((50, 40, 60, 3), 7, np.uint8))

    with staged(Blocks, rate_fps=10_000) as stage:
        session = stage.play()
        session.result(5)
        still = session.snapshot()
        assert still.pixels.base is None
        assert (still.pixels == 7).all()


@model(name="slow-command")
class SlowCommand(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.entered = threading.Event()
        self.go = threading.Event()
        self.running = 0
        self.most_running = 0

    @command("think")
    def think(self) -> str:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.entered.set()
        self.go.wait(15)
        self.running -= 1
        return "done"

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(_FRAME)


def test_a_command_that_outlives_its_session_is_answered_and_the_next_session_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reactor_nb.core.session.STOP_TIMEOUT_S", 0.1)
    with staged(SlowCommand) as stage:
        first = stage.play()
        assert first.wait(5, frames=1)
        instance = stage.loaded.instance
        assert isinstance(instance, SlowCommand)
        stage.free.append(instance.go.set)
        call = first.submit("think")
        assert instance.entered.wait(5)
        first.stop(0.1)
        assert isinstance(call.exception(5), NotStreamingError)
        assert "think has not returned" in first.log.text()
        second = stage.play()
        assert second.wait(5, frames=1)
        next_call = second.submit("think")
        assert not next_call.done()
        instance.go.set()
        assert next_call.result(5) == "done"
        assert instance.most_running == 1
