"""One run of a model from its start to its end, on real threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from reactor_nb import VideoModel, command, get_ctx, model
from reactor_nb.core.events import SessionEvent
from reactor_nb.core.session import Session
from reactor_nb.errors import (
    CallTimeoutError,
    ContextError,
    ModelFailedError,
    ModelLoadError,
    NotStreamingError,
    WrongThreadError,
)
from tests.support.eventually import eventually
from tests.unit.core.stage import staged

_FRAME = np.zeros((4, 6, 3), np.uint8)


@model(name="plasma")
class Plasma(VideoModel):
    def start_session(self) -> None:
        level = 0
        while not get_ctx().should_stop():
            get_ctx().emit_block(np.full((4, 6, 3), level % 256, np.uint8))
            level += 1


def test_a_session_goes_through_its_states_and_tells_of_them_in_order() -> None:
    with staged(Plasma) as stage:
        session = stage.session()
        events: list[SessionEvent] = []
        session.subscribe(events.append)
        assert session.state == "loading"
        session.start()
        assert session.wait_ready(5)
        assert session.wait(5, frames=3)
        session.stop()
        assert session.state == "ended"
        assert session.is_over
        assert session.error is None
        told = [event.data.get("state", event.kind) for event in events]
        assert told == ["ready", "frame_size", "streaming", "first_frame", "stopping", "ended"]
        assert events[1].data == {"width_px": 6, "height_px": 4}
        assert repr(session) == f"<Session {session.id} of plasma: ended>"


def test_a_session_ends_once_and_the_next_plays_the_same_instance() -> None:
    with staged(Plasma) as stage:
        first = stage.play()
        assert first.wait(5, frames=1)
        first.stop()
        first.stop()
        second = stage.play()
        assert second.wait(5, frames=1)
        assert second.id > first.id
        assert (first.state, second.state) == ("ended", "streaming")


def test_the_buffer_holds_a_fast_model_and_its_frames_arrive_in_order() -> None:
    with staged(Plasma, rate_fps=100) as stage:
        session = stage.play()
        assert session.wait(5, frames=20)
        session.stop()
        stats = session.stats()
        assert [frame.number for frame in stage.shown] == list(range(len(stage.shown)))
        assert [int(frame.pixels[0, 0, 0]) for frame in stage.shown] == list(range(len(stage.shown)))
        assert stats["produced"] == stats["played"] + stats["dropped"]
        assert stats["max_fps"] == 100


@model(name="ignores-stops")
class WhileTrue(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.was_cleaned = False

    def start_session(self) -> None:
        try:
            while True:
                get_ctx().emit_block(_FRAME)
        finally:
            self.was_cleaned = True


def test_a_loop_that_never_asks_is_ended_by_its_second_emission() -> None:
    with staged(WhileTrue) as stage:
        session = stage.play()
        assert session.wait(5, frames=2)
        session.stop()
        assert session.state == "ended"
        assert session.error is None
        assert session.stats()["dropped"] >= 1
        instance = stage.loaded.instance
        assert isinstance(instance, WhileTrue)
        assert instance.was_cleaned


def test_a_stop_while_the_model_loads_ends_at_once_and_loading_goes_on() -> None:
    go = threading.Event()

    @model(name="slow")
    class Slow(VideoModel):
        def __init__(self, config: Any = None) -> None:
            go.wait(10)

        def start_session(self) -> None:
            raise AssertionError("it was stopped before")

    with staged(Slow) as stage:
        stage.free.append(go.set)
        session = stage.play()
        assert session.state == "loading"
        session.stop()
        assert session.state == "ended"
        assert not session.wait_ready(1)
        go.set()
        stage.loaded.ready.result(5)
        assert session.state == "ended"


@model(name="returns")
class Returns(VideoModel):
    def start_session(self) -> None:
        return


def test_a_model_that_returns_at_once_ends_normally_with_a_note() -> None:
    with staged(Returns) as stage:
        session = stage.play()
        session.result(5)
        assert session.state == "ended"
        assert "without emitting a frame" in session.log.text()
        assert "while not get_ctx().should_stop()" in session.log.text()
        assert session.frame() is None
        with pytest.raises(NotStreamingError):
            session.snapshot()


@model(name="three-frames")
class ThreeFrames(VideoModel):
    def start_session(self) -> None:
        for level in (1, 2, 3):
            get_ctx().emit_block(np.full((4, 6, 3), level, np.uint8))


def test_what_a_model_that_returns_has_queued_is_still_played() -> None:
    with staged(ThreeFrames, rate_fps=50) as stage:
        session = stage.play()
        session.result(5)
        eventually(lambda: len(stage.shown) == 3)
        assert session.stats()["dropped"] == 0
        assert "without emitting" not in session.log.text()


@pytest.mark.parametrize("good_frames", [0, 1000])
def test_a_model_that_raises_fails_with_the_authors_traceback(good_frames: int) -> None:
    @model(name="raises")
    class Raises(VideoModel):
        def start_session(self) -> None:
            block = np.zeros((20, 2, 2, 3), np.uint8)
            for _ in range(good_frames // len(block)):
                get_ctx().emit_block(block)
            raise ZeroDivisionError(f"at frame {good_frames}")

    with staged(Raises, rate_fps=10_000) as stage:
        session = stage.play()
        with pytest.raises(ModelFailedError, match=f"at frame {good_frames}") as caught:
            session.result(10)
        assert session.state == "failed"
        assert session.stats()["produced"] == good_frames
        assert caught.value is not session.error
        assert isinstance(session.error, ModelFailedError)
        assert "raise ZeroDivisionError" in session.error.traceback_text
        assert session.error.__traceback__ is None
        again = stage.play()
        assert not again.wait(0, frames=10_000)
        with pytest.raises(ModelFailedError):
            again.result(10)


def test_a_wrong_frame_fails_the_session_with_its_mend() -> None:
    @model(name="gray")
    class Gray(VideoModel):
        def start_session(self) -> None:
            get_ctx().emit_block(np.zeros((8, 64, 64), np.uint8))

    with staged(Gray) as stage:
        session = stage.play()
        with pytest.raises(ModelFailedError, match=r"shape \(8, 64, 64\)"):
            session.result(5)
        assert session.error is not None
        assert "np.repeat(frames[..., None], 3, axis=-1)" in str(session.error)


def test_a_model_that_cannot_load_fails_its_session() -> None:
    @model(name="broken")
    class Broken(VideoModel):
        def __init__(self, config: Any = None) -> None:
            raise OSError("weights.bin is missing")

        def start_session(self) -> None: ...

    with staged(Broken) as stage:
        session = stage.play()
        with pytest.raises(ModelLoadError, match=r"weights\.bin is missing"):
            session.result(5)
        assert session.state == "failed"
        assert not session.wait_ready(1)


@model(name="shapes")
class Shapes(VideoModel):
    def start_session(self) -> None:
        ctx = get_ctx()
        ctx.emit_block(np.zeros((4, 6, 3), np.uint8))
        ctx.emit_block(np.empty((0, 4, 6, 3), np.uint8))
        ctx.emit_block(np.full((2, 10, 12, 3), 9, np.uint8))
        ctx.emit_block(None)


def test_a_new_size_plays_and_is_told_and_none_paints_black_at_it() -> None:
    with staged(Shapes) as stage:
        session = stage.session()
        sizes: list[tuple[int, int]] = []
        session.subscribe(
            lambda event: (
                sizes.append((event.data["width_px"], event.data["height_px"])) if event.kind == "frame_size" else None
            )
        )
        session.start()
        session.result(5)
        eventually(lambda: len(stage.shown) == 4)
        assert sizes == [(6, 4), (12, 10)]
        assert [frame.pixels.shape[:2] for frame in stage.shown] == [(4, 6), (10, 12), (10, 12), (10, 12)]
        assert [int(frame.pixels.max()) for frame in stage.shown] == [0, 9, 9, 0]
        stats = session.stats()
        assert (stats["width_px"], stats["height_px"], stats["empty_blocks"]) == (12, 10, 1)


def test_black_before_the_first_frame_is_640_by_480() -> None:
    @model(name="black")
    class Black(VideoModel):
        def start_session(self) -> None:
            get_ctx().emit_block(None)

    with staged(Black) as stage:
        session = stage.play()
        session.result(5)
        frame = session.frame()
        assert frame is not None
        assert frame.shape == (480, 640, 3)


def test_values_out_of_range_are_warned_of_once_and_counted() -> None:
    @model(name="loud")
    class Loud(VideoModel):
        def start_session(self) -> None:
            for value in (2.0, 2.0, np.nan, np.nan):
                get_ctx().emit_block(np.full((2, 2, 3), value, np.float32))

    with staged(Loud) as stage:
        session = stage.play()
        session.result(5)
        stats = session.stats()
        assert (stats["clipped_values"], stats["nan_values"]) == (24, 24)
        assert session.log.text().count("were clipped") == 1
        assert session.log.text().count("were NaN") == 1
        assert "value_range=(-1, 1)" in session.log.text()


def test_frame_is_an_exact_copy_of_the_newest() -> None:
    with staged(ThreeFrames) as stage:
        session = stage.play()
        session.result(5)
        frame = session.frame()
        assert frame is not None
        assert (frame == 3).all()
        frame[:] = 0
        again = session.frame()
        assert again is not None
        assert (again == 3).all()
        still = session.snapshot()
        assert (still.number, int(still.pixels.max())) == (2, 3)


def test_a_snapshot_is_told_to_whoever_keeps_posters() -> None:
    with staged(ThreeFrames) as stage:
        session = stage.play()
        session.result(5)
        events: list[SessionEvent] = []
        leave = session.subscribe(events.append)
        still = session.snapshot()
        leave()
        session.snapshot()
        assert [event.data for event in events] == [{"still": still}]


@model(name="speaks")
class Speaks(VideoModel):
    def start_session(self) -> None:
        ctx = get_ctx()
        for number in range(3):
            ctx.send({"number": np.int64(number), "array": np.arange(2)})
        while not ctx.should_stop():
            ctx.emit_block(_FRAME)


def test_messages_are_iterated_from_the_first_to_the_end_of_the_session() -> None:
    with staged(Speaks) as stage:
        session = stage.play()
        wanted = [{"number": number, "array": [0, 1]} for number in range(3)]
        assert session.wait(5, frames=1)
        assert list(session.messages(timeout_s=0.05)) == wanted
        collected: list[dict[str, Any]] = []
        reader = threading.Thread(target=lambda: collected.extend(session.messages()))
        reader.start()
        session.stop()
        reader.join(5)
        assert not reader.is_alive()
        assert collected == wanted


def test_what_json_cannot_hold_is_not_sent() -> None:
    @model(name="mumbles")
    class Mumbles(VideoModel):
        def start_session(self) -> None:
            get_ctx().send({"thing": object()})

    with staged(Mumbles) as stage:
        session = stage.play()
        with pytest.raises(ModelFailedError, match="which JSON cannot hold"):
            session.result(5)


def test_a_listener_that_raises_is_logged_and_breaks_nothing() -> None:
    with staged(ThreeFrames) as stage:
        session = stage.session()
        kinds: list[str] = []

        def broken(event: SessionEvent) -> None:
            raise KeyError(event.kind)

        session.subscribe(broken)
        session.subscribe(lambda event: kinds.append(event.kind))
        session.start()
        session.result(5)
        assert kinds == ["state", "frame_size", "state", "first_frame", "state"]
        assert "a listener failed" in session.log.text()
        assert "KeyError" in session.log.text()


def test_waiting_ends_by_its_timeout() -> None:
    with staged(Plasma) as stage:
        session = stage.play()
        assert not session.wait(0.01)
        assert not session.wait(0.01, frames=10**9)
        with pytest.raises(CallTimeoutError, match=r"session\.stop\(\)"):
            session.result(0.01)
        assert list(session.messages(0.01)) == []


def test_waiting_for_frames_ends_with_the_session() -> None:
    with staged(ThreeFrames) as stage:
        session = stage.play()
        assert session.wait(5, frames=3)
        assert not session.wait(5, frames=4)


def test_a_model_that_waits_for_its_own_session_is_refused() -> None:
    asked: list[Session] = []

    @model(name="narcissus")
    class Narcissus(VideoModel):
        def start_session(self) -> None:
            asked[0].stop()
            asked[0].wait()

    with staged(Narcissus) as stage:
        asked.append(stage.session())
        asked[0].start()
        with pytest.raises(ModelFailedError, match=WrongThreadError.__name__):
            asked[0].result(5)


def test_monitoring_freezes_and_starts_the_rate() -> None:
    step, done = threading.Semaphore(0), threading.Semaphore(0)

    @model(name="pauses")
    class Pauses(VideoModel):
        def start_session(self) -> None:
            ctx = get_ctx()
            while not ctx.should_stop():
                for _ in range(5):
                    ctx.emit_block(_FRAME)
                ctx.disable_monitoring()
                done.release()
                step.acquire(timeout=10)
                ctx.emit_block(_FRAME)
                ctx.enable_monitoring()
                done.release()
                step.acquire(timeout=10)

    with staged(Pauses, rate_fps=50) as stage:
        stage.free.append(lambda: step.release(100))
        session = stage.play()
        assert done.acquire(timeout=5)
        frozen_fps = session.stats()["rate_fps"]
        assert frozen_fps > 0
        assert session.stats()["rate_fps"] == frozen_fps
        step.release()
        assert done.acquire(timeout=5)
        assert session.stats()["rate_fps"] == 0


def test_a_thread_of_the_author_emits_and_is_told_of_the_end() -> None:
    late: list[BaseException] = []
    go_on = threading.Event()
    over = threading.Event()

    @model(name="threads")
    class Threads(VideoModel):
        def start_session(self) -> None:
            thread = threading.Thread(target=self.emit, name="authors-own")
            thread.start()
            while not get_ctx().should_stop():
                go_on.wait(0.01)

        def emit(self) -> None:
            ctx = get_ctx()
            try:
                while True:
                    ctx.emit_block(_FRAME)
            except BaseException as error:
                late.append(error)
            over.wait(10)
            try:
                ctx.send({"too": "late"})
            except ContextError as error:
                late.append(error)

    with staged(Threads) as stage:
        stage.free.append(over.set)
        session = stage.play()
        assert session.wait(5, frames=3)
        go_on.set()
        session.stop()
        over.set()
        eventually(lambda: len(late) == 2)
        assert [type(error).__name__ for error in late] == ["SessionStopped", "ContextError"]


def test_an_ended_session_keeps_its_newest_frame_exact_and_small() -> None:
    @model(name="smooth")
    class Smooth(VideoModel):
        def start_session(self) -> None:
            frame = np.broadcast_to(np.arange(320, dtype=np.uint8)[None, :, None], (240, 320, 3))
            get_ctx().emit_block(frame)

    with staged(Smooth) as stage:
        session = stage.play()
        assert session.wait(5)
        frame = session.frame()
        assert frame is not None
        assert np.array_equal(frame[7, :, 1], np.arange(320, dtype=np.uint8))
        frame[:] = 0  # a copy, to be written to
        stats = session.stats()
        assert (stats["width_px"], stats["height_px"]) == (320, 240)


def test_an_emitted_none_is_told_once() -> None:
    @model(name="forgetful")
    class Forgetful(VideoModel):
        def start_session(self) -> None:
            for _ in range(3):
                get_ctx().emit_block(None)

    with staged(Forgetful) as stage:
        session = stage.play()
        assert session.wait(5)
        assert session.log.text().count("paints black") == 1


def test_send_waits_while_the_model_loads() -> None:
    @model(name="heavy")
    class Heavy(VideoModel):
        def __init__(self, config: Any) -> None:
            threading.Event().wait(0.3)

        @command("ask")
        def ask(self) -> str:
            return "answered"

        def start_session(self) -> None:
            while not get_ctx().should_stop():
                get_ctx().emit_block(None)

    with staged(Heavy) as stage:
        session = stage.play()
        assert session.state == "loading"
        assert session.send("ask", 5) == "answered"
