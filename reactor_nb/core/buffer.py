"""FrameBuffer: the bounded hand-off of frames from the model's thread to the clock."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.frames import Block
from reactor_nb.core.pacing import Pacer


@dataclass(frozen=True, slots=True)
class BufferCounts:
    """Frames of a session so far. What is in none of `played` and `dropped` still waits."""

    produced: int = 0
    played: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class BufferedFrame:
    """One frame whose time has come.

    `pixels`: (H, W, 3) uint8, to be read only. `number`: counts from 0 within the session, dropped frames
    included. `emitted_s`, `played_s`: time.monotonic() of emission and of being taken.
    """

    pixels: NDArray[np.uint8]
    number: int
    emitted_s: float
    played_s: float


class FrameSink(Protocol):
    """Where a session puts its frames. FrameBuffer is one; a media process may offer another."""

    def reserve(self, shape: tuple[int, int, int, int]) -> NDArray[np.uint8] | None:
        """Memory of the sink's own to convert a block of (N, H, W, 3) into; None: the caller allocates."""

    def put(self, block: Block) -> None:
        """Hand over a block. May wait for the clock, never for a browser; after close() it counts and drops."""

    def finish(self) -> None:
        """No more puts; what is queued is still played."""

    def close(self) -> None:
        """Drop what is queued, counted, and wake everyone who waits. Idempotent."""

    def counts(self) -> BufferCounts: ...


@dataclass(slots=True)
class _Queued:
    block: Block
    first_number: int
    arrived_s: float
    taken: int = 0


class FrameBuffer:
    """A FrameSink that plays frames when they are due.

    Args:
        rate_fps: the most frames per second that are played.
        capacity: how many frames may wait; by default two, or the current block and the next. A block
            larger than that goes in whole, once the buffer is empty.
    Threads: `put` on any thread, one at a time (the Context sees to it); `take` on the clock's thread;
        everything else on any. One lock guards every field.
    """

    def __init__(self, rate_fps: float, capacity: int | None = None) -> None:
        if capacity is not None and capacity < 1:
            raise ValueError(f"capacity is {capacity}; it needs at least 1 frame")
        self._capacity = capacity
        self._pacer = Pacer(rate_fps)
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._filled = threading.Condition(self._lock)
        self._blocks: deque[_Queued] = deque()
        self._waiting = 0
        self._produced = 0
        self._played = 0
        self._dropped = 0
        self._is_finished = False
        self._is_closed = False

    def reserve(self, shape: tuple[int, int, int, int]) -> NDArray[np.uint8] | None:
        """None: inside one process a block on the heap is as good."""
        return None

    def put(self, block: Block) -> None:
        """Queue a block, and hold a fast model until it is time to make its next one.

        Returns at once when the model is slower than the rate. A model that is faster is held by the clock:
        it gets control back just early enough, by the time its last emissions took, for its next frame to be
        made when the queue runs empty. So a frame does not grow old in the queue.
        """
        count = len(block)
        if not count:
            return
        with self._lock:
            arrived_s = time.monotonic()
            self._pacer.arrive(count, self._waiting, arrived_s)
            limit = self._capacity if self._capacity is not None else max(2, 2 * count)
            self._room.wait_for(lambda: self._is_over or not self._waiting or self._waiting + count <= limit)
            first_number = self._produced
            self._produced += count
            if self._is_over:
                self._dropped += count
                return
            self._blocks.append(_Queued(block, first_number, arrived_s))
            self._waiting += count
            self._filled.notify_all()
            while not self._is_over:
                head_s = self._blocks[0].arrived_s if self._blocks else arrived_s
                hold_s = self._pacer.release_due_s(self._waiting, head_s) - time.monotonic()
                if hold_s <= 0:
                    break
                self._room.wait(hold_s)
            self._pacer.release(time.monotonic())

    def take(self, timeout_s: float | None = None) -> BufferedFrame | None:
        """The next frame, as soon as it is due; None after close(), at the end, or after `timeout_s`.

        Threads: one clock thread. None without a timeout means that nothing will come any more (`is_over`).
        """
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        with self._lock:
            while True:
                if self._is_closed or (self._is_finished and not self._blocks):
                    return None
                now_s = time.monotonic()
                until_s = deadline_s
                if self._blocks:
                    due_s = self._pacer.due_s(self._blocks[0].arrived_s)
                    if due_s <= now_s:
                        return self._pop(due_s, now_s)
                    until_s = due_s if deadline_s is None else min(due_s, deadline_s)
                if deadline_s is not None and now_s >= deadline_s:
                    return None
                self._filled.wait(None if until_s is None else until_s - now_s)

    def finish(self) -> None:
        """No more puts; what is queued is still played. Idempotent."""
        with self._lock:
            self._is_finished = True
            self._room.notify_all()
            self._filled.notify_all()

    def close(self) -> None:
        """Drop what is queued, counted, and wake everyone who waits. Idempotent."""
        with self._lock:
            self._is_closed = True
            self._dropped += self._waiting
            self._waiting = 0
            self._blocks.clear()
            self._room.notify_all()
            self._filled.notify_all()

    def counts(self) -> BufferCounts:
        """Threads: any."""
        with self._lock:
            return BufferCounts(self._produced, self._played, self._dropped)

    @property
    def is_over(self) -> bool:
        """Nothing will be taken any more. Threads: any."""
        with self._lock:
            return self._is_closed or (self._is_finished and not self._blocks)

    @property
    def _is_over(self) -> bool:
        return self._is_closed or self._is_finished

    def _pop(self, due_s: float, now_s: float) -> BufferedFrame:
        head = self._blocks[0]
        pixels = head.block.frames[head.taken]
        frame = BufferedFrame(pixels, head.first_number + head.taken, head.block.emitted_s, now_s)
        head.taken += 1
        if head.taken == len(head.block):
            self._blocks.popleft()
        self._waiting -= 1
        self._played += 1
        self._pacer.play(due_s, now_s)
        self._room.notify_all()
        return frame
