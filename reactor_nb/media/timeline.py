"""Timeline: when each of the last frames of a stream passed each stage, and what was skipped and why."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from reactor_nb.core.buffer import BufferedFrame
from reactor_nb.core.stages import KEPT_FRAMES, best_view, joined, latency_percentiles, stage_percentiles

if TYPE_CHECKING:
    from reactor_nb.media.encoders import EncodedFrame

BITS_WINDOW_S = 5.0
"""Bits per second are counted over so many seconds."""

_UNKNOWN = math.nan
_RowT = TypeVar("_RowT", bound=tuple[Any, ...])


@dataclass(slots=True)
class _Sent:
    """A frame on its way to one view. `rtp_timestamp` as the packets carry it; -1 where that is unknown."""

    number: int
    rtp_timestamp: int
    sent_s: float
    received_s: float = _UNKNOWN
    decoded_s: float = _UNKNOWN
    painted_s: float = _UNKNOWN


@dataclass(slots=True)
class _Viewed:
    """What is known of one view."""

    codec: str = ""
    sent: dict[int, _Sent] = field(default_factory=dict)
    sent_frames: int = 0
    newest_timestamp: int = -1
    painted: int = 0
    skipped: int = 0
    is_counted: bool = False


class Timeline:
    """The times of the last KEPT_FRAMES frames of the newest session, and counts of all of them.

    Every time is time.monotonic() in seconds, which all processes of a machine share.

    Threads: every method from any; one lock guards every field and is held for microseconds, but in `report` and
        `summary`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._views: dict[str, _Viewed] = {}
        self._first_encoded_s = math.inf
        self._clear()

    def begin(self) -> None:
        """A new session: numbers and counts start from 0, the views stay."""
        with self._lock:
            self._clear()
            for view in self._views.values():
                view.sent.clear()

    def shown(self, frame: BufferedFrame, is_watched: bool) -> None:
        """The clock played a frame; without a watched codec it goes no further, and is counted as unwatched."""
        converted_s = getattr(frame, "converted_s", _UNKNOWN)
        due_s = getattr(frame, "due_s", _UNKNOWN)
        with self._lock:
            self._played += 1
            self._unwatched += not is_watched
            self._shown[frame.number % KEPT_FRAMES] = (
                frame.number,
                frame.emitted_s,
                converted_s,
                due_s,
                frame.played_s,
                is_watched,
            )

    def encoded(self, frame: EncodedFrame) -> None:
        """A frame is ready to be sent. Encoded once more, for a keyframe, it is counted and its times are kept."""
        with self._lock:
            self._encoded += 1
            ring = self._codecs.get(frame.codec)
            if ring is None:
                ring = self._codecs[frame.codec] = [None] * KEPT_FRAMES
            slot = frame.number % KEPT_FRAMES
            before = ring[slot]
            shown = self._shown[slot]
            is_first = before is None or before[0] != frame.number
            # What stood still until somebody came to look is no time of encoding, and the last frame of the session
            # before may have a number of this one.
            is_shown = shown is not None and shown[0] == frame.number and shown[5] and frame.began_s >= shown[4]
            if is_first and is_shown:
                ring[slot] = (frame.number, frame.began_s, frame.encoded_s, len(frame.payload), frame.is_keyframe)
            self._first_encoded_s = min(self._first_encoded_s, frame.encoded_s)
            self._bytes.append((frame.encoded_s, len(frame.payload)))

    def sent(self, view_id: str, frame: EncodedFrame, rtp_origin: int | None, now_s: float) -> None:
        """The last packet of a frame has gone out to a view. A frame that is sent again keeps its first time."""
        with self._lock:
            view = self._views.setdefault(view_id, _Viewed())
            view.codec = frame.codec
            ring = self._codecs.get(frame.codec)
            known = ring[frame.number % KEPT_FRAMES] if ring is not None else None
            if frame.rtp_timestamp == view.newest_timestamp:
                return  # told once more, as the view's channel has opened
            view.newest_timestamp = frame.rtp_timestamp
            self._sent += 1
            view.sent_frames += 1
            if known is None or known[0] != frame.number or frame.number in view.sent:
                return
            timestamp = -1 if rtp_origin is None else (frame.rtp_timestamp + rtp_origin) & 0xFFFFFFFF
            view.sent[frame.number] = _Sent(frame.number, timestamp, now_s)
            if len(view.sent) > KEPT_FRAMES:
                del view.sent[next(iter(view.sent))]

    def painted(self, view_id: str, painted: int, skipped: int, frames: Sequence[float]) -> None:
        """What a page says of itself once a second.

        Args:
            painted, skipped: counts since its view was made.
            frames: groups of four: RTP timestamp, then received, decoded and drawn in milliseconds of this clock;
                -1 for what is unknown. What belongs to no frame that was sent is passed over.
        """
        painted, skipped = max(0, painted), max(0, skipped)
        with self._lock:
            view = self._views.setdefault(view_id, _Viewed())
            if not view.is_counted:
                # A view may be older than this stream: of its first report counts what was sent to it.
                view.painted = max(0, painted - view.sent_frames)
                view.skipped = skipped if view.painted else 0
            # One that was made anew under the old name begins at 0 again.
            self._painted += painted - view.painted if painted >= view.painted else painted
            self._count("page", skipped - view.skipped if skipped >= view.skipped else skipped)
            view.painted, view.skipped, view.is_counted = painted, skipped, True
            if not frames:
                return
            unpainted = (sent for sent in view.sent.values() if math.isnan(sent.painted_s))
            waiting = {sent.rtp_timestamp: sent for sent in unpainted if sent.rtp_timestamp >= 0}
            for group in range(0, len(frames) - 3, 4):
                sent = waiting.get(int(frames[group]))
                if sent is not None:
                    sent.received_s, sent.decoded_s, sent.painted_s = (
                        at_ms / 1000 if at_ms >= 0 else _UNKNOWN for at_ms in frames[group + 1 : group + 4]
                    )

    def skip(self, reason: str, count: int = 1) -> None:
        """Frames go no further: `clock`, `encoder` or `view` did not keep up, or no `codec` took them. See hold()."""
        with self._lock:
            self._count(reason, count)

    def hold(self, codec: str, number: int) -> None:
        """No `road` had room for this frame before the next one came: it is not encoded in this codec."""
        with self._lock:
            self._count("road", 1)
            self._held.setdefault(codec, deque(maxlen=KEPT_FRAMES)).append(number)

    def leave(self) -> None:
        """The last view of a codec left while a frame waited to be encoded: nobody watches it any more."""
        with self._lock:
            self._unwatched += 1

    def forget(self, view_id: str) -> None:
        """A view is gone; what it had painted stays counted."""
        with self._lock:
            self._views.pop(view_id, None)

    def report(self) -> dict[str, Any]:
        """The times that are kept, as JSON values; null is unknown.

        `frames`: rows of number, emitted_s, converted_s, due_s, played_s. `codecs`: codec -> rows of number, began_s,
        encoded_s, bytes, is_keyframe. `views`: view_id -> {"codec", "frames": rows of number, sent_s, received_s,
        decoded_s, painted_s}. Oldest first. `held`: codec -> numbers that no road had room for. `skipped`: reason ->
        frames of the whole session.
        """
        with self._lock:  # copied, as the rows take their time
            shown = self._shown.copy()
            codecs = {codec: ring.copy() for codec, ring in self._codecs.items()}
            views = {view_id: (view.codec, list(view.sent.values())) for view_id, view in self._views.items()}
            held = {codec: list(numbers) for codec, numbers in self._held.items()}
            skipped = dict(self._skipped)
        return {
            "frames": [[row[0], *map(_known, row[1:5])] for row in _ordered(shown)],
            "codecs": {
                codec: [[row[0], _known(row[1]), _known(row[2]), row[3], row[4]] for row in _ordered(ring)]
                for codec, ring in codecs.items()
            },
            "views": {
                view_id: {
                    "codec": codec,
                    "frames": [
                        [sent.number, *map(_known, (sent.sent_s, sent.received_s, sent.decoded_s, sent.painted_s))]
                        for sent in frames
                    ],
                }
                for view_id, (codec, frames) in views.items()
            },
            "held": held,
            "skipped": skipped,
        }

    def summary(self) -> dict[str, Any]:
        """Counts of the session: shown, encoded, sent, painted, unwatched, skipped by reason; `bits_per_s`.

        `latency_ms` from emit_block to the picture and `stages` in milliseconds, each as {"p50", "p95"} over the
        frames that are kept, of the view that painted most of them; `views_ms` has each view's latency.
        """
        report = self.report()
        rows = {view_id: joined(report, view_id) for view_id in report["views"]}
        chosen = best_view(report)
        latencies = {view_id: latency_percentiles(rows[view_id]) for view_id in rows}
        now_s = time.monotonic()
        with self._lock:
            recent = [(at_s, size) for at_s, size in self._bytes if at_s > now_s - BITS_WINDOW_S]
            # A ring that is full of younger frames does not reach back that far.
            is_full = len(recent) == KEPT_FRAMES
            span_s = max(now_s - recent[0][0], 0.1) if recent and is_full else min(BITS_WINDOW_S, self._age_s(now_s))
            return {
                "shown": self._played,
                "encoded": self._encoded,
                "sent": self._sent,
                "painted": self._painted,
                "unwatched": self._unwatched,
                "skipped": dict(self._skipped),
                "bits_per_s": 8 * sum(size for _, size in recent) / span_s,
                "latency_ms": latencies.get(chosen) if chosen is not None else None,
                "stages": stage_percentiles(rows[chosen] if chosen is not None else joined(report, None)),
                "views_ms": latencies,
            }

    def _age_s(self, now_s: float) -> float:
        """Since the first frame that was encoded in this session; one frame alone makes no rate of bits."""
        return max(1.0, now_s - self._first_encoded_s)

    def _clear(self) -> None:
        self._shown: list[tuple[int, float, float, float, float, bool] | None] = [None] * KEPT_FRAMES
        self._codecs: dict[str, list[tuple[int, float, float, int, bool] | None]] = {}
        self._bytes: deque[tuple[float, int]] = deque(maxlen=KEPT_FRAMES)
        self._first_encoded_s = math.inf
        self._played = self._unwatched = self._encoded = self._sent = self._painted = 0
        self._skipped: dict[str, int] = {}
        self._held: dict[str, deque[int]] = {}

    def _count(self, reason: str, count: int) -> None:
        if count > 0:
            self._skipped[reason] = self._skipped.get(reason, 0) + count


def _ordered(ring: Sequence[_RowT | None]) -> list[_RowT]:
    """The rows of a ring that belong to its newest KEPT_FRAMES numbers, oldest first."""
    rows = [row for row in ring if row is not None]
    newest = max((row[0] for row in rows), default=0)
    return sorted((row for row in rows if row[0] > newest - KEPT_FRAMES), key=lambda row: row[0])


def _known(at_s: float) -> float | None:
    return None if math.isnan(at_s) else at_s
