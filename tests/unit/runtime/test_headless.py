"""A run without a clock: every call at its frame, the same frames each time."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_nb import VideoModel, command, get_ctx, headless, model
from reactor_nb.core.session import Session
from reactor_nb.errors import (
    CallTimeoutError,
    CommandFailedError,
    ConfigError,
    ModelDefinitionError,
    ModelFailedError,
    ModelLoadError,
    ModelStuckError,
    NotStreamingError,
    ParameterError,
    UnknownCommandError,
    UsageError,
)
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.headless import ModelRun, play_script
from reactor_nb.runtime.script import Script, ScriptedCall
from tests.unit.runtime.links import MemoryLink


@model(name="walk")
class Walk(VideoModel):
    """Paints its place; `block` frames at once, each one further."""

    def __init__(self, config: Any = None) -> None:
        self.block: int = config.get("block", 1)
        self.place: int = config.get("start", 0)
        self.step = 1

    @command("move")
    def move(self, direction: Literal["left", "right"]) -> int:
        self.step = 1 if direction == "right" else -1
        get_ctx().send({"moved": direction, "at": self.place})
        return self.place

    @command("jump")
    def jump(self, to: int = 0) -> None:
        self.place = to

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            frames = np.empty((self.block, 2, 4, 3), np.uint8)
            for frame in frames:
                frame[:] = self.place % 256
                self.place += self.step
            get_ctx().emit_block(frames)


def _places(frames: list[Any]) -> list[int]:
    assert all((frame == frame[0, 0, 0]).all() for frame in frames)
    return [int(frame[0, 0, 0]) for frame in frames]


def test_a_call_for_a_frame_holds_from_that_frame_on() -> None:
    frames, messages, stats = headless(
        Walk, calls=[(3, "move", {"direction": "left"}), (5, "jump", {"to": 9})], frames=8
    )
    assert _places(frames) == [0, 1, 2, 3, 2, 9, 8, 7]
    assert messages == [{"moved": "left", "at": 3}]
    assert stats["replies"] == [
        {"frame": 3, "name": "move", "result": 3},
        {"frame": 5, "name": "jump", "result": None},
    ]
    assert (stats["state"], stats["produced"], stats["played"], stats["dropped"]) == ("ended", 8, 8, 0)


def test_a_call_inside_a_block_runs_at_its_end() -> None:
    frames, _, _ = headless(
        Walk, overrides={"block": 4}, calls=[(1, "jump", {"to": 50}), (4, "jump", {"to": 60})], frames=8
    )
    assert _places(frames) == [0, 1, 2, 3, 60, 61, 62, 63]


def test_the_rest_of_the_last_block_is_left_out() -> None:
    frames, _, stats = headless(Walk, overrides=["block=16"], frames=20)
    assert _places(frames) == list(range(20))
    assert (stats["produced"], stats["played"], stats["dropped"]) == (32, 20, 12)


def test_a_run_gives_the_same_frames_each_time() -> None:
    calls = [(frame, "move", {"direction": "left" if frame % 3 else "right"}) for frame in range(0, 60, 7)]
    first, second = headless(Walk, calls=calls, frames=60), headless(Walk, calls=calls, frames=60)
    assert np.array_equal(np.stack(first.frames), np.stack(second.frames))
    assert first.messages == second.messages


@given(st.lists(st.tuples(st.integers(0, 24), st.integers(0, 255)), max_size=12), st.integers(1, 7), st.integers(0, 24))
@settings(deadline=None, max_examples=40)
def test_every_call_is_in_effect_at_the_first_emission_after_its_frame(
    jumps: list[tuple[int, int]], block: int, extra: int
) -> None:
    most = max([frame for frame, _ in jumps], default=0) + extra
    result = headless(
        Walk, overrides={"block": block}, calls=[(frame, "jump", {"to": to}) for frame, to in jumps], frames=most
    )
    expected: list[int] = []
    place, left = 0, sorted(jumps, key=lambda jump: jump[0])
    while True:
        while left and left[0][0] <= len(expected):
            place = left.pop(0)[1]
        if len(expected) >= most:
            break
        expected += [(place + offset) % 256 for offset in range(block)]
        place += block
    assert _places(result.frames) == expected[:most]
    assert len(result.stats["replies"]) == len(jumps)


_order: list[str] = []


@model(name="orderly")
class Orderly(VideoModel):
    @command("note")
    def note(self, text: str) -> str:
        _order.append(f"{text} on {threading.current_thread().name}")
        return text

    def start_session(self) -> None:
        _order.append("start_session")
        try:
            while True:
                _order.append("emit")
                get_ctx().emit_block(None)
        finally:
            _order.append("cleaned")


def test_calls_for_frame_0_run_before_start_session_and_in_the_order_in_which_they_are_given() -> None:
    _order.clear()
    on = "on reactor-commands-orderly"
    calls = [
        (1, "note", {"text": "c"}),
        (0, "note", {"text": "b"}),
        (0, "note", {"text": "a"}),
        (1, "note", {"text": "d"}),
    ]
    headless(Orderly, calls=calls, frames=2)
    until_stopped = ["emit", "emit", "cleaned"]  # the first is dropped, the second ends the loop
    assert _order == [f"b {on}", f"a {on}", "start_session", "emit", f"c {on}", f"d {on}", "emit", *until_stopped]


def test_no_frames_are_calls_alone() -> None:
    _order.clear()
    result = headless(Orderly, calls=[(0, "note", {"text": "x"}), (0, "requestCapabilities")], frames=0)
    assert result.frames == []
    assert [reply["result"] for reply in result.stats["replies"]] == ["x", Orderly.commands()]


@model(name="emits-in-commands")
class EmitsInCommands(VideoModel):
    @command("flash")
    def flash(self) -> None:
        get_ctx().emit_block(np.full((2, 2, 3), 255, np.uint8))

    @command("later")
    async def later(self) -> str:
        await asyncio.sleep(0)
        return "awaited"

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(np.zeros((2, 2, 3), np.uint8))


def test_a_command_may_emit_and_its_frame_counts() -> None:
    frames, _, stats = headless(EmitsInCommands, calls=[(1, "flash"), (2, "later"), (3, "flash")], frames=5)
    assert _places(frames) == [0, 255, 0, 255, 0]
    assert [reply["result"] for reply in stats["replies"]] == [None, "awaited", None]


@model(name="emits-on-a-thread")
class EmitsOnAThread(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.level = 0

    @command("set")
    def set(self, level: int) -> None:
        self.level = level

    def start_session(self) -> None:
        thread = threading.Thread(target=self._emit)
        thread.start()
        thread.join()

    def _emit(self) -> None:
        ctx = get_ctx()
        while not ctx.should_stop():
            ctx.emit_block(np.full((2, 2, 3), self.level, np.uint8))


def test_calls_come_between_the_frames_of_a_thread_of_the_author() -> None:
    frames, _, _ = headless(EmitsOnAThread, calls=[(2, "set", {"level": 7})], frames=4)
    assert _places(frames) == [0, 0, 7, 7]


@model(name="fails")
class Fails(VideoModel):
    def __init__(self, config: Any = None) -> None:
        if config.get("broken"):
            raise OSError("weights.bin is missing")

    @command("explode")
    def explode(self) -> None:
        raise ZeroDivisionError("at the command")

    def start_session(self) -> None:
        for _ in range(3):
            get_ctx().emit_block(None)
        raise KeyError("in the loop")


def test_a_command_that_raises_ends_the_run_with_the_authors_traceback() -> None:
    with pytest.raises(CommandFailedError, match="explode raised ZeroDivisionError: at the command") as caught:
        headless(Fails, calls=[(1, "explode")], frames=3)
    assert "in explode" in caught.value.traceback_text


def test_a_model_that_raises_or_cannot_load_is_told_of() -> None:
    with pytest.raises(ModelFailedError, match="in the loop"):
        headless(Fails)
    with pytest.raises(ModelLoadError, match=r"weights\.bin is missing"):
        headless(Fails, overrides={"broken": True})


def test_a_call_that_the_model_did_not_reach_is_an_error() -> None:
    @model(name="short")
    class Short(VideoModel):
        @command("late")
        def late(self) -> None: ...

        def start_session(self) -> None:
            get_ctx().emit_block(np.zeros((3, 2, 2, 3), np.uint8))

    assert len(headless(Short, frames=120).frames) == 3
    with pytest.raises(
        NotStreamingError, match="late was not run: start_session of short returned after 3 frames, before"
    ):
        headless(Short, calls=[(4, "late")], frames=120)


@pytest.mark.parametrize(
    ("calls", "error", "sentence"),
    [
        ([(1, "nope")], UnknownCommandError, "Unknown command: nope. Commands: move, jump."),
        ([(1, "move", {})], ParameterError, "direction is missing"),
        ([(1, "move", {"direction": "up"})], ParameterError, "direction"),
        ([(31, "jump")], UsageError, "jump is called at frame 31, and 30 frames are played. Play more: frames=32"),
        ([(-1, "jump")], UsageError, "it needs (frame number from 0, name, parameters)"),
        ([("1", "jump")], UsageError, 'calls=[(30, "move", {"direction": "left"})]'),
        ([(True, "jump")], UsageError, "calls holds (True, 'jump')"),
        (["jump"], UsageError, "calls holds 'jump'"),
        ([(1, "jump", [3])], UsageError, "calls holds"),
        ([(1, "jump", {}, 4)], UsageError, "calls holds"),
    ],
)
def test_bad_calls_are_refused_before_anything_is_loaded(
    calls: list[Any], error: type[Exception], sentence: str
) -> None:
    loaded: list[bool] = []

    class Loads(Walk):
        def __init__(self, config: Any = None) -> None:
            loaded.append(True)

    with pytest.raises(error) as caught:
        headless(model(name="loads")(Loads), calls=calls, frames=30)
    assert sentence in str(caught.value)
    assert not loaded


def test_what_cannot_be_run_is_refused() -> None:
    class Undecorated(Walk):
        pass

    with pytest.raises(ModelDefinitionError):
        headless(Undecorated)
    with pytest.raises(UsageError, match="frames is -1; it needs a count of frames: frames=120"):
        headless(Walk, frames=-1)
    with pytest.raises(UsageError, match="frames=None plays as many frames as there are inputs"):
        headless(Walk, frames=None)
    with pytest.raises(ConfigError, match="names the configuration"):
        headless(Walk, config="missing.yaml")


def test_a_configuration_file_and_overrides_reach_the_model(tmp_path: Path) -> None:
    (tmp_path / "walk.yaml").write_text("start: 5\nblock: 2\n")
    frames, _, _ = headless(Walk, "walk.yaml", {"start": 7}, frames=3, folder=tmp_path)
    assert _places(frames) == [7, 8, 9]


def test_a_model_that_waits_without_a_frame_is_given_up_with_its_stack() -> None:
    never = threading.Event()

    @model(name="idle")
    class Idle(VideoModel):
        def start_session(self) -> None:
            get_ctx().emit_block(None)
            while not get_ctx().should_stop():
                never.wait(0.01)

    with pytest.raises(ModelStuckError, match=r"idle has emitted no frame after its first 1 for 0\.1 s") as caught:
        headless(Idle, timeout_s=0.1)
    assert "start_session" in caught.value.traceback_text


def test_a_loop_that_emits_under_the_lock_of_its_command_is_told_of() -> None:
    @model(name="locked")
    class Locked(VideoModel):
        def __init__(self, config: Any = None) -> None:
            self.lock = threading.Lock()

        @command("set")
        def set(self) -> None:
            with self.lock:
                pass

        def start_session(self) -> None:
            while not get_ctx().should_stop():
                with self.lock:
                    get_ctx().emit_block(None)

    script = Script([ScriptedCall(1, "set", {})], None, 5, lambda pixels: None, call_timeout_s=0.1)
    with pytest.raises(CallTimeoutError, match="Emit after the lock is let go"):
        play_script(script, ModelRun(Locked, None, (), None))


def test_a_session_of_the_same_name_that_plays_meanwhile_is_left_alone() -> None:
    runtime = Runtime(MemoryLink)
    try:
        session = runtime.run(Walk, overrides={"fps": 200})
        assert session.wait(5, frames=2)
        assert _places(headless(Walk, frames=3).frames) == [0, 1, 2]
        assert not session.is_over
        assert session.wait(5, frames=session.stats()["produced"] + 3)
    finally:
        runtime.close()


def test_more_messages_than_a_session_keeps_all_come() -> None:
    @model(name="chatty")
    class Chatty(VideoModel):
        def start_session(self) -> None:
            for number in range(1500):
                get_ctx().send({"number": number})
            get_ctx().emit_block(None)

    assert [message["number"] for message in headless(Chatty).messages] == list(range(1500))


def test_it_holds_nobody_and_keeps_what_the_session_noted() -> None:
    @model(name="loud")
    class Loud(VideoModel):
        def start_session(self) -> None:
            while not get_ctx().should_stop():
                get_ctx().emit_block(np.full((2, 2, 3), 2.0, np.float32))

    result = headless(Loud, overrides={"fps": 0.01}, frames=500)
    assert len(result.frames) == 500
    assert "were clipped" in result.stats["log"]


def test_a_stop_from_another_thread_ends_the_run_with_what_there_is() -> None:
    playing: list[Session] = []

    @model(name="endless")
    class Endless(VideoModel):
        def start_session(self) -> None:
            while not get_ctx().should_stop():
                get_ctx().emit_block(None)
                if not playing[0].stats()["produced"] % 10:
                    playing[0].request_stop()

    script = Script([], None, None, lambda pixels: None)
    session, _ = play_script(script, ModelRun(Endless, None, (), None), on_session=playing.append)
    assert (session.state, script.sink.counts().produced) == ("ended", 10)
