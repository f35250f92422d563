"""Pace: a Pacer that really waits. Every sink plans its frames and holds its model with one."""

from __future__ import annotations

import threading
import time

from reactor_nb.core.pacing import DEFAULT_SMOOTHNESS, Pacer, Plan


class Pace:
    """Plans the frames of one session, and holds a fast model to the rate.

    Waits for nothing but the time: whoever shows the frames may be slow, stopped or gone.

    Threads: `plan` and `hold` on the thread that emits, one at a time; the rest on any. One lock guards
        every field.
    """

    def __init__(self, rate_fps: float, smoothness: float = DEFAULT_SMOOTHNESS) -> None:
        self._pacer = Pacer(rate_fps, smoothness)
        self._wake = threading.Condition()
        self._is_over = False

    def plan(self, frames: int, arrived_s: float | None = None) -> Plan:
        """When the frames of an emission are due.

        Waits while more than one other block waits to be shown, and ends at once with finish() or close().

        Args:
            frames: how many, at least 1.
            arrived_s: time.monotonic() of the emission, if its sink waited for something else before.
        """
        with self._wake:
            if arrived_s is None:
                arrived_s = time.monotonic()
            self._wait_until(self._pacer.room_s(frames))
            return self._pacer.plan(frames, time.monotonic(), arrived_s)

    def hold(self) -> None:
        """Wait until the model should get control back; not at all when it is slower than the rate."""
        with self._wake:
            self._wait_until(self._pacer.release_due_s())
            self._pacer.release(time.monotonic())

    def finish(self) -> None:
        """Nothing is held any more. Idempotent."""
        with self._wake:
            self._is_over = True
            self._wake.notify_all()

    def close(self) -> None:
        """As finish()."""
        self.finish()

    @property
    def is_over(self) -> bool:
        with self._wake:
            return self._is_over

    @property
    def waiting(self) -> int:
        """How many planned frames are not due yet."""
        with self._wake:
            return self._pacer.waiting(time.monotonic())

    def _wait_until(self, until_s: float) -> None:
        while not self._is_over and (left_s := until_s - time.monotonic()) > 0:
            self._wake.wait(min(left_s, threading.TIMEOUT_MAX))
