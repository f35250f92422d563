"""RoadRate: how much one road carries, told by what its far end reports of loss and of delay."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

LEAST_BPS: Final = 250_000
"""No road is taken for narrower: below it a picture is no picture."""

WIDE_BPS: Final = 1_000_000_000
"""What a road is taken for until something says otherwise: the stream's own cap is all that counts."""

FAR_BPS: Final = 5_000_000
"""The first guess for a page on another machine: a stream that begins at 16 Mbit/s can choke a road for seconds."""

_WINDOW_S: Final = 0.2
_WINDOW_PACKETS: Final = 30
_SENT_S: Final = 1.0
_PEAK_S: Final = 3.0

_MUCH_LOSS: Final = 0.10
_SOME_LOSS: Final = 0.02
_CUT: Final = 0.75
_FALL: Final = 0.93
_QUEUE_S: Final = 0.1
_TRIPS: Final = 30

_CLIMB_PER_S: Final = 0.25
_CAREFUL_CLIMB_PER_S: Final = 0.05
_DEAF_S: Final = 0.6
_REST_S: Final = 2.0


class RoadRate:
    """The most that should be sent on one road, in bits per second.

    It begins as wide as can be on this machine, else at FAR_BPS. What lowers it:

    - more than a tenth of the packets of a fifth of a second lost: to three quarters of what came through, so that
      what waits on the way can drain;
    - twice in a row a round trip a tenth of a second longer than the shortest: what waits on the way is not lost yet;
    - a receiver's estimate (REMB) that *falls* below what is really sent: to the estimate. One that is merely low
      says nothing: a receiver cannot know how wide a road is that carries a quiet picture; Chromium's begins low,
      climbs by a few percent each second, and goes on to do so below a stream that plays well.

    On this machine the last two say how busy the processors are, and nothing of a road: they are passed over.

    It climbs again by a quarter each second, slowly around the rate at which the road gave way last, and never beyond
    twice what is really sent: a picture that stands still does not prove a wide road.

    Threads: one at a time. All times are of one monotonic clock.
    """

    def __init__(self, is_this_machine: bool = True) -> None:
        self._is_this_machine = is_this_machine
        self._rate_bps = float(WIDE_BPS if is_this_machine else FAR_BPS)
        self._wall_bps = math.inf
        self._sent: deque[tuple[float, int]] = deque()
        self._estimates: deque[tuple[float, float]] = deque()
        self._window: tuple[float, int, int] | None = None
        self._trips_s: deque[float] = deque(maxlen=_TRIPS)
        self._deaf_until_s = -math.inf
        self._rest_until_s = -math.inf
        self._climbed_s = -math.inf
        self.cuts = 0

    @property
    def rate_bps(self) -> int:
        return round(self._rate_bps)

    def sent(self, size_bytes: int, now_s: float) -> None:
        """So much was sent now."""
        self._sent.append((now_s, size_bytes))
        while self._sent[0][0] < now_s - _SENT_S:
            self._sent.popleft()

    def sent_bps(self, now_s: float) -> float:
        """What was sent in the last second."""
        return 8.0 * sum(size for at_s, size in self._sent if at_s >= now_s - _SENT_S) / _SENT_S

    def stats(self) -> dict[str, int]:
        """rate_bps, and how often the road gave way."""
        return {"rate_bps": self.rate_bps, "cuts": self.cuts}

    def report(self, highest_sequence: int, packets_lost: int, now_s: float) -> None:
        """A receiver report: both numbers count from the beginning; `highest_sequence` with its cycles.

        A congested road brings dozens a second, each of some packets: they are read over a fifth of a second.
        """
        if self._window is None:
            self._window = (now_s, highest_sequence, packets_lost)
            return
        began_s, first_sequence, first_lost = self._window
        expected = highest_sequence - first_sequence
        if now_s - began_s < _WINDOW_S or expected < _WINDOW_PACKETS:
            if expected < 0 or now_s - began_s > 5 * _SENT_S:
                self._window = (now_s, highest_sequence, packets_lost)
            return
        self._window = (now_s, highest_sequence, packets_lost)
        # Packets that come a second time, or late, are counted as found: a window may have lost less than nothing.
        self._judge(min(max((packets_lost - first_lost) / expected, 0.0), 1.0), now_s)

    def round_trip(self, trip_s: float, now_s: float) -> None:
        """How long a report took there and back, without the time it was kept."""
        self._trips_s.append(trip_s)
        limit_s = min(self._trips_s) + _QUEUE_S
        if self._is_this_machine:
            return
        if len(self._trips_s) > 1 and min(self._trips_s[-1], self._trips_s[-2]) > limit_s:
            self._rest_until_s = max(self._rest_until_s, now_s + _REST_S / 2)
            if now_s >= self._deaf_until_s:
                self._lower(_CUT * min(self._rate_bps, self.sent_bps(now_s)), now_s)
                self._trips_s.append(min(self._trips_s))  # The next long trip may have begun before this.

    def is_choked(self, now_s: float) -> bool:
        """Whether the road gave way just now: what is sent on it again would only be lost again."""
        return now_s < self._deaf_until_s

    def estimate(self, estimate_bps: float, now_s: float) -> None:
        """A receiver's estimate of the road (REMB)."""
        while self._estimates and self._estimates[0][0] < now_s - _PEAK_S:
            self._estimates.popleft()
        peak_bps = max((bps for _, bps in self._estimates), default=estimate_bps)
        self._estimates.append((now_s, estimate_bps))
        if self._is_this_machine:
            return
        if estimate_bps < _FALL * peak_bps and estimate_bps < min(self.sent_bps(now_s), self._rate_bps):
            self._estimates.clear()
            self._estimates.append((now_s, estimate_bps))
            self._lower(estimate_bps, now_s)

    def _judge(self, lost: float, now_s: float) -> None:
        if lost > _MUCH_LOSS:
            if now_s >= self._deaf_until_s:
                arrived_bps = self.sent_bps(now_s) * (1.0 - lost)
                self._lower(_CUT * min(self._rate_bps, arrived_bps), now_s)
        elif lost > _SOME_LOSS:
            self._rest_until_s = max(self._rest_until_s, now_s + _REST_S / 2)
        elif now_s >= self._rest_until_s:
            self._climb(now_s)

    def _lower(self, rate_bps: float, now_s: float) -> None:
        self._wall_bps = rate_bps / _CUT
        self._rate_bps = max(float(LEAST_BPS), rate_bps)
        # What is on its way was sent at the old rate; its losses say nothing of the new one.
        self._deaf_until_s = now_s + _DEAF_S
        self._rest_until_s = now_s + _REST_S
        self.cuts += 1

    def _climb(self, now_s: float) -> None:
        spent_s = min(now_s - self._climbed_s, 1.0)
        self._climbed_s = now_s
        if self._rate_bps >= WIDE_BPS or 2.0 * self.sent_bps(now_s) < self._rate_bps:
            return
        if self._rate_bps > 1.5 * self._wall_bps:
            self._wall_bps = math.inf  # The road has become wider.
        is_near = self._rate_bps > 0.8 * self._wall_bps
        self._rate_bps *= 1.0 + (_CAREFUL_CLIMB_PER_S if is_near else _CLIMB_PER_S) * spent_s
