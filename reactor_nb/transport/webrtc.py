"""One WebRTC connection: a page's view that gets pictures and sends calls. The only file that imports aiortc.

aiortc has no setting for five things that this needs. Each is done on the instance, behind a check, and
`stats()["features"]` says which could be: the addresses that are bound (required: nothing else may be offered),
the playout-delay extension, keyframe requests, the RTP origin for the page's latency clock, and what the page
reports of the road (RTCP), which aiortc hands only to an encoder of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters
from aiortc.rtp import RTP_HISTORY_SIZE

from reactor_nb.errors import CarrierError
from reactor_nb.media.codecs import CODECS, as_packet
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.exact_still import ExactStill
from reactor_nb.media.quality import FULL_COLOUR
from reactor_nb.media.rate import RoadRate
from reactor_nb.transport import playout_delay
from reactor_nb.transport.addresses import extension_id, usable_offer
from reactor_nb.transport.full_colour import FullColour, full_colour_of
from reactor_nb.transport.gathering import Gathering, Reach
from reactor_nb.transport.packets import PacketQueue
from reactor_nb.transport.road_reports import RoadReports
from reactor_nb.transport.still_sender import StillSender

CHANNEL_LABEL = "calls"
SILENCE_S = 10.0
CLOSE_TIMEOUT_S = 3.0
MAX_BUFFERED_BYTES = 1_000_000

_MAP_ATTRIBUTE = "_RTCRtpSender__rtp_header_extensions_map"
_HISTORY_ATTRIBUTE = "_RTCRtpSender__rtp_history"
_TIMESTAMP_ATTRIBUTE = "_RTCRtpSender__rtp_timestamp"

_log = logging.getLogger(__name__)


class PeerEvents(Protocol):
    """What a peer tells its owner, all on the loop's thread."""

    def text_came(self, peer: Peer, text: str | bytes) -> None: ...

    def peer_opened(self, peer: Peer) -> None:
        """Once, when the data channel is there."""

    def frame_sent(self, peer: Peer, frame: EncodedFrame, rtp_origin: int | None) -> None:
        """After each frame, and once more for the last one when the data channel opens."""

    def keyframe_wanted(self, peer: Peer) -> None: ...

    def road_changed(self, peer: Peer) -> None:
        """`peer.road.rate_bps` is another."""

    def peer_ended(self, peer: Peer, reason: str) -> None: ...


