"""FlowWindow: how many frames may be on their way to one page that says what it has heard, and how large."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Final, NamedTuple

from reactor_nb.media.flow_rate import FlowRate
from reactor_nb.media.rate import LEAST_BPS

LEAST_FRAMES: Final = 2
"""So many may always be on their way: with one alone a road lies idle while its acknowledgement comes back."""

WINDOW_S: Final = 0.3
"""No more than the road carries in this time is on its way: what waits there is what the picture is late by."""

MOST_BYTES: Final = 600_000
"""Nor more than this, beyond LEAST_FRAMES: a wide road that narrows to 200 kB/s at once has carried it in 4 s, some
losses and what goes into the silence included, and until then no newer picture arrives. Enough for 16 Mbit/s over a
round trip of 0.3 s."""

SILENCE_S, DEAF_SILENCE_S = 1.0, 0.5
"""Without a word for so long, what is heard is not known any more; the second where it is known that none can come."""

TIMED_GAP_S: Final = 0.5
TIMED_SHARE: Final = 0.25
"""Into a silence goes one frame in this time at most, and no more than this share of what the road carried before."""

PATIENCE_S: Final = 60.0
"""After so long a silence that nothing explains the page is taken for gone, until it is heard again."""

ACK_S: Final = 0.25
"""A page says at least this often what it has heard, while it has heard anything; it does so by itself."""

MOST_ACK_EVERY: Final = 30

_PEAK_S: Final = 2.0
_FULL_S: Final = 0.5
_BASE_S: Final = 10.0
_MOST_WAY_BACK_S: Final = 0.25
_SENT_S: Final = 1.0

_IDLE_S: Final = 0.1
"""So much of the time in which nothing was on its way counts as the road's: a few frames alone prove no wide one."""

_SMOOTHING: Final = 0.2

_ACK_SHARE: Final = 0.6
_QUEUE_S: Final = 0.12
_BURST_S: Final = 0.1
_ROOM_S: Final = 1.0


class _Sent(NamedTuple):
    """One frame on its way. `heard_bytes`, `heard_at_s`: what had arrived when it left, and when that was known."""

    sequence: int
    size_bytes: int
    sent_s: float
    heard_bytes: int
    heard_at_s: float


