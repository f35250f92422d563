"""The carrier `comm`: encoded frames as messages of the notebook's own connection, one per frame for all views."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

from reactor_nb.errors import CarrierError
from reactor_nb.media.encoders import RTP_CLOCK_HZ, EncodedFrame
from reactor_nb.media.exact_still import ExactStill
from reactor_nb.media.link import PacketListener

if TYPE_CHECKING:
    from reactor_nb.media.stream import Stream
    from reactor_nb.transport.comm_road import CommRoad
    from reactor_nb.transport.comm_stills import CommStills

_SEQUENCE_BITS: Final = 32

_log = logging.getLogger(__name__)


class CommCarrier:
    """One view that can be brought the picture by comm. See Carrier.

    Threads: changed on the loop, `is_in_step` under the lock of its CommViews.
    """

    kind: Literal["comm"] = "comm"
    is_open = True

    def __init__(
        self,
        view_id: str,
        say: Callable[[str], bool],
        leave: Callable[[str], None],
        road: CommRoad,
        stills: CommStills,
    ) -> None:
        self.view_id = view_id
        self.codec = ""
        self.codecs: tuple[str, ...] = ()
        """What the page decodes, best first."""
        self.is_wanted = False
        """Whether the page asked for frames."""
        self.stands_in = False
        """Whether it is sent frames because its WebRTC has fallen silent."""
        self.is_in_step = False
        """Whether it was sent a keyframe, and every frame since."""
        self.page_report: dict[str, Any] = {}
        self.sent = 0
        self.skipped = 0
        self.unsent = 0
        self._say = say
        self._leave = leave
        self._road = road
        self._stills = stills

    @property
    def is_watching(self) -> bool:
        return self.is_wanted or self.stands_in

    def send_text(self, text: str) -> bool:
        is_taken = self._say(text)
        self.unsent += not is_taken
        return is_taken

    async def close(self) -> None:
        self._leave(self.view_id)

    def stats(self) -> dict[str, Any]:
        return {
            "codec": self.codec,
            "state": self._state(),
            "is_open": True,
            "is_watching": self.is_watching,
            "features": {},
            "road": self._road.stats(self.view_id, time.monotonic()),
            "sent": self.sent,
            "skipped": self.skipped,
            "unsent": self.unsent,
            "stills": self._stills.sent(self.view_id),
            "page": dict(self.page_report),
        }

    def _state(self) -> str:
        if not self.is_watching:
            return "standing by"
        if self._road.is_lost(self.view_id, time.monotonic()):
            return "unheard"
        return "standing in" if self.stands_in else "watching"


class CommGroup:
    """The views that are sent one codec. For its Stream they are one view.

    A frame becomes one packet, whoever it is meant for: Jupyter sends each to every page all the same.

    Args:
        number: of the group within its name; its sequence begins at number << 32, so that an ack of one group is none
            of another.
        lock: guards the members, the road and the counts; shared by all groups of a name, and never held while
            anything else is called.
        listener: where packets go; None while nobody listens.
        sent: called after a frame went out, or found no room.

    Threads: `ready`, `deliver` and `show_still` on the encoder's and the still's, the rest on the loop.
    """

    def __init__(
        self,
        codec: str,
        number: int,
        stream: Stream,
        road: CommRoad,
        lock: threading.Lock,
        listener: Callable[[], PacketListener | None],
        stills: CommStills,
        sent: Callable[[], None],
    ) -> None:
        self.codec = codec
        self.key = f"comm {codec}"
        self._stream = stream
        self._road = road
        self._lock = lock
        self._listener = listener
        self._stills = stills
        self._told_sent = sent
        self.waits = False
        """Whether a frame found no room, and the stream is to be told when there is some."""
        self._sequence = number << _SEQUENCE_BITS
        self._members: dict[str, CommCarrier] = {}
        self._has_failed = False

    @property
    def members(self) -> tuple[CommCarrier, ...]:
        with self._lock:
            return tuple(self._members.values())

    def join(self, carrier: CommCarrier) -> None:
        """From the next keyframe on it is sent every frame."""
        with self._lock:
            carrier.is_in_step = False
            carrier.codec = self.codec
            self._members[carrier.view_id] = carrier

    def leave(self, carrier: CommCarrier) -> bool:
        """It is sent no more; whether nobody is left."""
        with self._lock:
            self._members.pop(carrier.view_id, None)
            carrier.codec = ""
            return not self._members

    def ready(self) -> bool:
        """Whether a frame that is encoded now can be sent at once to somebody, and everybody can take it."""
        now_s = time.monotonic()
        with self._lock:
            is_heard = any(not self._road.is_lost(view_id, now_s) for view_id in self._members)
            is_ready = is_heard and self._road.may_send(now_s)
            is_news, self.waits = not is_ready and not self.waits, not is_ready
        if is_news:
            self._told_sent()
        return is_ready

    def deliver(self, frame: EncodedFrame) -> None:
        """Send a frame to the members that can decode it."""
        listener = self._listener()
        now_s = time.monotonic()
        with self._lock:
            heard = [each for each in self._members.values() if not self._road.is_lost(each.view_id, now_s)]
            told = [each for each in heard if each.is_in_step or frame.is_keyframe]
            for carrier in self._members.values():
                carrier.is_in_step = carrier in told
                carrier.skipped += carrier not in told
            if listener is not None and told:
                self._sequence += 1
                self._road.sent(self._sequence, len(frame.payload), now_s)
            sequence, ack_every = self._sequence, self._road.ack_every()
        if len(told) < len(heard):
            self._stream.request_keyframe(self.codec)
        if listener is None or not told:
            return
        try:
            listener(self._packet(frame, told, sequence, ack_every), frame.payload)
        except Exception as error:
            self._was_not_taken(told, error)
            return
        sent_s = time.monotonic()
        for carrier in told:
            carrier.sent += 1
            self._stream.timeline.sent(carrier.view_id, frame, 0, sent_s)
        self._told_sent()

    def _was_not_taken(self, told: list[CommCarrier], error: Exception) -> None:
        """As by a kernel that does not read. The next keyframe is sent all the same: it may work again."""
        with self._lock:
            for carrier in told:
                carrier.is_in_step = False
                carrier.skipped += 1
        if not isinstance(error, CarrierError) and not self._has_failed:
            self._has_failed = True  # said once: it comes with every frame
            _log.exception("Pages of %s cannot be sent what goes by comm.", self._stream.name)

    def show_still(self, still: ExactStill, rtp_timestamp: int) -> None:
        """Bring a still to the members."""
        self._stills.show([carrier.view_id for carrier in self.members], still, rtp_timestamp)

    def _packet(self, frame: EncodedFrame, told: list[CommCarrier], sequence: int, ack_every: int) -> dict[str, Any]:
        return {
            "type": "packet",
            "to": [carrier.view_id for carrier in told],
            "sequence": sequence,
            "codec": frame.codec,
            "is_keyframe": frame.is_keyframe,
            "rtp_timestamp": frame.rtp_timestamp & 0xFFFFFFFF,
            "shown_kernel_ms": (self._stream.epoch_s + frame.rtp_timestamp / RTP_CLOCK_HZ) * 1000,
            "width_px": frame.width_px,
            "height_px": frame.height_px,
            "rate_fps": frame.rate_fps,
            "ack_every": ack_every,
        }
