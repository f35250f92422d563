"""The port between the kernel's side and the media: frames, SDP, messages and statistics as plain values.

What stands behind it runs on threads of the kernel (transport/thread_link.py) or in a process of its own;
nothing here knows which.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.frames import DeviceLayout
from reactor_nb.core.pacing import DEFAULT_SMOOTHNESS
from reactor_nb.media.quality import DEFAULT_QUALITY, GRADES, Quality

MAX_BITRATE_BPS = GRADES[DEFAULT_QUALITY].cap_bps

MessageListener = Callable[[str, dict[str, Any]], None]
"""(view_id, message): called on a thread of the link's; must return at once."""

PacketListener = Callable[[dict[str, Any], bytes], None]
"""(message, payload): what pages are to be sent by comm, with the bytes that go beside it, or b"".

Called on threads of the link's, in the order in which pages are to hear it; must return at once.
"""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How one session is paced and encoded."""

    rate_fps: float
    max_bitrate_bps: int = MAX_BITRATE_BPS
    """The cap of each encoder. 16 Mbit/s shows a hard moving 720p texture without blocks."""
    quality: Quality = DEFAULT_QUALITY
    """low, balanced, high or exact: what is spent below the cap, see media/quality.py."""
    smoothness: float = DEFAULT_SMOOTHNESS
    """0 to 1: the least delay against the most even play, see core/pacing.py."""

    @property
    def device_layout(self) -> DeviceLayout:
        """What is made of frames on a device: planes, unless the colour of every pixel is wanted."""
        return DeviceLayout.RGB if GRADES[self.quality].is_full_colour else DeviceLayout.PLANES


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """How one page reaches the kernel.

    `hostname` is the host part of the page's address: it decides which address of this machine is offered.
    `interfaces` are further addresses of this machine that may be offered to any page. `ice_servers` are
    the dictionaries of RTCIceServer (`urls`, `username`, `credential`); none is asked unless given, and their
    secrets stand in no `repr`. `wants_relay`: the page found no other way before.
    """

    hostname: str
    ice_servers: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    interfaces: tuple[str, ...] = ()
    wants_relay: bool = False


@dataclass(frozen=True, slots=True)
class CommSettings:
    """How a page wants the picture by the notebook's own connection.

    `codecs`: what it decodes, best first; the first of them that this machine encodes is taken. `is_watching`:
    whether it is sent frames; a view that is not stands by, and takes over where its WebRTC falls silent.
    """

    codecs: tuple[str, ...]
    is_watching: bool


class MediaLink(Protocol):
    """Streams by model name, and the views that watch them.

    Threads: every method may be called from any thread, and none waits for a page. After close() every
    method but close() raises ClosedError.
    """

    def open_stream(self, name: str, settings: StreamSettings) -> FrameSink:
        """The sink of a new session of `name`. The session before is ended; its views stay and follow."""

    def offer(self, name: str, view_id: str, sdp: str, settings: PeerSettings) -> Future[str]:
        """Connect a page's view; the result is the answer's SDP. An older peer of that view is closed.

        The future's exception is a CarrierError with the reason and its mend.
        """

    def close_view(self, name: str, view_id: str) -> None:
        """End both carriers of one view, if there are any. Returns at once."""

    def carry(self, name: str, view_id: str, settings: CommSettings) -> None:
        """Bring a view the picture by comm, or have it stand by. Returns at once.

        Said again it begins with a keyframe, or changes what is asked for. What goes wrong is told to the view, as an
        `error` through the packet listener.
        """

    def heard(self, name: str, view_id: str, message: dict[str, Any]) -> None:
        """What a view said by comm that concerns the media: ack, keyframe, watching, painted, ping, bye.

        Returns at once; of a name or a view that is not there it is passed over.
        """

    def listen_packets(self, name: str, listener: PacketListener) -> None:
        """Be given what the pages of `name` are to be sent by comm. The newest listener replaces."""

    def deafen(self, is_deaf: bool) -> None:
        """Pages cannot be heard by comm while a cell runs: their silence is no sign that they have gone."""

    def send(self, name: str, view_id: str | None, message: dict[str, Any]) -> int:
        """Send a message to one view, or with None to every view of `name`: by data channel where it is open, else
        by comm where the view is carried.

        Returns how many views it was handed to; 0 says that it needs another road.

        Raises:
            MessageError: the message is no JSON or larger than a page accepts.
        """

    def listen(self, name: str, listener: MessageListener) -> None:
        """Be told what pages say of `name`: `call`, `start` and `stop` messages. The newest listener replaces."""

    def close_name(self, name: str) -> None:
        """End the stream, the views and the listener of `name`; waits until its threads are gone."""

    def stats(self, name: str) -> dict[str, Any]:
        """Counts of the stream, its encoders and each view; {} for a name that is not open."""

    def timeline(self, name: str) -> dict[str, Any]:
        """When each of the last 300 frames passed each stage, as Timeline.report; {} for a name that is not open.

        JSON values: times are time.monotonic() in seconds, which all processes of a machine share.
        """

    def where(self) -> dict[str, Any]:
        """`media`: "process" or "threads"; `pid` of the process it runs in; `why` it is not in one of its
        own, or ""; `restarts` after a crash."""

    def on_restart(self, listener: Callable[[], None]) -> None:
        """Be told when every peer was lost at once: views should connect now."""

    def on_note(self, listener: Callable[[str], None]) -> None:
        """Be told, in a sentence, what a person should know: a crash and its reason, an encoder that failed."""

    def close(self, timeout_s: float = 5.0) -> None:
        """End everything and join the threads. Idempotent.

        Raises:
            ReactorError: names what did not stop within timeout_s.
        """