class Peer:
    """A connection to one view, from its offer to its end.

    It ends, once, by close(), by the page (channel or connection closed), or after SILENCE_S without a
    message; `peer_ended` then says why, and close() is still to be called by the owner.

    Threads: made, used and closed on the loop; `packets.push` and the attributes from any.
    """

    kind: Literal["webrtc"] = "webrtc"

    def __init__(self, view_id: str, events: PeerEvents, *, is_this_machine: bool = True) -> None:
        self.view_id = view_id
        self.road = RoadRate(is_this_machine)
        self.codec = ""
        self.is_open = False
        self.is_watching = True
        """Whether somebody can see the picture, as the page says. Its owner sends only then."""
        self.was_lost = False
        """Whether it ended without anybody wanting that."""
        self.features: dict[str, bool] = {}
        self.page_report: dict[str, Any] = {}
        self.unsent = 0
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._connection: RTCPeerConnection | None = None
        self._gathering: Gathering | None = None
        self._channel: RTCDataChannel | None = None
        self._stills: StillSender | None = None
        self._waiting_still: tuple[ExactStill, int] | None = None
        self._is_ended = False
        self._answering = asyncio.Lock()
        self._heard_s = self._loop.time()
        self._full_colour: FullColour | None = None
        self._last_sent: tuple[EncodedFrame, int | None] | None = None
        self._silence: asyncio.TimerHandle | None = None
        self.packets = PacketQueue(self._want_keyframe)

    async def answer(self, sdp: str, codecs: Sequence[str], reach: Reach) -> str:
        """Accept an offer; the SDP to send back. `codec` says what was agreed on.

        Raises:
            CarrierError: the offer cannot be answered.
        """
        # The servers are asked by Gathering; without a list of its own aiortc asks a public one.
        connection = self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        connection.on("datachannel", self._channel_came)
        connection.on("connectionstatechange", self._state_changed)
        track = _PacketTrack(self.packets, self._frame_sent)
        transceiver = connection.addTransceiver(track, direction="sendonly")
        transceiver.setCodecPreferences(_preferences(codecs))
        try:
            async with self._answering:
                await connection.setRemoteDescription(RTCSessionDescription(usable_offer(sdp), "offer"))
                self.codec = transceiver._codecs[0].name
                self._full_colour = full_colour_of(sdp) if self.codec == "H264" else None
                if self._full_colour is not None and FULL_COLOUR in codecs:
                    transceiver._codecs = _full_colour_codecs(transceiver._codecs, self._full_colour)
                    self.codec = FULL_COLOUR
                track.sender = transceiver.sender
                self._gather_only(connection, reach)
                self._tune(transceiver, extension_id(sdp, playout_delay.URI))
                await connection.setLocalDescription(await connection.createAnswer())
                answer: str = connection.localDescription.sdp
        except (OperationError, InvalidStateError, InvalidAccessError, ValueError, IndexError, KeyError) as error:
            raise CarrierError(
                f"The page's offer cannot be answered: {error or type(error).__name__}. It needs one recvonly "
                f"video section with {' or '.join(CODECS)}, and a data channel."
            ) from error
        if "a=candidate:" not in answer:
            raise CarrierError(_no_candidate(reach, self._gathering))
        self._silence = self._loop.call_later(SILENCE_S, self._check_silence, self._loop.time() + SILENCE_S)
        return answer

    def is_outdated(self, codecs: Sequence[str]) -> bool:
        """Whether the page would be sent the other of the two kinds of H.264 if it connected now."""
        if self.codec not in ("H264", FULL_COLOUR):
            return False
        return (self.codec == FULL_COLOUR) != (self._full_colour is not None and FULL_COLOUR in codecs)

    def send_text(self, text: str) -> bool:
        """Send one message by the data channel; False if it is closed or far behind. Never waits."""
        channel = self._channel
        if channel is None or channel.readyState != "open" or channel.bufferedAmount > MAX_BUFFERED_BYTES:
            self.unsent += 1
            return False
        try:
            channel.send(text)
        except ValueError as error:
            self.unsent += 1
            _log.warning("A message to view %s was not sent: %s", self.view_id, error)
            return False
        return True

    def show_still(self, still: ExactStill, rtp_timestamp: int) -> None:
        """Send a still, or say that the frame encoded under `rtp_timestamp` shows one that the page has."""
        self._waiting_still = (still, rtp_timestamp)
        self._show_still()

    def _show_still(self) -> None:
        # Until a frame was sent nobody knows by which timestamps the page will see them.
        if self._waiting_still is None or self._stills is None or self._last_sent is None or self._is_ended:
            return
        (still, rtp_timestamp), self._waiting_still = self._waiting_still, None
        origin = self._last_sent[1]
        self._stills.show(still, None if origin is None else (origin + rtp_timestamp) & 0xFFFFFFFF)

    async def close(self) -> None:
        """End the connection and wait until its tasks and sockets are gone. Idempotent."""
        self._end("closed")
        # aioice would leave the socket of a gathering that is closed half way.
        async with self._answering:
            connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            # The BYE and the shutdown of DTLS tell the page at once, it need not wait for a silence.
            await asyncio.wait_for(connection.close(), CLOSE_TIMEOUT_S)
        except TimeoutError:
            _log.error("The peer of view %s did not close within %g s.", self.view_id, CLOSE_TIMEOUT_S)

    def stats(self) -> dict[str, Any]:
        """Plain values: codec, state, features, skipped frames, unsent messages, what the page reported."""
        connection = self._connection
        return {
            "codec": self.codec,
            "state": connection.connectionState if connection is not None else "closed",
            "is_open": self.is_open,
            "is_watching": self.is_watching,
            "features": dict(self.features),
            "road": self.road.stats(),
            "skipped": self.packets.skipped,
            "unsent": self.unsent,
            "pair": self._gathering.pair if self._gathering is not None else {},
            "relays": dict(self._gathering.relays) if self._gathering is not None else {},
            "stills": self._stills.sent if self._stills is not None else 0,
            "page": dict(self.page_report),
        }

    def _end(self, reason: str, *, was_lost: bool = False) -> None:
        if self._is_ended:
            return
        self._is_ended = True
        self.was_lost = was_lost
        self.is_open = False
        self.packets.close()
        if self._silence is not None:
            self._silence.cancel()
        if self._stills is not None:
            self._stills.close()
        self._events.peer_ended(self, reason)

    def _channel_came(self, channel: RTCDataChannel) -> None:
        if channel.label != CHANNEL_LABEL or self._channel is not None:
            channel.close()
            return
        self._channel = channel
        self._stills = StillSender(channel)
        self._heard_s = self._loop.time()
        channel.on("message", self._text_came)
        channel.on("close", lambda: self._end("the page closed the data channel"))
        self.is_open = not self._is_ended
        if self.is_open:
            self._events.peer_opened(self)
        if self._last_sent is not None:
            self._events.frame_sent(self, *self._last_sent)
        self._show_still()

    def _text_came(self, text: str | bytes) -> None:
        self._heard_s = self._loop.time()
        self._events.text_came(self, text)

    def _state_changed(self) -> None:
        state = self._connection.connectionState if self._connection is not None else "closed"
        if state in ("failed", "closed"):
            self._end(f"the connection {state}", was_lost=state == "failed")

    def _check_silence(self, due_s: float) -> None:
        now_s = self._loop.time()
        # After a pause of the whole process the page's pings still wait in the socket: read them first.
        last_s = now_s - SILENCE_S + 2.0 if now_s - due_s > 1.0 else self._heard_s
        remaining_s = max(self._heard_s, last_s) + SILENCE_S - now_s
        if remaining_s <= 0:
            self._end(f"no message of the page for {SILENCE_S:g} s", was_lost=True)
        else:
            self._silence = self._loop.call_later(remaining_s, self._check_silence, now_s + remaining_s)

    def _frame_sent(self, frame: EncodedFrame, rtp_origin: int | None) -> None:
        self._last_sent = (frame, rtp_origin)
        self.road.sent(len(frame.payload), self._loop.time())
        self._events.frame_sent(self, frame, rtp_origin)
        self._show_still()

    def _want_keyframe(self) -> None:
        self._events.keyframe_wanted(self)

    def _gather_only(self, connection: RTCPeerConnection, reach: Reach) -> None:
        for transceiver in connection.getTransceivers():
            agent = getattr(transceiver.receiver.transport.transport.iceGatherer, "_connection", None)
            self._gathering = Gathering(agent, reach)

    def _tune(self, transceiver: Any, playout_delay_id: int | None) -> None:
        sender = transceiver.sender
        extensions = getattr(transceiver, "_headerExtensions", None)
        inner = getattr(sender, _MAP_ATTRIBUTE, None)
        can_delay = playout_delay_id is not None and isinstance(extensions, list) and hasattr(inner, "set")
        if can_delay:
            assert playout_delay_id is not None and extensions is not None
            extensions.append(RTCRtpHeaderExtensionParameters(id=playout_delay_id, uri=playout_delay.URI))
            setattr(sender, _MAP_ATTRIBUTE, playout_delay.PlayoutDelayMap(inner, playout_delay_id))
        handle = getattr(sender, "_handle_rtcp_packet", None)
        if handle is not None:
            sender._handle_rtcp_packet = RoadReports(
                self.road,
                sender._ssrc,
                handle,
                sent=getattr(sender, _HISTORY_ATTRIBUTE, {}),
                kept=RTP_HISTORY_SIZE,
                want_keyframe=self._want_keyframe,
                changed=lambda: self._events.road_changed(self),
                clock=self._loop.time,
            ).came
        can_ask = hasattr(sender, "_send_keyframe")
        if can_ask:
            sender._send_keyframe = self._want_keyframe
        self.features = {
            "playout_delay": can_delay,
            "keyframe_requests": can_ask,
            "rtp_origin": hasattr(sender, _TIMESTAMP_ATTRIBUTE),
            "road_reports": handle is not None,
        }


