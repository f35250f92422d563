"""What a series did over a long run: from one end to the other, and per hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_WARM_UP_SHARE = 0.2


@dataclass(frozen=True)
class Slope:
    """What one series did: at the end of the warm-up, at the end, and per hour by least squares."""

    name: str
    began: float
    ended: float
    per_hour: float


def slope(name: str, at_s: Sequence[float], values: Sequence[float]) -> Slope:
    """Of the least of each minute after the warm-up. Began and ended are medians of a tenth of it."""
    at_s, values = _least_of_each_minute(at_s, values)
    first = next(index for index, each in enumerate(at_s) if each >= at_s[0] + _WARM_UP_SHARE * (at_s[-1] - at_s[0]))
    hours, late = np.array(at_s[first:]) / 3600, np.array(values[first:])
    few = max(1, len(late) // 10)
    per_hour = float(np.polyfit(hours - hours[0], late, 1)[0]) if len(late) > 1 else 0.0
    return Slope(name, float(np.median(late[:few])), float(np.median(late[-few:])), per_hour)


def thirds(at_s: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Medians of the least of each minute: in the second third of a run, and in the last.

    For runs in which something happens now and then: what an event costs once, as a codec that is opened the first
    time, is no growth; what each event leaves behind is.
    """
    at_s, values = _least_of_each_minute(at_s, values)
    middle, last = at_s[-1] / 3, 2 * at_s[-1] / 3
    second = [value for at, value in zip(at_s, values, strict=True) if middle <= at < last]
    third = [value for at, value in zip(at_s, values, strict=True) if at >= last]
    return float(np.median(second or third)), float(np.median(third))


def _least_of_each_minute(at_s: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    minutes: dict[int, float] = {}
    for at, value in zip(at_s, values, strict=True):
        minute = int((at - at_s[0]) // 60)
        minutes[minute] = min(value, minutes.get(minute, value))
    return [60.0 * minute for minute in minutes], list(minutes.values())
