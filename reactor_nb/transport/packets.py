"""Encoded frames on their way from an encoder's thread to one peer on the loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from reactor_nb.media.encoders import EncodedFrame

CAPACITY = 8
"""A peer that is this many frames behind has stalled; it goes on with a keyframe."""


class PacketQueue:
    """A bounded hand-over that only lets through what can be decoded.

    A keyframe replaces all that waits. When the queue is full everything is dropped, a keyframe is asked
    for, and nothing passes until it comes. Dropped frames are counted in `skipped`.

    Args:
        request_keyframe: called on the thread of push(); must not wait.

    Threads: made and read on the loop; push() and close() from any.
    """

    def __init__(self, request_keyframe: Callable[[], None], capacity: int = CAPACITY) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._request_keyframe = request_keyframe
        self._capacity = capacity
        self._lock = threading.Lock()
        self._frames: deque[EncodedFrame] = deque()
        self._needs_keyframe = True
        self._is_closed = False
        self.skipped = 0

    def push(self, frame: EncodedFrame) -> int:
        """Queue a frame; how many were dropped for it, itself included. After close() it is dropped and counted."""
        is_overflow = False
        with self._lock:
            skipped_before = self.skipped
            if self._is_closed or (self._needs_keyframe and not frame.is_keyframe):
                self.skipped += 1
                return 1
            if frame.is_keyframe:
                self.skipped += len(self._frames)
                self._frames.clear()
                self._needs_keyframe = False
            elif len(self._frames) >= self._capacity:
                self.skipped += len(self._frames) + 1
                self._frames.clear()
                self._needs_keyframe = is_overflow = True
            if not is_overflow:
                was_empty = not self._frames
                self._frames.append(frame)
                if was_empty:
                    self._wake()
            skipped = self.skipped - skipped_before
        if is_overflow:
            self._request_keyframe()
        return skipped

    def pause(self) -> None:
        """Drop what waits and begin again with the next keyframe: the view is not sent what comes in between."""
        with self._lock:
            self.skipped += len(self._frames)
            self._frames.clear()
            self._needs_keyframe = True

    async def get(self) -> EncodedFrame | None:
        """The next frame; None once closed."""
        while True:
            with self._lock:
                if self._is_closed:
                    return None
                if self._frames:
                    return self._frames.popleft()
                self._ready.clear()
            await self._ready.wait()

    def close(self) -> None:
        """End get(); idempotent."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self.skipped += len(self._frames)
                self._frames.clear()
                self._wake()

    def _wake(self) -> None:
        # Under the lock: close() comes before the loop's end, so no push can meet a closed loop.
        self._loop.call_soon_threadsafe(self._ready.set)
