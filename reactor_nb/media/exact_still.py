"""Exact stills: once the picture of a stream stands still, its views get the very pixels, without loss."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.frame_queue import BufferedFrame
from reactor_nb.core.still import quick_png
from reactor_nb.media.encoders import EncodedFrame

QUIET_S = 0.07
"""How long a picture must stand before its still is made, where the last pictures say nothing about the next.
Noise of 720p then takes 35 ms to pack, 50 to 130 to send on one machine, 20 to show."""

SHORTEST_QUIET_S, LONGEST_QUIET_S = 0.035, 0.16
"""Where they do. Giving up half way costs little, but at 5 to 14 fps it would be half of every still."""

OVERDUE = 1.5
"""How many times the usual interval must pass before nothing is expected any more."""

RARE_S = 0.27
"""Pictures that are this far apart are each worth a still."""

_INTERVALS = 5
_BANDS = 16


class ExactStill:
    """One picture without loss. `png` is the file; `is_over` turns true when another picture has come.

    Threads: any; only ExactStills changes it.
    """

    __slots__ = ("height_px", "is_over", "png", "still_id", "width_px")

    def __init__(self, still_id: int, width_px: int, height_px: int, png: bytes) -> None:
        self.still_id = still_id
        self.width_px = width_px
        self.height_px = height_px
        self.png = png
        self.is_over = False


DeliverStill = Callable[[ExactStill, int], None]
"""(still, rtp_timestamp): what the view was or will be sent under this timestamp shows the same as this still."""


class Standing:
    """Which picture stands, and since when. Pure; times are seconds of one clock, numbers those of the frames."""

    def __init__(self) -> None:
        self.frame: BufferedFrame | None = None
        """The newest frame."""
        self._first = 0
        self._since_s = math.nan
        self._intervals_s: deque[float] = deque(maxlen=_INTERVALS)

    def show(self, frame: BufferedFrame, now_s: float) -> bool:
        """A frame is played; whether it is another picture than the one before."""
        before, self.frame = self.frame, frame
        if before is not None and frame.number > before.number and is_same_picture(before.pixels, frame.pixels):
            return False
        self._first = frame.number
        if before is not None:
            self._intervals_s.append(now_s - self._since_s)
        self._since_s = now_s
        return True

    def due_s(self) -> float:
        """When the still is to be made, if nothing else comes: once the next picture is overdue, by the last ones."""
        usual_s = statistics.median(self._intervals_s) if self._intervals_s else RARE_S
        if usual_s >= RARE_S:
            return self._since_s + QUIET_S
        return self._since_s + min(max(OVERDUE * usual_s, SHORTEST_QUIET_S), LONGEST_QUIET_S)

    def shows(self, number: int) -> bool:
        """Whether the frame of this number is the picture that stands."""
        return self.frame is not None and self._first <= number <= self.frame.number


class ExactStills:
    """Makes one still of each picture that stands, on the thread `reactor-still-<name>`, and hands it to the views.

    The thread begins with the first view of a session of the quality `exact`; other qualities cost nothing.

    Threads: every method from any; `show` one at a time.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()  # guards everything below
        self._is_exact = False
        self._is_closed = False
        self._standing = Standing()
        self._still: ExactStill | None = None
        self._views: dict[str, tuple[str, DeliverStill]] = {}
        self._encoded: dict[str, tuple[int, int]] = {}
        self._made = 0
        self._counts: dict[str, Any] = {"made": 0, "wasted": 0, "bytes": 0, "make_ms": 0.0}
        self._thread: threading.Thread | None = None

    def use(self, is_exact: bool) -> None:
        """A new session begins, of the quality exact or of another."""
        with self._changed:
            self._is_exact = is_exact
            self._forget()
            self._standing = Standing()
            self._counts = {name: type(count)() for name, count in self._counts.items()}
            self._encoded.clear()
            self._start()

    def attach(self, view_id: str, codec: str, deliver: DeliverStill) -> None:
        """Tell a view of each still, and again whenever the same picture was encoded once more for it.

        `deliver` must not wait. The first call comes with the first frame that is encoded from now on, or with the
        next still.
        """
        with self._changed:
            self._views[view_id] = (codec, deliver)
            self._start()

    def detach(self, view_id: str) -> None:
        with self._changed:
            self._views.pop(view_id, None)

    def show(self, frame: BufferedFrame) -> None:
        """A frame is played."""
        with self._changed:
            if not self._is_exact or self._is_closed or frame.pixels.ndim != 3:  # planes have lost something
                return
            # Else the thread waits for a time, and looks by itself when that is over.
            is_idle = self._still is not None or self._standing.frame is None
            if self._standing.show(frame, time.monotonic()):
                self._forget()
                if is_idle:
                    self._changed.notify_all()

    def encoded(self, frame: EncodedFrame) -> None:
        """A frame was encoded and is about to be handed to the views: those hear first whether a still covers it."""
        with self._changed:
            if not self._is_exact:
                return
            self._encoded[frame.codec] = (frame.number, frame.rtp_timestamp)
            deliveries = self._deliveries(frame.codec)
            still = self._still
        for deliver, rtp_timestamp in deliveries:
            assert still is not None
            deliver(still, rtp_timestamp)

    def counts(self) -> dict[str, Any]:
        """made, wasted (overtaken by the next frame), bytes of those made, make_ms of the last."""
        with self._changed:
            return dict(self._counts)

    def close(self, timeout_s: float) -> bool:
        """End the thread; whether it is gone. Idempotent."""
        with self._changed:
            self._is_closed = True
            self._forget()
            self._standing = Standing()
            self._views.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
            return not thread.is_alive()
        return True

    def _forget(self) -> None:
        if self._still is not None:
            self._still.is_over = True
            self._still = None

    def _start(self) -> None:
        if self._is_exact and self._views and not self._is_closed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"reactor-still-{self._name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        while (frame := self._next_frame()) is not None:
            began_s = time.monotonic()
            png = quick_png(frame.pixels, lambda number=frame.number: self._stands(number))  # type: ignore[misc]
            with self._changed:
                is_wasted = png is None or not self._standing.shows(frame.number)
                self._counts["wasted"] += is_wasted
                if png is None or is_wasted or self._is_closed:
                    continue
                height_px, width_px, _ = frame.pixels.shape
                self._made += 1
                still = self._still = ExactStill(self._made, width_px, height_px, png)
                self._counts["made"] += 1
                self._counts["bytes"] += len(png)
                self._counts["make_ms"] = (time.monotonic() - began_s) * 1000
                deliveries = [each for codec in self._encoded for each in self._deliveries(codec)]
            for deliver, rtp_timestamp in deliveries:
                deliver(still, rtp_timestamp)

    def _next_frame(self) -> BufferedFrame | None:
        """The frame that has stood long enough and has no still yet; None at the end."""
        with self._changed:
            while not self._is_closed:
                frame = self._standing.frame
                if not self._is_exact or not self._views or frame is None or self._still is not None:
                    self._changed.wait()
                    continue
                wait_s = self._standing.due_s() - time.monotonic()
                if wait_s <= 0:
                    return frame
                self._changed.wait(wait_s)
        return None

    def _stands(self, number: int) -> bool:
        with self._changed:
            return not self._is_closed and self._standing.shows(number)

    def _deliveries(self, codec: str) -> list[tuple[DeliverStill, int]]:
        """To whom the still goes of those that watch `codec`: none, while what they are sent is another picture."""
        number, rtp_timestamp = self._encoded[codec]
        if self._still is None or not self._standing.shows(number):
            return []
        return [(deliver, rtp_timestamp) for watched, deliver in self._views.values() if watched == codec]


def is_same_picture(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether two frames are equal. 0.2 ms for equal ones of 720p; moving ones differ in the first of the bands."""
    if one.shape != other.shape:
        return False
    if one is other:
        return True
    height_px = len(one)
    step = max(1, height_px // _BANDS)
    for top in range(0, height_px, step):
        mine, others = one[top : top + step].reshape(-1), other[top : top + step].reshape(-1)
        if mine.size % 8 == 0:  # eight at a time where they can be read so
            mine, others = mine.view(np.uint64), others.view(np.uint64)
        if not np.array_equal(mine, others):
            return False
    return True