class _PacketTrack(MediaStreamTrack):
    """Feeds a sender with encoded frames, and sees after each which RTP timestamp it was sent under."""

    kind = "video"

    def __init__(self, packets: PacketQueue, sent: Callable[[EncodedFrame, int | None], None]) -> None:
        super().__init__()
        self.sender: RTCRtpSender | None = None
        self._packets = packets
        self._sent = sent
        self._last: EncodedFrame | None = None

    async def recv(self) -> Any:
        # The sender asks for the next frame when every packet of the last is sent, so its last timestamp is
        # that frame's: the random origin it adds is the difference.
        if self._last is not None:
            sent_as = getattr(self.sender, _TIMESTAMP_ATTRIBUTE, None)
            origin = (sent_as - self._last.rtp_timestamp) & 0xFFFFFFFF if isinstance(sent_as, int) else None
            self._sent(self._last, origin)
        self._last = frame = await self._packets.get()
        if frame is None:
            raise MediaStreamError
        return as_packet(frame)


def _no_candidate(reach: Reach, gathering: Gathering | None) -> str:
    if reach.addresses:
        return f"No UDP port could be opened on {', '.join(reach.addresses)}."
    relays = gathering.relays if gathering is not None else {}
    said = "; ".join(f"{relay}: {why}" for relay, why in relays.items())
    return f"No TURN server lent this machine an address. {said}. What the kernel asks: %reactor doctor"


def _full_colour_codecs(agreed: Sequence[Any], full: FullColour) -> list[Any]:
    """The agreed H.264 under the payload types of full colour, a profile that aiortc packs without knowing it."""
    codec = replace(agreed[0], payloadType=full.payload_type, parameters=dict(full.parameters))
    resent = next((other for other in agreed if other.name.lower() == "rtx"), None)
    if resent is None or full.again_payload_type is None:
        return [codec]
    parameters = {"apt": full.payload_type}
    return [codec, replace(resent, payloadType=full.again_payload_type, parameters=parameters)]


def _preferences(codecs: Sequence[str]) -> list[Any]:
    capabilities = RTCRtpSender.getCapabilities("video").codecs
    chosen = [capability for capability in capabilities if capability.name in codecs]
    # Of the H.264 profiles constrained baseline first: it is what the encoder makes and every browser has.
    chosen.sort(key=lambda found: (codecs.index(found.name), found.parameters.get("profile-level-id") != "42e01f"))
    return [*chosen, *(capability for capability in capabilities if capability.name == "rtx")]
