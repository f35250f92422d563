"""The arithmetic of what a sampler saw: percentiles, intervals, frames that were skipped and shown for too long."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

Seen = tuple[int, float]
"""A frame number, and the wall clock in ms when the sampler first found it."""

LONG_PERIODS = 1.75
"""A frame that stays longer has taken the place of another. A 60 Hz sampler of a 30 fps picture sees a frame for one,
two or three of its own 16.7 ms, depending on the phase; four are too many."""


def percentile(values: Sequence[float], q: float) -> float | None:
    """None of nothing."""
    return float(np.percentile(values, q)) if len(values) else None


def percentiles(values: Sequence[float], *qs: float) -> tuple[float, ...] | None:
    """None of nothing."""
    return tuple(float(value) for value in np.percentile(values, qs)) if len(values) else None


def within(seen: Sequence[Seen], began_ms: float, ended_ms: float) -> list[Seen]:
    return [(number, at_ms) for number, at_ms in seen if began_ms <= at_ms <= ended_ms]


def rate_fps(seen: Sequence[Seen], duration_s: float) -> float:
    """Different frames per second; the same frame twice counts once."""
    return len({number for number, _ in seen}) / duration_s


def latencies_ms(seen: Sequence[Seen], emitted_ms: dict[int, float]) -> list[float]:
    """Emit to seen, of each frame's first appearance."""
    first: dict[int, float] = {}
    for number, at_ms in seen:
        first.setdefault(number, at_ms)
    return [at_ms - emitted_ms[number] for number, at_ms in first.items() if number in emitted_ms]


def intervals_ms(seen: Sequence[Seen]) -> list[float]:
    """Between one change of the picture and the next."""
    return [later - earlier for (_, earlier), (_, later) in pairwise(seen)]


def skipped(seen: Sequence[Seen]) -> int:
    """Frames between the lowest and the highest number that were never seen."""
    numbers = {number for number, _ in seen}
    return max(numbers) - min(numbers) + 1 - len(numbers) if numbers else 0


def doubled(seen: Sequence[Seen], period_ms: float) -> int:
    """Frames that stayed for more than 1.75 periods, and frames that came back after a later one.

    Where the model itself was late the next frame was not there to be shown; a schedule of its own keeps that rare,
    and it is the same for every peer.
    """
    long = sum(interval_ms > LONG_PERIODS * period_ms for interval_ms in intervals_ms(seen))
    back = sum(later < earlier for (earlier, _), (later, _) in pairwise(seen))
    return long + back


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The median and the 95 % interval of it, by the sign test: no assumption about the distribution.

    With fewer than six values the interval is the whole range.
    """
    ordered = sorted(values)
    cut = 0
    while 2 * (cut + 1) < len(ordered) and 2 * _sign_test_tail(len(ordered), cut + 1) <= 0.05:
        cut += 1
    return statistics.median(ordered), ordered[cut], ordered[-1 - cut]


def _sign_test_tail(count: int, at_most: int) -> float:
    """How likely `at_most` or fewer of `count` values lie below the true median."""
    return sum(math.comb(count, below) for below in range(at_most + 1)) / 2.0**count
