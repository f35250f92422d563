"""Frames that come in while a model plays: the newest wins, and nothing that a model does with them stops it."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb import VideoModel, command, get_ctx, model
from reactor_nb.errors import CommandFailedError, FrameShapeError, NotStreamingError, UsageError
from tests.unit.core.stage import staged


def _gray(level: int) -> NDArray[np.uint8]:
    return np.full((2, 4, 3), level, np.uint8)


@model(name="watches")
class Watches(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.seen: list[int] = []
        self.go = threading.Event()

    @command("hold")
    def hold(self) -> None:
        self.go.wait(10)

    @command("seen")
    def tell(self) -> list[int]:
        return self.seen

    def on_frame(self, frame: NDArray[np.uint8]) -> None:
        if not frame.any():
            raise ValueError("too dark")
        self.seen.append(int(frame[0, 0, 0]))

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(_gray(1))


def test_a_model_that_is_busy_gets_the_newest_frame_after_the_calls_that_wait() -> None:
    with staged(Watches) as stage:
        session = stage.play()
        assert session.wait(5, frames=1)
        instance = stage.loaded.instance
        assert isinstance(instance, Watches)
        stage.free.append(instance.go.set)
        held = session.submit("hold")
        frames = [session.show(_gray(level)) for level in (3, 4, 5)]
        seen_before = session.submit("seen")
        instance.go.set()
        held.result(5)
        frames[-1].result(5)
        assert seen_before.result(5) == session.send("seen", 5) == [5]
        for replaced in frames[:2]:
            with pytest.raises(CancelledError):
                replaced.result(5)
        assert (session.stats()["shown_frames"], session.last_params) == (1, {"hold": {}, "seen": {}})


def test_an_on_frame_that_raises_is_noted_once_and_the_session_goes_on() -> None:
    with staged(Watches) as stage:
        session = stage.play()
        assert session.wait(5, frames=1)
        for _ in range(3):
            with pytest.raises(CommandFailedError, match="on_frame raised ValueError: too dark"):
                session.show(_gray(0)).result(5)
        session.show(_gray(8)).result(5)
        assert session.send("seen", 5) == [8]
        assert session.log.text().count("on_frame raised") == 1
        assert (session.stats()["shown_frames"], session.stats()["failed_frames"]) == (4, 3)


def test_frames_that_cannot_be_taken_are_refused() -> None:
    @model(name="blind")
    class Blind(VideoModel):
        def start_session(self) -> None:
            while not get_ctx().should_stop():
                get_ctx().emit_block(_gray(1))

    with staged(Blind) as stage:
        with pytest.raises(UsageError, match="blind takes no frames"):
            stage.play().show(_gray(1))
    with staged(Watches) as stage:
        session = stage.play()
        assert session.wait(5, frames=1)
        with pytest.raises(FrameShapeError):
            session.show(np.zeros((4, 6), np.uint8))
        session.stop()
        with pytest.raises(NotStreamingError):
            session.show(_gray(1))


def test_a_frame_that_waits_at_the_end_is_answered() -> None:
    with staged(Watches) as stage:
        session = stage.play()
        assert session.wait(5, frames=1)
        instance = stage.loaded.instance
        assert isinstance(instance, Watches)
        stage.free.append(instance.go.set)
        session.submit("hold")
        waiting = session.show(_gray(3))
        session.request_stop()
        session.request_stop()
        with pytest.raises(NotStreamingError):
            waiting.result(5)
        instance.go.set()
        session.stop()
        assert session.state == "ended"
