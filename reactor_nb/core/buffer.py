"""FrameSink, where a session puts its frames, and FrameBuffer, the sink inside of one process."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.frame_queue import ENDED, FrameQueue
from reactor_nb.core.frame_queue import BufferCounts as BufferCounts
from reactor_nb.core.frame_queue import BufferedFrame as BufferedFrame
from reactor_nb.core.frames import Block, DeviceLayout
from reactor_nb.core.pace import Pace
from reactor_nb.core.pacing import DEFAULT_SMOOTHNESS


class FrameSink(Protocol):
    """Where a session puts its frames. FrameBuffer is one; the media process offers another."""

    @property
    def device_layout(self) -> DeviceLayout | None:
        """How frames that are made on a device come best, and then later than emit_block returns.

        None: as RGB, and before it returns.
        """

    def reserve(self, shape: tuple[int, int, int, int]) -> NDArray[np.uint8] | None:
        """Memory of the sink's own to convert a block of `shape` (N, H, W, 3) into; None: the caller allocates.

        Never waits. Threads: the one that emits.
        """

    def put(self, block: Block) -> None:
        """Hand over a block. May wait for the clock, never for a browser; after close() it counts and drops."""

    def finish(self) -> None:
        """No more puts; what is queued is still played."""

    def close(self) -> None:
        """Drop what is queued, counted, and wake everyone who waits. Idempotent."""

    def counts(self) -> BufferCounts: ...

    def drops(self) -> dict[str, int]:
        """Why frames were dropped -> how many."""


class FrameBuffer:
    """A FrameSink and FrameSource: plans frames as they are put, and gives them out when they are due.

    Args:
        rate_fps: the most frames per second that are played.
        capacity: how many frames may wait, at most (and by default) two, or the current block and the next. A
            block larger than that goes in whole, once the buffer is empty.
        smoothness: latency against smoothness, see Pacer.
        keeps_late: give every frame out, however late its clock is, and hold the model meanwhile; without it
            overdue frames are skipped and counted.
        device_layout: see FrameSink.
    Threads: `put` on any thread, one at a time (the Context sees to it); `take` on the clock's thread;
        everything else on any.
    """

    def __init__(
        self,
        rate_fps: float,
        capacity: int | None = None,
        smoothness: float = DEFAULT_SMOOTHNESS,
        *,
        keeps_late: bool = True,
        device_layout: DeviceLayout | None = None,
    ) -> None:
        if capacity is not None and capacity < 1:
            raise ValueError(f"capacity is {capacity}; it needs at least 1 frame")
        self._capacity = capacity
        self._pace = Pace(rate_fps, smoothness)
        self._queue = FrameQueue(rate_fps, keeps_late=keeps_late)
        self._next_number = 0
        self.device_layout = device_layout

    def reserve(self, shape: tuple[int, int, int, int]) -> NDArray[np.uint8] | None:
        """None: memory of the model's process is as good as any."""
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
        arrived_s = time.monotonic()
        limit = self._capacity if self._capacity is not None else max(2, 2 * count)
        self._queue.wait_for_room(max(0, limit - count))
        first_number = self._next_number
        self._next_number += count
        self._queue.add(block, first_number, self._pace.plan(count, arrived_s))
        self._pace.hold()

    def take(self, timeout_s: float | None = None) -> BufferedFrame | None:
        """The next frame, as soon as it is due; None after close(), at the end, or after `timeout_s`.

        Threads: one clock thread. None without a timeout means that nothing will come any more (`is_over`).
        """
        return self._queue.take(timeout_s)

    def finish(self) -> None:
        """No more puts; what is queued is still played. Idempotent."""
        self._queue.finish()
        self._pace.finish()

    def close(self) -> None:
        """Drop what is queued, counted, and wake everyone who waits. Idempotent."""
        self._queue.close()
        self._pace.close()

    def counts(self) -> BufferCounts:
        """Threads: any."""
        return self._queue.counts()

    def drops(self) -> dict[str, int]:
        """Threads: any."""
        return {ENDED: self._queue.counts().dropped}

    @property
    def is_over(self) -> bool:
        """Nothing will be taken any more. Threads: any."""
        return self._queue.is_over
