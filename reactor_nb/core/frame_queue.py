"""FrameQueue: planned frames wait here until they are due; the clock takes them."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.frames import Block
from reactor_nb.core.pacing import Plan, RateLimit

ENDED = "the session has ended"
"""Why a frame was dropped that came after the end, or waited when its session was closed."""


@dataclass(frozen=True, slots=True)
class BufferCounts:
    """Frames of a session so far. What is in none of `played`, `dropped` and `skipped` still waits.

    `dropped`: came after the end, or waited when it was closed. `skipped`: overdue, as the clock was late, and
    followed by a frame that was due as well.
    """

    produced: int = 0
    played: int = 0
    dropped: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class BufferedFrame:
    """One frame whose time has come.

    `pixels`: (H, W, 3) uint8, to be read only. `number`: counts from 0 within the session, dropped frames
    included. Each time is of time.monotonic(): `emitted_s` when emit_block was called, `converted_s` when the
    frame was copied and converted, `due_s` when it was to be shown, `played_s` when it was taken; nan is unknown.
    """

    pixels: NDArray[np.uint8]
    number: int
    emitted_s: float
    played_s: float
    converted_s: float = math.nan
    due_s: float = math.nan


class FrameSource(Protocol):
    """What a clock plays."""

    def take(self, timeout_s: float | None = None) -> BufferedFrame | None:
        """The next frame, as soon as it is due; None at the end, or after `timeout_s`."""

    def close(self) -> None:
        """Drop what is queued, counted, and wake everyone who waits. Idempotent."""


@dataclass(slots=True)
class _Queued:
    block: Block
    first_number: int
    plan: Plan
    taken: int = 0

    @property
    def due_s(self) -> float:
        return self.plan.due_s(self.taken)


class FrameQueue:
    """Gives frames out when they are due, in order, each once, never above `rate_fps`.

    A clock that wakes up late makes up for one interval. When it was away for longer, the frames that are
    overdue beyond the newest are skipped and counted, so that the picture is up to date at once.

    Args:
        keeps_late: skip nothing: every frame is given out, however late, at the rate.
        now: the monotonic clock in which frames are planned.
    Threads: `take` on one clock's thread; everything else on any. One lock guards every field.
    """

    def __init__(self, rate_fps: float, *, keeps_late: bool = False, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = RateLimit(rate_fps)
        self._keeps_late = keeps_late
        self._now = now
        self._changed = threading.Condition()
        self._blocks: deque[_Queued] = deque()
        self._waiting = 0
        self._produced = 0
        self._played = 0
        self._dropped = 0
        self._skipped = 0
        self._is_finished = False
        self._is_closed = False

    def add(self, block: Block, first_number: int, plan: Plan) -> None:
        """Queue a block whose frames are numbered from `first_number`; after the end it is counted and dropped.

        Never waits.
        """
        count = len(block)
        if not count:
            return
        with self._changed:
            self._produced += count
            if self._is_closed or self._is_finished:
                self._dropped += count
                return
            self._blocks.append(_Queued(block, first_number, plan))
            self._waiting += count
            # Here as well, so that a clock that is stuck keeps no memory of what it will never show.
            self._skip(self._now())
            self._changed.notify_all()

    def take(self, timeout_s: float | None = None) -> BufferedFrame | None:
        """The next frame, as soon as it is due; None after close(), at the end, or after `timeout_s`.

        None without a timeout means that nothing will come any more (`is_over`).
        """
        deadline_s = None if timeout_s is None else self._now() + timeout_s
        with self._changed:
            while not self._is_at_end:
                now_s = self._now()
                if self._blocks:
                    self._skip(now_s)
                    if self._head_s <= now_s:
                        return self._pop(now_s)
                if deadline_s is not None and now_s >= deadline_s:
                    return None
                until_s = min(self._head_s, math.inf if deadline_s is None else deadline_s)
                self._changed.wait(min(until_s - now_s, threading.TIMEOUT_MAX))
            return None

    def wait_for_room(self, most_waiting: int) -> bool:
        """Wait until at most `most_waiting` frames wait; False when the end came first."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._is_finished or self._waiting <= most_waiting)
            return not (self._is_closed or self._is_finished)

    def finish(self) -> None:
        """Nothing more will be added; what is queued is still given out. Idempotent."""
        with self._changed:
            self._is_finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Drop what is queued, counted, and wake everyone who waits. Idempotent."""
        with self._changed:
            self._is_closed = True
            self._dropped += self._waiting
            self._waiting = 0
            self._blocks.clear()
            self._changed.notify_all()

    def counts(self) -> BufferCounts:
        with self._changed:
            return BufferCounts(self._produced, self._played, self._dropped, self._skipped)

    @property
    def waiting(self) -> int:
        """How many frames wait."""
        with self._changed:
            return self._waiting

    @property
    def due_s(self) -> float:
        """When the next frame is to be taken; infinity while none waits."""
        with self._changed:
            return self._head_s

    @property
    def is_over(self) -> bool:
        """Nothing will be taken any more."""
        with self._changed:
            return self._is_at_end

    @property
    def _is_at_end(self) -> bool:
        return self._is_closed or (self._is_finished and not self._blocks)

    @property
    def _head_s(self) -> float:
        return max(self._blocks[0].due_s, self._limit.earliest_s) if self._blocks else math.inf

    def _skip(self, now_s: float) -> None:
        """When more is overdue than can be made up for, go on with the newest frame that is due."""
        if self._keeps_late or self._following_s() >= now_s - self._limit.least_s / 2:
            return
        while self._following_s() <= now_s:
            self._advance()
            self._skipped += 1
        self._changed.notify_all()

    def _following_s(self) -> float:
        """When the frame after the head is due; infinity if there is none."""
        head = self._blocks[0]
        if head.taken + 1 < len(head.block):
            return head.plan.due_s(head.taken + 1)
        return self._blocks[1].due_s if len(self._blocks) > 1 else math.inf

    def _pop(self, now_s: float) -> BufferedFrame:
        head = self._blocks[0]
        self._limit.count(head.due_s, now_s)
        frame = BufferedFrame(
            head.block.frames[head.taken],
            head.first_number + head.taken,
            head.block.emitted_s,
            now_s,
            converted_s=head.block.converted_s,
            due_s=head.due_s,
        )
        self._advance()
        self._played += 1
        self._changed.notify_all()
        return frame

    def _advance(self) -> None:
        head = self._blocks[0]
        head.taken += 1
        if head.taken == len(head.block):
            self._blocks.popleft()
        self._waiting -= 1
