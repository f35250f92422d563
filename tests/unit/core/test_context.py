"""get_ctx() finds the session of its thread, and says so where there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb.core.context import Context, bind_context, get_ctx, live_context
from reactor_nb.core.device_frames import PendingBlock
from reactor_nb.core.frames import Block, DeviceLayout
from reactor_nb.errors import ContextError, FrameShapeError, SessionStopped

_FRAME = np.zeros((4, 6, 3), np.uint8)
_SENTENCE = "Global context not set. This should only be called during an active session."


class _Recorder:
    """A ContextPort that keeps what it is given."""

    def __init__(self, name: str = "plasma") -> None:
        self.name = name
        self.is_stopping = False
        self.size_px = (4, 6)
        self.device_layout: DeviceLayout | None = None
        self.blocks: list[Block] = []

    def reserve(self, shape: tuple[int, int, int, int]) -> NDArray[np.uint8] | None:
        return None

    def accept(self, block: Block) -> None:
        self.blocks.append(block)

    def accept_pending(self, block: PendingBlock) -> None:
        self.blocks.append(block.wait())

    def deliver(self, message: dict[str, Any]) -> None:
        raise AssertionError(message)

    def set_monitoring(self, is_on: bool) -> None:
        raise AssertionError(is_on)


def _on_a_thread(work: Callable[[], object]) -> list[object]:
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found


def test_outside_a_session_it_raises_the_documented_sentence() -> None:
    with pytest.raises(ContextError, match="Call get_ctx") as caught:
        get_ctx()
    assert str(caught.value).startswith(_SENTENCE)
    assert isinstance(caught.value, RuntimeError)


def test_each_thread_finds_its_own_session() -> None:
    one, two = Context(_Recorder("one")), Context(_Recorder("two"))
    with live_context(one):
        assert get_ctx() is one

        def other() -> Context:
            with live_context(two):
                return get_ctx()

        assert _on_a_thread(other) == [two]
        assert get_ctx() is one


def test_a_thread_of_the_author_finds_the_one_live_session() -> None:
    context = Context(_Recorder())
    with live_context(context):
        assert _on_a_thread(get_ctx) == [context]
    assert isinstance(_on_a_thread(get_ctx)[0], ContextError)


def test_of_several_live_sessions_none_is_guessed() -> None:
    with live_context(Context(_Recorder("one"))), live_context(Context(_Recorder("two"))):
        (error,) = _on_a_thread(get_ctx)
    assert isinstance(error, ContextError)
    assert "one, two" in str(error)
    assert "hand ctx to the thread" in str(error)


def test_the_cell_beside_a_live_session_is_outside_of_it() -> None:
    ready, done = threading.Event(), threading.Event()

    def model() -> None:
        with live_context(Context(_Recorder())):
            ready.set()
            done.wait(5)

    thread = threading.Thread(target=model)
    thread.start()
    ready.wait(5)
    try:
        with pytest.raises(ContextError, match="active session"):
            get_ctx()
    finally:
        done.set()
        thread.join()


def test_a_thread_that_loads_a_model_has_no_context_beside_a_live_one() -> None:
    def load() -> Context:
        with bind_context(None):
            return get_ctx()

    with live_context(Context(_Recorder())):
        (error,) = _on_a_thread(load)
    assert isinstance(error, ContextError)


def test_after_a_stop_the_first_emission_returns_and_the_second_raises() -> None:
    session = _Recorder()
    context = Context(session)
    session.is_stopping = True
    context.emit_block(_FRAME)
    assert len(session.blocks) == 1
    with pytest.raises(SessionStopped):
        context.emit_block(_FRAME)
    assert len(session.blocks) == 1


def test_asking_should_stop_allows_one_more_emission() -> None:
    session = _Recorder()
    context = Context(session)
    assert not context.should_stop()
    session.is_stopping = True
    for _ in range(3):
        context.emit_block(_FRAME)
        assert context.should_stop()
    assert len(session.blocks) == 3


def test_session_stopped_passes_an_except_exception() -> None:
    session = _Recorder()
    context = Context(session)
    session.is_stopping = True

    def loop() -> None:
        while True:
            try:
                context.emit_block(_FRAME)
            except Exception:
                pytest.fail("the loop caught its own stop")

    with pytest.raises(SessionStopped):
        loop()


def test_none_paints_black_at_the_last_size() -> None:
    session = _Recorder()
    Context(session).emit_block(None)
    assert session.blocks[0].frames.shape == (1, 4, 6, 3)
    assert not session.blocks[0].frames.any()


def test_a_wrong_frame_reaches_nobody() -> None:
    session = _Recorder()
    with pytest.raises(FrameShapeError):
        Context(session).emit_block(np.zeros((4, 6), np.uint8))
    assert session.blocks == []


class _Steps:
    """A Boundary that writes down when it is told."""

    def __init__(self, session: _Recorder) -> None:
        self.session = session
        self.told: list[str] = []

    def reached(self) -> None:
        self.told.append(f"reached {len(self.session.blocks)}")

    def asked(self) -> None:
        self.told.append("asked")


def test_a_boundary_is_told_when_an_emission_is_complete_and_before_the_loop_is_answered() -> None:
    session = _Recorder()
    steps = _Steps(session)
    context = Context(session, steps)
    context.emit_block(_FRAME)
    context.should_stop()
    context.emit_block(np.stack([_FRAME, _FRAME]))
    assert steps.told == ["reached 1", "asked", "reached 2"]


def test_what_a_boundary_waits_for_may_emit() -> None:
    session = _Recorder()

    class Commands(_Steps):
        def reached(self) -> None:
            if len(session.blocks) == 1:
                _on_a_thread(lambda: context.emit_block(_FRAME))

    context = Context(session, Commands(session))
    context.emit_block(_FRAME)
    assert len(session.blocks) == 2
