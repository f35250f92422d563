"""FlowRate: what an encoder should spend on a road whose far end says what it has heard."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from reactor_nb.media.rate import FAR_BPS, LEAST_BPS

_CUT: Final = 0.8
_DEEPEST_CUT: Final = 0.4
_CUT_REST_S: Final = 0.4
_EXCUSE_S: Final = 5.0
_LESS, _THROUGH, _AS_LATE, _LATER = 0.9, 0.5, 0.8, 1.5

_CLIMB_S: Final = 1.0
_CLIMB_PER_S: Final = 4.0
_CAREFUL_CLIMB_PER_S: Final = 1.1
_PROVEN: Final = 1.3
_NEAR, _BEYOND = 0.7, 1.5


class _Cut(NamedTuple):
    """What a cut was made for: what came through, and how much longer than the shortest a trip took that began at
    `sent_s`."""

    carried_bps: float
    late_s: float
    before_bps: float
    sent_s: float
    at_s: float

    def was_in_vain(self, now: _Cut) -> bool:
        """Whether less is sent since, comes through, and is as late: then it waits for something else than the road."""
        # What was sent before this cut waits behind what was sent before it, on a road that has narrowed for seconds.
        is_told = self.at_s <= now.sent_s and now.at_s - self.at_s < _EXCUSE_S
        is_less = _THROUGH * now.before_bps < now.carried_bps < _LESS * self.carried_bps
        return is_told and is_less and now.late_s > _AS_LATE * self.late_s


class FlowRate:
    """Falls below what a full road carries, so that what waits there can drain, and climbs again where it has room.

    One cut goes no deeper than to two fifths: what was heard late may have waited elsewhere. Where less is sent after a
    cut, all of it comes through, and it is as late as before, it did: the cut is taken back, and to be as late is no
    sign of a full road for the next seconds.

    The rate climbs fourfold in a second, by a tenth around what the road carried when it was full last, and never far
    beyond what is really sent.

    Threads: one at a time. All times are of one monotonic clock.
    """

    def __init__(self, now_s: float) -> None:
        self.bps = float(FAR_BPS)
        self.cuts = 0
        self._wall_bps = math.inf
        self._rest_until_s = -math.inf
        self._climbed_s = now_s
        self._last: _Cut | None = None
        self._excused_s, self._excused_until_s = 0.0, -math.inf

    @property
    def is_bounded(self) -> bool:
        """Whether the road was found full at a rate that is not much lower."""
        return self._wall_bps < math.inf

    def cut(self, carried_bps: float, trip_s: float, shortest_s: float, now_s: float) -> None:
        """The road is full; so much came through, and took so long there and back instead of the shortest time."""
        self._climbed_s = now_s
        late_s = trip_s - shortest_s
        # Right after a cut what is heard of was sent at the rate before: it says nothing of the new one.
        if now_s < self._rest_until_s or (now_s < self._excused_until_s and late_s < self._excused_s):
            return
        last, self._last = self._last, _Cut(carried_bps, late_s, self.bps, now_s - trip_s, now_s)
        if last is not None and last.was_in_vain(self._last):
            self.bps = max(self.bps, last.before_bps)
            self._last = None
            self._excused_s, self._excused_until_s = _LATER * late_s, now_s + _EXCUSE_S
            return
        bps = max(_CUT * carried_bps, _DEEPEST_CUT * self.bps, float(LEAST_BPS))
        if bps < self.bps:
            self.bps = bps
            self._wall_bps = max(carried_bps, bps)
            self._rest_until_s = now_s + max(_CUT_REST_S, trip_s)
            self.cuts += 1

    def give_way(self, bps: float) -> None:
        """Nothing is known of the road any more: no more than this, in steps."""
        self.bps = max(min(bps, self.bps), _DEEPEST_CUT * self.bps, float(LEAST_BPS))

    def rest(self, now_s: float) -> None:
        """The road was full of late: neither up nor down."""
        self._climbed_s = now_s

    def climb(self, sent_bps: float, now_s: float) -> None:
        """The road had room while so much was sent."""
        spent_s = min(now_s - self._climbed_s, _CLIMB_S)
        self._climbed_s = now_s
        if _PROVEN * sent_bps < self.bps:
            return
        if self.bps > _BEYOND * self._wall_bps:
            self._wall_bps = math.inf  # The road has become wider.
        is_near = self.bps > _NEAR * self._wall_bps
        self.bps *= (_CAREFUL_CLIMB_PER_S if is_near else _CLIMB_PER_S) ** spent_s
