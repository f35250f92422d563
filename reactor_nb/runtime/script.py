"""Script: the calls and input frames of a run without a clock, each at its frame."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.command import BUILT_IN, commands_of, find_command
from reactor_nb.core.frame_queue import ENDED, BufferCounts
from reactor_nb.core.frames import Block
from reactor_nb.core.model import VideoModel
from reactor_nb.core.session import Session
from reactor_nb.errors import CallTimeoutError, NotStreamingError, UsageError

CALL_TIMEOUT_S = 60.0
# A loop that asks should_stop() twice in a turn is at work; one that asks this often without a frame waits for input.
_TURNS_OF_WAITING = 8
_END_OF_INPUT_S = 5.0
_EXAMPLE = 'calls=[(30, "move", {"direction": "left"})]'


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A call for a frame: it runs after the frame before was emitted, and before that emit_block returns."""

    frame: int
    name: str
    params: Mapping[str, Any]


Keep: TypeAlias = Callable[[NDArray[np.uint8]], None]
"""Takes one (H, W, 3) uint8 frame, its own from then on; on the emitting thread, which it may hold."""


class ScriptSink:
    """A FrameSink without a clock: hands every frame up to `most_frames` on. Threads: any."""

    def __init__(self, most_frames: int | None, keep: Keep) -> None:
        self._most = most_frames
        self._keep = keep
        self._lock = threading.Lock()
        self._produced = 0
        self._kept = 0
        self._is_closed = False
        self.device_layout = None

    def reserve(self, shape: tuple[int, int, int, int]) -> None:
        """The caller allocates."""

    def put(self, block: Block) -> None:
        with self._lock:
            self._produced += len(block)
            if self._is_closed:
                return
            kept = block.frames[: None if self._most is None else self._most - self._kept]
            self._kept += len(kept)
        for pixels in kept:
            self._keep(pixels)

    def finish(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        with self._lock:
            self._is_closed = True

    def counts(self) -> BufferCounts:
        with self._lock:
            return BufferCounts(self._produced, self._kept, self._produced - self._kept)

    def drops(self) -> dict[str, int]:
        return {ENDED: self.counts().dropped}


class Script:
    """A Boundary that performs calls and shows input frames, and stops the session at its last frame.

    At frame n run first the calls for n, in the order in which they were given, then the next input frame is shown;
    n counts from 0, before start_session. A loop that asks should_stop() time and again without emitting waits
    for input: it is shown the next frame. Calls run on the session's command thread, as everywhere.

    Args:
        frames: how many to play at most; None for no limit.
        keep: takes each frame.
        ends_with_inputs: whether it is over when a frame was emitted for the last input.
    Threads: `reached` and `asked` on the author's; the fields are read when the session is over.
    """

    def __init__(
        self,
        calls: Iterable[ScriptedCall],
        inputs: Iterator[NDArray[np.uint8]] | None,
        frames: int | None,
        keep: Keep,
        *,
        ends_with_inputs: bool = False,
        call_timeout_s: float = CALL_TIMEOUT_S,
    ) -> None:
        self.sink = ScriptSink(frames, keep)
        self.replies: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.session: Session
        self._calls = deque(sorted(calls, key=lambda call: call.frame))
        self._inputs = inputs
        self._frames = frames
        self._ends_with_inputs = ends_with_inputs
        self._call_timeout_s = call_timeout_s
        self._performing = threading.Lock()
        self._boundary = 0  # the next one to be performed
        self._shown = 0
        self._turns = 0
        self._turns_at = 0
        self._emitted_s = time.monotonic()

    @property
    def left(self) -> tuple[ScriptedCall, ...]:
        """The calls whose frame did not come."""
        return tuple(self._calls)

    def reached(self) -> None:
        self._emitted_s = time.monotonic()
        is_model = self.session.loaded.is_current()
        while self._boundary <= self._produced() and self.error is None:
            # A command that emits is waited for by whoever performs it, who goes on with what is due then.
            if not self._performing.acquire(blocking=is_model):
                return
            try:
                while self._boundary <= self._produced() and self.error is None:
                    self._perform(self._boundary)
                    self._boundary += 1
            finally:
                self._performing.release()
        if self._is_complete():
            self.session.request_stop()

    def asked(self) -> None:
        if self._shown == 0 or not self.session.loaded.is_current():
            return
        produced = self._produced()
        if produced != self._turns_at:
            self._turns, self._turns_at = 0, produced
        self._turns += 1
        if self._turns < _TURNS_OF_WAITING:
            return
        if self._inputs is not None:
            self._turns = 0
            with self._performing:
                self._show_next()
        elif time.monotonic() - self._emitted_s > _END_OF_INPUT_S:
            self.session.request_stop()

    def _produced(self) -> int:
        return self.sink.counts().produced

    def _is_complete(self) -> bool:
        produced = self._produced()
        if self._frames is not None and produced >= self._frames:
            return True
        return self._ends_with_inputs and self._inputs is None and produced >= self._shown

    def _perform(self, boundary: int) -> None:
        while self._calls and self._calls[0].frame <= boundary and self.error is None:
            self._call(self._calls.popleft())
        if self._frames is None or boundary < self._frames:
            self._show_next()

    def _call(self, call: ScriptedCall) -> None:
        try:
            result = self._answered(call.name, self.session.submit(call.name, call.params))
        except Exception as error:
            self._fail(error)
        else:
            self.replies.append({"frame": call.frame, "name": call.name, "result": result})

    def _show_next(self) -> None:
        if self._inputs is None or self.error is not None:
            return
        try:
            frame = next(self._inputs, None)
            if frame is None:
                self._inputs = None
                return
            self._answered("on_frame", self.session.show(frame))
            self._shown += 1
        except Exception as error:
            self._fail(error)

    def _answered(self, name: str, answer: Any) -> Any:
        try:
            return answer.result(self._call_timeout_s)
        except TimeoutError:
            if answer.done():
                raise
            raise CallTimeoutError(
                f"{name} has not returned within {self._call_timeout_s:g} s, and emit_block waits for it. Does "
                "start_session hold a lock that it needs? Emit after the lock is let go."
            ) from None

    def _fail(self, error: Exception) -> None:
        # A call that a stop from outside has answered is no error of its own.
        if not (isinstance(error, NotStreamingError) and self.session.state == "stopping"):
            self.error = error
        self.session.request_stop()


def checked_calls(cls: type[VideoModel], calls: Iterable[Any], frames: int | None) -> list[ScriptedCall]:
    """Calls as they are given to `headless`, each with a known command and parameters that it takes.

    Raises:
        UsageError: no (frame, name, params), or a frame that is not played.
        UnknownCommandError, ParameterError: as `session.send`.
    """
    commands = commands_of(cls)
    checked = []
    for given in calls:
        call = _scripted(given)
        if frames is not None and call.frame > frames:
            raise UsageError(
                f"{call.name} is called at frame {call.frame}, and {frames} frames are played. Play more: "
                f"frames={call.frame + 1}"
            )
        if call.name != BUILT_IN:
            find_command(commands, call.name).validate(call.params)
        checked.append(call)
    return checked


def _scripted(given: Any) -> ScriptedCall:
    if isinstance(given, (tuple, list)) and len(given) in (2, 3):
        frame, name, params = (*given, {})[:3]
        is_number = isinstance(frame, (int, np.integer)) and not isinstance(frame, bool)
        if is_number and frame >= 0 and isinstance(name, str) and isinstance(params, Mapping):
            return ScriptedCall(int(frame), name, dict(params))
    raise UsageError(f"calls holds {repr(given)[:80]}; it needs (frame number from 0, name, parameters): {_EXAMPLE}")
