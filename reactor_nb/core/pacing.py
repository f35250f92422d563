"""When the next frame is due, and when the model gets control back: pure arithmetic, owns no clock.

single frames   as soon as they come, never above rate_fps
blocks          evenly over an estimate, from the last blocks, of the time that the next one takes
a fast model    gets control back just in time to make the next frame, so that frames do not age in a queue
"""

from __future__ import annotations

import math
from collections import deque

# A frame may come this share of an interval early against the strict grid: jitter of a model that paces itself is
# passed on without delay. The mean rate still never exceeds rate_fps.
_SLACK = 0.25
# A clock that woke up late makes up for one interval at most, and keeps this share of it between two frames.
_LEAST_GAP = 0.5
_HISTORY = 8
# Waking the model up and taking the GIL back; measured 0.1 ms, with room.
_WAKE_S = 0.001


class Pacer:
    """The schedule of one session. Every time is seconds of one monotonic clock, passed in.

    Order of calls: `arrive` for each emission, `release` when the model gets control back, `due_s` for the
    head of the queue, `play` when it is taken. n + 1 frames, wherever they are counted, take at least
    (n - 1.25) / rate_fps, and two of them 0.5 / rate_fps.

    Threads: none of its own; FrameBuffer calls it under its lock.
    """

    def __init__(self, rate_fps: float) -> None:
        if not (math.isfinite(rate_fps) and rate_fps > 0):
            raise ValueError(f"rate_fps is {rate_fps!r}; it needs a finite number above 0")
        self._least_s = 1.0 / rate_fps
        self._slack_s = self._least_s * _SLACK
        self._grid_s = -math.inf  # the earliest time of the next frame by rate_fps alone
        self._even_s = -math.inf  # the same by the even play of a block
        self._apart_s = -math.inf  # the same by the frame that was really shown last
        self._interval_s = self._least_s
        self._released_s: float | None = None
        self._blocks_s: deque[float] = deque(maxlen=_HISTORY)  # model seconds per frame
        self._takes_s: deque[float] = deque(maxlen=_HISTORY)  # model seconds per emission

    @property
    def interval_s(self) -> float:
        """Seconds between frames as they are played now."""
        return self._interval_s

    def arrive(self, frames: int, queued_before: int, now_s: float) -> None:
        """An emission of `frames` begins; `queued_before` frames still wait."""
        if self._released_s is not None:
            # From release to arrival: the time that the model took, without the time for which it was held.
            took_s = max(0.0, now_s - self._released_s)
            self._takes_s.append(took_s)
            self._blocks_s.append(took_s / frames)
            self._released_s = None
        if frames == 1:
            self._interval_s = self._least_s
            self._even_s = -math.inf
            return
        span_s = self._frame_takes_s() * frames
        self._interval_s = max(self._least_s, span_s / (queued_before + frames))

    def release(self, now_s: float) -> None:
        """The model got control back."""
        self._released_s = now_s

    def due_s(self, arrived_s: float) -> float:
        """When the head of the queue, which arrived at `arrived_s`, is to be shown."""
        return max(arrived_s, self._grid_s - self._slack_s, self._even_s, self._apart_s)

    def play(self, due_s: float, now_s: float) -> None:
        """The head of the queue, due at `due_s`, is shown at `now_s`."""
        # Counted from the due time, so that a clock that wakes up late does not lower the rate; but a
        # clock that was away for long must not make up for it with a burst.
        shown_s = max(due_s, now_s - self._least_s)
        self._apart_s = now_s + self._least_s * _LEAST_GAP
        self._grid_s = max(shown_s, self._grid_s) + self._least_s
        self._even_s = shown_s + self._interval_s if self._interval_s > self._least_s else -math.inf

    def release_due_s(self, queued: int, arrived_s: float) -> float:
        """When the model should get control back, for its next frame to come as the queue runs empty.

        `queued` frames wait, the head of them since `arrived_s`.
        """
        if len(self._takes_s) < 2:
            return -math.inf
        # The greatest time that the model took lately, one outlier forgiven.
        lead_s = sorted(self._takes_s)[-2] + _WAKE_S
        if not queued:
            return self.due_s(-math.inf) - lead_s
        begins_s = self.due_s(arrived_s)
        free_s = max(begins_s, self._grid_s) + queued * self._least_s - self._slack_s
        if self._interval_s > self._least_s:
            free_s = max(free_s, begins_s + queued * self._interval_s)
        return free_s - lead_s

    def _frame_takes_s(self) -> float:
        """The median of the last blocks: one pause or one burst does not move it."""
        recent = sorted(list(self._blocks_s)[-5:])
        # One sample may be a pause, of two the smaller one is none.
        return recent[(len(recent) - 1) // 2] if len(recent) > 1 else 0.0
