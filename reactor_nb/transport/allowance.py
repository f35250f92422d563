"""Allowance: so many a second, and as many at once. Pure."""

from __future__ import annotations


class Allowance:
    """Threads: one at a time. Times are of one monotonic clock."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = per_s
        self._at_s = 0.0

    def take(self, now_s: float) -> bool:
        """Whether there is one left; it is taken."""
        self._left = min(self._per_s, self._left + max(0.0, now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