class FlowWindow:
    """Flow control of a road that queues without bound, by what its far end says it has heard.

    A frame is encoded only while `may_send`: with fewer than LEAST_FRAMES on their way, or with less than the road
    carries in WINDOW_S, by its measured throughput, and MOST_BYTES. Acknowledgements are cumulative, few (`ack_every`),
    and need as long to come back as the frames to get there: what the page has heard meanwhile is not on its way, so
    half of a short round trip is added to the window.

    The throughput is measured from acknowledgement to acknowledgement, over at least a round trip each. While the
    road is not full a measurement is a lower bound, and the highest of the last two seconds counts; where the window
    was shut the highest of the last half second. No road is taken for narrower than LEAST_BPS.

    `rate_bps` is what the encoder is to follow, see FlowRate: it is cut where the window was shut and frames took
    longer than they can, and climbs where the window stayed open. Where an encoder cannot keep to it, frames are sent
    as far apart as it says.

    Without a word for a second frames go out by the time, slowly: a page may hear them, though its kernel cannot hear
    the page (it is busy, and front ends without subshells queue behind its cell). See TIMED_GAP_S and PATIENCE_S.

    Threads: one at a time. All times are of one monotonic clock.
    """

    def __init__(self, now_s: float) -> None:
        self._in_flight: deque[_Sent] = deque()
        self.in_flight_bytes = 0
        self._heard_bytes = 0
        self._heard_frames = 0
        self._heard_at_s = -math.inf
        self._sign_s = now_s
        self._timed_s = self._paced_s = -math.inf
        self._is_deaf = False
        self._measure_from_s = -math.inf
        self._throughputs: deque[tuple[float, float]] = deque()
        self._trips: deque[tuple[float, float]] = deque()
        self._trip_s = 0.0
        self._sends: deque[tuple[float, int]] = deque()
        self._hearings: deque[tuple[float, int]] = deque()
        self._size_bytes = 0.0
        self._is_full = False
        self._full_s = -math.inf
        self._rate = FlowRate(now_s)

    def sent(self, sequence: int, size_bytes: int, now_s: float) -> None:
        """A frame goes out. Sequences grow; gaps between them say nothing."""
        if not self._in_flight:
            self._heard_at_s = max(self._heard_at_s, now_s - _IDLE_S)
            self._sign_s = max(self._sign_s, now_s)
        elif not self._is_deaf and self._silent_from_s() <= now_s:
            # It may be the road that has become so slow: what is added to it shall not be as much again.
            self._rate.give_way(8 * TIMED_SHARE * self.throughput_bytes_per_s)
        self._timed_s = now_s
        if self._rate.is_bounded:
            self._paced_s = max(self._paced_s, now_s) + 8 * size_bytes / self._rate.bps
        self._in_flight.append(_Sent(sequence, size_bytes, now_s, self._heard_bytes, self._heard_at_s))
        self.in_flight_bytes += size_bytes
        self._size_bytes += (size_bytes - self._size_bytes) * (_SMOOTHING if self._size_bytes else 1.0)
        self._sends.append((now_s, size_bytes))
        _forget(self._sends, now_s - _SENT_S)

    def acked(self, sequence: int, now_s: float) -> None:
        """The page has heard everything up to `sequence`, or will never hear it. An old or unknown one says that it
        is there, and no more."""
        self._sign_s = now_s
        newest: _Sent | None = None
        frames = 0
        while self._in_flight and self._in_flight[0].sequence <= sequence:
            newest = self._in_flight.popleft()
            self.in_flight_bytes -= newest.size_bytes
            self._heard_bytes += newest.size_bytes
            frames += 1
        if newest is None:
            return
        self._heard_frames += frames
        self._hearings.append((now_s, frames))
        _forget(self._hearings, now_s - _PEAK_S)
        if newest.sent_s >= self._measure_from_s:
            self._measure(newest, now_s)
        self._heard_at_s = now_s
        self._adapt(now_s)
        self._is_full = False

    def heard(self, now_s: float) -> None:
        """The page said something else: it is there, whatever became of the frames."""
        if self.is_suspended(now_s):
            self._sign_s = now_s - SILENCE_S  # It goes on slowly, from this moment.

    def deafen(self, is_deaf: bool, now_s: float) -> None:
        """Whether nothing can be heard for now: silence then says nothing of the page, nor of the road."""
        if self._is_deaf and not is_deaf:
            self._sign_s = max(self._sign_s, now_s)
        self._is_deaf = is_deaf
        # What is on its way now is acknowledged late, for another reason than the road.
        self._measure_from_s = now_s

    def restart(self, now_s: float) -> None:
        """The page begins anew: nothing is on its way; what was learnt of the road is kept."""
        self._in_flight.clear()
        self.in_flight_bytes = 0
        self._heard_at_s = -math.inf
        self._sign_s = now_s
        self._timed_s = self._paced_s = -math.inf
        self._is_full = False

    def may_send(self, now_s: float) -> bool:
        """Whether one more frame may be encoded for this road now. Asked when there is one."""
        if not self._in_flight:
            return True
        if self._silent_from_s() <= now_s:
            return not self.is_suspended(now_s) and now_s >= self._next_timed_s()
        if now_s < self._paced_s - _BURST_S:
            return False
        if len(self._in_flight) < LEAST_FRAMES or self.in_flight_bytes < self.window_bytes:
            return True
        self._is_full = True
        self._full_s = now_s
        return False

    def is_suspended(self, now_s: float) -> bool:
        """Whether the page was silent for so long that it is sent nothing more until it is heard."""
        return bool(self._in_flight) and not self._is_deaf and now_s - self._unheard_since_s() >= PATIENCE_S

    def next_look_s(self, now_s: float) -> float:
        """When may_send can turn true by time alone; inf where only an acknowledgement does it."""
        if not self._in_flight:
            return now_s
        if now_s < self._paced_s - _BURST_S:
            return self._paced_s - _BURST_S
        look_s = max(self._silent_from_s(), self._next_timed_s())
        return math.inf if self.is_suspended(max(look_s, now_s)) else look_s

    @property
    def rate_bps(self) -> int:
        """The most that an encoder should spend on this road."""
        return round(self._rate.bps)

    @property
    def throughput_bytes_per_s(self) -> float:
        """What the road carries, as far as it was tried; 0 before the first acknowledgement."""
        return max((throughput for _, throughput in self._throughputs), default=0.0)

    @property
    def window_bytes(self) -> float:
        if not self._throughputs:
            return 0.0  # of a road that nothing was heard of yet nothing is known
        carried = max(self.throughput_bytes_per_s, LEAST_BPS / 8)
        return min(carried * (WINDOW_S + self._way_back_s()), MOST_BYTES)

    @property
    def in_flight(self) -> int:
        """Frames that were sent and are not acknowledged."""
        return len(self._in_flight)

    @property
    def round_trip_s(self) -> float:
        """From sending a frame until its acknowledgement was here, of late; 0 before the first."""
        return self._trip_s

    def delivered_fps(self, now_s: float) -> float:
        """Frames per second that the page has heard, over the last two seconds."""
        return sum(frames for at_s, frames in self._hearings if at_s > now_s - _PEAK_S) / _PEAK_S

    @property
    def ack_every(self) -> int:
        """After how many frames the page is to say so: often enough for the window to stay open, and no oftener.

        Each costs its page a millisecond or two of status traffic.
        """
        if not self._size_bytes or len(self._sends) < 2:
            return 1
        fps = (len(self._sends) - 1) / max(self._sends[-1][0] - self._sends[0][0], 0.01)
        frames = min(self.window_bytes / self._size_bytes, (WINDOW_S + self._way_back_s()) * fps)
        room = _ACK_SHARE * (frames - fps * self._base_s())
        return int(min(max(room, frames / 4, 1), max(ACK_S * fps, 1), MOST_ACK_EVERY))

    def stats(self, now_s: float) -> dict[str, Any]:
        """Plain values: rate_bps, cuts, throughput_bps, in_flight, round_trip_ms, delivered_fps, ack_every, state."""
        silent = self._in_flight and self._silent_from_s() <= now_s
        return {
            "rate_bps": self.rate_bps,
            "cuts": self._rate.cuts,
            "throughput_bps": round(8 * self.throughput_bytes_per_s),
            "in_flight": self.in_flight,
            "round_trip_ms": round(1000 * self._trip_s, 1),
            "delivered_fps": round(self.delivered_fps(now_s), 1),
            "ack_every": self.ack_every,
            "state": "suspended" if self.is_suspended(now_s) else "silent" if silent else "flowing",
        }

    def _measure(self, newest: _Sent, now_s: float) -> None:
        self._trip_s = now_s - newest.sent_s
        self._trips.append((now_s, self._trip_s))
        _forget(self._trips, now_s - _BASE_S)
        throughput = (self._heard_bytes - newest.heard_bytes) / max(now_s - newest.heard_at_s, 0.001)
        self._throughputs.append((now_s, throughput))
        is_full = self._full_s >= newest.heard_at_s
        _forget(self._throughputs, now_s - (_FULL_S if is_full else _PEAK_S))

    def _adapt(self, now_s: float) -> None:
        shortest_s = min(trip_s for _, trip_s in self._trips)
        if self._is_full and self._trip_s > shortest_s + _QUEUE_S:
            self._rate.cut(8 * self.throughput_bytes_per_s, self._trip_s, shortest_s, now_s)
        elif now_s - self._full_s >= _ROOM_S:
            self._rate.climb(8 * sum(size for at_s, size in self._sends if at_s > now_s - _SENT_S) / _SENT_S, now_s)
        else:
            self._rate.rest(now_s)

    def _base_s(self) -> float:
        """A short round trip of late: the longest of the shortest fifth, as a road may waver."""
        trips_s = sorted(trip_s for _, trip_s in self._trips)
        return trips_s[len(trips_s) // 5] if trips_s else 0.0

    def _way_back_s(self) -> float:
        return min(self._base_s() / 2, _MOST_WAY_BACK_S)

    def _unheard_since_s(self) -> float:
        return max(self._sign_s, self._in_flight[0].sent_s)

    def _silent_from_s(self) -> float:
        return self._unheard_since_s() + (DEAF_SILENCE_S if self._is_deaf else SILENCE_S)

    def _next_timed_s(self) -> float:
        slow = TIMED_SHARE * self.throughput_bytes_per_s
        return self._timed_s + max(TIMED_GAP_S, min(self._in_flight[-1].size_bytes / slow, 8.0) if slow else 0.0)


def _forget(timed: deque[Any], before_s: float) -> None:
    """Drop what is older than that, but for the newest."""
    while len(timed) > 1 and timed[0][0] < before_s:
        timed.popleft()
