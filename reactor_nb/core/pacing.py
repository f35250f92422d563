"""When each frame is due, and when the model gets control back: pure arithmetic, owns no clock.

single frames   as soon as they come, never above rate_fps
blocks          evenly over a robust estimate, from the last blocks, of the time until the next one
a fast model    gets control back just in time to make its next frame, so that frames do not age in a queue
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

DEFAULT_SMOOTHNESS = 0.5

# A frame may come this share of an interval early against the strict grid: jitter of a model that paces itself is
# passed on without delay. The mean rate still never exceeds rate_fps.
_SLACK = 0.25
# A clock that woke up late makes up for one interval at most, and keeps this share of it between two frames.
_LEAST_GAP = 0.5
_HISTORY = 8
# What took longer than so many medians was a pause (a person, a download), and tells nothing of the next block.
_PAUSE = 3.0
# The first block that was timed may have been a pause as well: it is believed up to so many intervals per frame.
_FIRST_GUESS = 4.0
# Single frames whose jitter is beyond this come as they come: so slow a model shows stills, no motion.
_MOST_JITTER_S = 0.1
# Waking the model up and taking the GIL back; measured 0.1 ms, with room.
_WAKE_S = 0.001


@dataclass(frozen=True, slots=True)
class Plan:
    """When the frames of one emission are due, in seconds of time.monotonic(): one clock for all processes."""

    first_due_s: float
    interval_s: float

    def due_s(self, index: int) -> float:
        """When frame `index` of the emission is due, counted from 0."""
        return self.first_due_s + index * self.interval_s


class RateLimit:
    """The grid of one rate: any n + 1 frames shown as it says take at least (n - 1.25) / rate_fps.

    Counted from when a frame was due, so that a clock that wakes up late does not lower the rate; but what is
    made up for is one interval at most, and two frames stay half an interval apart.

    Threads: none of its own.
    """

    def __init__(self, rate_fps: float) -> None:
        if not (math.isfinite(rate_fps) and rate_fps > 0):
            raise ValueError(f"rate_fps is {rate_fps!r}; it needs a finite number above 0")
        self.least_s = 1.0 / rate_fps
        """Seconds from one frame to the next at the full rate."""
        self._slack_s = self.least_s * _SLACK
        self._grid_s = -math.inf
        self._apart_s = -math.inf

    @property
    def earliest_s(self) -> float:
        """The next frame is to be shown no sooner."""
        return max(self._grid_s - self._slack_s, self._apart_s)

    def count(self, due_s: float, shown_s: float) -> None:
        """A frame that was due at `due_s` is shown at `shown_s`."""
        self._grid_s = max(due_s, shown_s - self.least_s, self._grid_s) + self.least_s
        self._apart_s = shown_s + self.least_s * _LEAST_GAP


class Pacer:
    """The schedule of one session. Every time is seconds of one monotonic clock, passed in.

    Order of calls: wait until `room_s`, `plan` each emission, wait until `release_due_s`, `release`.
    The frames of one emission are planned once and for all when it arrives; whoever shows them, in whatever
    process, only waits for their times. A wrong guess is made good by the next plan: frames that still wait
    count as part of the time that the next block has to fill.

    Args:
        smoothness: 0 to 1, latency against smoothness. The quantile of the last blocks' times over which the
            next one is played: 0 shows a block as fast as the fastest of the last ones was followed, 1 stretches
            it until the slowest. Above 0.5 single frames are held as well, by a share of their jitter.
    Threads: none of its own; Pace calls it under its lock.
    """

    def __init__(self, rate_fps: float, smoothness: float = DEFAULT_SMOOTHNESS) -> None:
        if not 0.0 <= smoothness <= 1.0:
            raise ValueError(f"smoothness is {smoothness!r}; it needs a number from 0 (soonest) to 1 (smoothest)")
        self._smoothness = smoothness
        self._limit = RateLimit(rate_fps)
        self._last_due_s = -math.inf
        self._full_s = -math.inf  # when all emissions would have been shown, had they been shown at the full rate
        self._interval_s = self._limit.least_s
        self._single_came_s = -math.inf  # the emission before, if it was a single frame
        self._released_s: float | None = None
        self._planned: deque[tuple[Plan, int]] = deque()  # emissions of which frames may still wait
        self._frames_s: deque[float] = deque(maxlen=_HISTORY)  # model seconds per frame
        self._takes_s: deque[float] = deque(maxlen=_HISTORY)  # model seconds per emission
        self._gaps_s: deque[float] = deque(maxlen=2 * _HISTORY)  # seconds between single frames

    @property
    def interval_s(self) -> float:
        """Seconds between the frames of the newest emission; for single frames those of the full rate."""
        return self._interval_s

    def waiting(self, now_s: float) -> int:
        """How many planned frames are not due yet."""
        self._forget(now_s)
        return sum(sum(plan.due_s(index) > now_s for index in range(frames)) for plan, frames in self._planned)

    def room_s(self, frames: int) -> float:
        """When an emission of `frames` may be planned: two frames wait at most, or the block before and this one."""
        beside = max(frames, 2 - frames)
        for plan, count in reversed(self._planned):
            if beside < count:
                return plan.due_s(count - 1 - beside)
            beside -= count
        return -math.inf

    def plan(self, frames: int, now_s: float, arrived_s: float | None = None) -> Plan:
        """An emission of `frames`, at least one, begins; it came at `arrived_s` if it had to wait for room."""
        came_s = now_s if arrived_s is None else arrived_s
        self._measure(frames, came_s)
        soonest_s = max(now_s, self._limit.earliest_s)
        plan = self._single(soonest_s, now_s) if frames == 1 else self._block(frames, soonest_s, now_s)
        self._full_s = max(self._full_s, now_s) + frames * self._limit.least_s
        self._interval_s = plan.interval_s
        self._single_came_s = came_s if frames == 1 else -math.inf
        self._forget(now_s)
        self._planned.append((plan, frames))
        for index in range(frames):
            due_s = plan.due_s(index)
            self._limit.count(due_s, due_s)
        self._last_due_s = plan.due_s(frames - 1)
        return plan

    def release_due_s(self) -> float:
        """When the model should get control back, for its next frame to come as soon as the rate allows it.

        Only the rate holds a model: a slow one is never held, whatever was guessed of it.
        """
        if not self._takes_s:
            return -math.inf
        # The greatest time that the model took lately; of more than two, one outlier is forgiven.
        lead_s = sorted(self._takes_s)[-1 if len(self._takes_s) < 3 else -2] + _WAKE_S
        return self._full_s - self._limit.least_s * _SLACK - lead_s

    def release(self, now_s: float) -> None:
        """The model got control back."""
        self._released_s = now_s

    def _measure(self, frames: int, came_s: float) -> None:
        if self._released_s is not None:
            # From release to arrival: the time that the model took, without the time for which it was held.
            took_s = max(0.0, came_s - self._released_s)
            self._takes_s.append(took_s)
            self._frames_s.append(took_s / frames)
            self._released_s = None
        if frames == 1 and math.isfinite(self._single_came_s):
            self._gaps_s.append(came_s - self._single_came_s)

    def _single(self, soonest_s: float, now_s: float) -> Plan:
        least_s = self._limit.least_s
        if self._smoothness <= DEFAULT_SMOOTHNESS or len(self._gaps_s) < 3:
            return Plan(soonest_s, least_s)
        gaps_s = _without_pauses(self._gaps_s)
        jitter_s = gaps_s[-1] - gaps_s[0]
        if jitter_s > _MOST_JITTER_S:
            return Plan(soonest_s, least_s)
        most_s = (2 * self._smoothness - 1) * jitter_s
        even_s = self._last_due_s + sum(gaps_s) / len(gaps_s)
        return Plan(max(soonest_s, min(even_s, now_s + most_s)), least_s)

    def _block(self, frames: int, soonest_s: float, now_s: float) -> Plan:
        least_s = self._limit.least_s
        span_s = frames * self._frame_takes_s()
        if self._last_due_s + span_s / frames < now_s:  # nothing waits any more
            return Plan(soonest_s, max(least_s, span_s / frames))
        # Evenly from the last frame that waits until the next block comes, one step after the last of this one.
        interval_s = max(least_s, (now_s + span_s - self._last_due_s) / (frames + 1))
        return Plan(self._last_due_s + interval_s, interval_s)

    def _frame_takes_s(self) -> float:
        """What the model is expected to take for each frame of the next block; 0 while nothing is known."""
        if not self._frames_s:
            return 0.0
        if len(self._frames_s) == 1:
            return min(self._frames_s[0], _FIRST_GUESS * self._limit.least_s)
        recent = _without_pauses(list(self._frames_s)[-5:])
        return recent[math.floor((len(recent) - 1) * self._smoothness)]

    def _forget(self, now_s: float) -> None:
        while self._planned and self._planned[0][0].due_s(self._planned[0][1] - 1) <= now_s:
            self._planned.popleft()


def _without_pauses(times_s: deque[float] | list[float]) -> list[float]:
    """Sorted, without those that are far above the (lower) median."""
    ordered = sorted(times_s)
    most_s = _PAUSE * ordered[(len(ordered) - 1) // 2]
    return [time_s for time_s in ordered if time_s <= most_s] or ordered
