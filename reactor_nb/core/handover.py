"""Handover: hands on blocks that a device still works at, in order, on a thread that waits for them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from reactor_nb.core.device_frames import PendingBlock
from reactor_nb.core.frames import Block

AHEAD_BLOCKS = 2
"""How many blocks a model may queue on its device before the first of them is there."""

_HELD_S = 0.002


class Handover:
    """Waits for each block on the thread `reactor-frames-<name>`, and calls `take` with it there.

    A model that is slower than the clock runs ahead: `put` returns at once, while fewer than AHEAD_BLOCKS wait. One
    that is faster is held by `take`, and then `put` returns with it: its device would only queue what grows old.

    Args:
        take: may wait, for the clock; called with one block at a time, in order.
    Threads: `put` one at a time; the rest on any.
    """

    def __init__(self, name: str, take: Callable[[Block], None]) -> None:
        self._take = take
        self._changed = threading.Condition()  # guards everything below
        self._waiting: deque[PendingBlock] = deque()
        self._put = 0
        self._done = 0
        self._is_held = False
        self._is_closed = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"reactor-frames-{name}", daemon=True)
        self._thread.start()

    def put(self, block: PendingBlock) -> None:
        """Hand on a block when it is there; after close() at once, by this thread.

        Raises:
            RuntimeError: torch's own; the device has failed at this block or at one before.
        """
        with self._changed:
            self._raise()
            if not self._is_closed:
                self._waiting.append(block)
                self._put += 1
                mine = self._put
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: self._is_closed or self._done >= (mine if self._is_held else mine - AHEAD_BLOCKS)
                )
                self._raise()
                return
        # A model that was abandoned and emits all the same: nobody is left who would take it from the queue.
        self._take(block.wait())

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until every block was handed on; whether it is so.

        Raises:
            RuntimeError: torch's own; the device has failed.
        """
        with self._changed:
            is_done = self._changed.wait_for(lambda: self._done == self._put, timeout_s)
            self._raise()
            return is_done

    def close(self, timeout_s: float) -> None:
        """Hand on what waits, then end the thread. A device that does not answer is left alone. Idempotent."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self) -> None:
        while (block := self._next()) is not None:
            error: Exception | None = None
            held_s = 0.0
            try:
                whole = block.wait()
                began_s = time.monotonic()
                self._take(whole)
                held_s = time.monotonic() - began_s
            except Exception as failure:
                error = failure
            del block
            with self._changed:
                self._done += 1
                self._is_held = held_s > _HELD_S
                self._error = self._error or error
                self._changed.notify_all()

    def _next(self) -> PendingBlock | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            return self._waiting.popleft() if self._waiting else None
