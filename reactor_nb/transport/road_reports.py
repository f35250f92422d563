"""What a page reports of the road (RTCP), on its way to aiortc: read for the rate, and for keyframes in time.

aiortc hands such reports only to an encoder of its own. Its packets are known here by their fields, so that it is not
imported twice.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from reactor_nb.media.rate import RoadRate

_NACK: Final = 1
_APPLICATION: Final = 15
_NTP_EPOCH_S: Final = 2_208_988_800
_MASK: Final = 0xFFFFFFFF


class RoadReports:
    """Stands before the handler of a sender's RTCP packets.

    A packet that the page misses and that cannot be sent again, as the road is choked or the sender has forgotten it,
    is replaced by a keyframe at once; the page itself would ask for one only after a while.

    Args:
        ssrc: of the stream; reports of others are passed over.
        handle: what aiortc does with a packet.
        sent: the packets that the sender keeps, by sequence number modulo `kept`.
        want_keyframe, changed: called for a keyframe, and when road.rate_bps is another.
        clock: monotonic seconds.
    Threads: the loop's.
    """

    def __init__(
        self,
        road: RoadRate,
        ssrc: int,
        handle: Callable[[Any], Awaitable[None]],
        sent: Mapping[int, Any],
        kept: int,
        want_keyframe: Callable[[], None],
        changed: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._road = road
        self._ssrc = ssrc
        self._handle = handle
        self._sent = sent
        self._kept = kept
        self._want_keyframe = want_keyframe
        self._changed = changed
        self._clock = clock

    async def came(self, packet: Any) -> None:
        """A packet of the page: a receiver report, a message that packets are missing, an estimate, or another."""
        before_bps, now_s = self._road.rate_bps, self._clock()
        is_done = False
        if hasattr(packet, "reports"):
            self._read(packet.reports, now_s)
        elif hasattr(packet, "fci") and packet.fmt == _APPLICATION:
            estimate_bps = estimate_of(packet.fci, self._ssrc)
            if estimate_bps is not None:
                self._road.estimate(estimate_bps, now_s)
            is_done = True  # aiortc would have no use for it, and fails on one that was cut off.
        elif hasattr(packet, "lost") and packet.fmt == _NACK:
            is_done = self._road.is_choked(now_s)
            if is_done or any(self._is_forgotten(sequence) for sequence in packet.lost):
                self._want_keyframe()
        if self._road.rate_bps != before_bps:
            self._changed()
        if not is_done:
            await self._handle(packet)

    def _read(self, reports: Any, now_s: float) -> None:
        for report in reports:
            if report.ssrc == self._ssrc:
                self._road.report(report.highest_sequence, report.packets_lost, now_s)
                trip_s = round_trip_s(report.lsr, report.dlsr, time.time())
                if trip_s is not None:
                    self._road.round_trip(trip_s, now_s)

    def _is_forgotten(self, sequence: int) -> bool:
        kept = self._sent.get(sequence % self._kept)
        return kept is None or kept.sequence_number != sequence


def round_trip_s(last_report: int, delay: int, now_s: float) -> float | None:
    """From a sender report to the answer that names it, without the time that the page kept it.

    `last_report` and `delay` are in 1/65536 s, the first of NTP's clock, 0 before the first report; `now_s` is
    time.time(). None where nothing can be said.
    """
    if not last_report:
        return None
    now = int((now_s + _NTP_EPOCH_S) * 65536)
    trip_s = ((now - last_report - delay) & _MASK) / 65536
    return trip_s if trip_s < 60.0 else None  # else a clock was set back meanwhile


def estimate_of(fci: bytes, ssrc: int) -> int | None:
    """The bits per second that a REMB message names for a stream; None for one that is cut off or of another kind."""
    if len(fci) < 8 or fci[:4] != b"REMB" or len(fci) < 8 + 4 * fci[4]:
        return None
    if ssrc not in struct.unpack_from(f"!{fci[4]}L", fci, 8):
        return None
    return int.from_bytes(fci[5:8], "big") % (1 << 18) << (fci[5] >> 2)
