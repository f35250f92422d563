"""The WebRTC peers of one model name: one to each view that has reached it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from reactor_nb.errors import CarrierError, ClosedError
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.link import PeerSettings
from reactor_nb.media.stream import Stream
from reactor_nb.transport import protocol
from reactor_nb.transport.addresses import LOOPBACK, offered_addresses
from reactor_nb.transport.gathering import Reach
from reactor_nb.transport.loop import MediaLoop
from reactor_nb.transport.webrtc import Peer


class PeersEvents(Protocol):
    """What the peers tell the views, on the loop."""

    def text_came(self, peer: Peer, text: str | bytes) -> None: ...

    def channel_opened(self, view_id: str) -> None: ...

    def peer_gone(self, peer: Peer) -> None:
        """The peer of a view has ended, and no other took its place."""


class Peers:
    """Joins one Stream with its peers.

    Threads: coroutines and PeerEvents methods on the loop, the others from any.
    """

    def __init__(self, name: str, stream: Stream, loop: MediaLoop, events: PeersEvents) -> None:
        self.name = name
        self._stream = stream
        self._loop = loop
        self._events = events
        self._lock = threading.Lock()
        self._peers: dict[str, Peer] = {}
        self._announced: dict[str, tuple[Any, ...]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._ended: dict[str, int] = {}
        self._is_closed = False

    def get(self, view_id: str) -> Peer | None:
        with self._lock:
            return self._peers.get(view_id)

    def all(self) -> list[Peer]:
        with self._lock:
            return list(self._peers.values())

    def open_ids(self) -> list[str]:
        """The views whose data channel is open."""
        return [peer.view_id for peer in self.all() if peer.is_open]

    def ended(self) -> dict[str, int]:
        """reason -> how many peers ended so."""
        with self._lock:
            return dict(self._ended)

    async def accept(self, view_id: str, sdp: str, settings: PeerSettings) -> str:
        """Answer an offer and attach the view to the stream.

        Raises:
            CarrierError: with the reason and its mend.
        """
        addresses = await offered_addresses(settings)
        await self.drop(view_id)
        codecs = self._stream.codecs()
        if not codecs:
            failed = "; ".join(f"{codec}: {why}" for codec, why in self._stream.codec_errors().items())
            raise CarrierError(f"No video encoder works on this machine. {failed}")
        peer = Peer(view_id, self, is_this_machine=addresses == (LOOPBACK,) and not settings.wants_relay)
        with self._lock:
            if self._is_closed:
                raise ClosedError(f"{self.name} was closed while a page connected.")
            self._peers[view_id] = peer
        try:
            answer = await peer.answer(sdp, codecs, Reach(addresses, settings.ice_servers, settings.wants_relay))
            if not self.is_current(peer):
                raise CarrierError(f"View {view_id} was closed while it connected.")
            self._attach(peer)
        except BaseException:
            await peer.close()
            raise
        return answer

    async def drop(self, view_id: str) -> None:
        """Close the peer of one view, if there is one, and wait for its end."""
        peer = self.get(view_id)
        if peer is not None:
            await peer.close()

    async def close(self) -> None:
        """Close every peer, refuse new ones, and wait until all are gone."""
        with self._lock:
            self._is_closed = True
            peers = list(self._peers.values())
        await asyncio.gather(*(peer.close() for peer in peers))
        await asyncio.gather(*self._closing)

    def codecs_changed(self, codecs: tuple[str, ...]) -> None:
        """A session began: a view that another codec suits better connects again."""
        for peer in self.all():
            if peer.is_outdated(codecs):
                self._loop.post(self.close_soon, peer)

    def codec_failed(self, codec: str) -> None:
        for peer in self.all():
            if peer.codec == codec:
                self._loop.post(self.close_soon, peer)

    def watch(self, peer: Peer, is_watching: bool) -> None:
        """A view that nobody can see costs nothing; seen again, it begins with a keyframe of the newest frame."""
        if is_watching == peer.is_watching or not self.is_current(peer):
            return
        peer.is_watching = is_watching
        if is_watching:
            try:
                self._attach(peer)
            except CarrierError:
                # Its codec does not take the newest frame: the page connects again for another one.
                self.close_soon(peer)
                raise
        else:
            self._stream.detach(peer.view_id)
            peer.packets.pause()

    def is_current(self, peer: Peer) -> bool:
        """Whether it is still the peer of its view."""
        return self.get(peer.view_id) is peer

    def close_soon(self, peer: Peer) -> None:
        """Close a peer without waiting for its end. Threads: the loop."""
        self._spawn(peer.close())

    # ------------------------------------------------------------------ told by a peer

    def text_came(self, peer: Peer, text: str | bytes) -> None:
        self._events.text_came(peer, text)

    def peer_opened(self, peer: Peer) -> None:
        if self.is_current(peer):
            self._events.channel_opened(peer.view_id)

    def frame_sent(self, peer: Peer, frame: EncodedFrame, rtp_origin: int | None) -> None:
        if not self.is_current(peer):
            return
        self._stream.timeline.sent(peer.view_id, frame, rtp_origin, time.monotonic())
        facts = (frame.width_px, frame.height_px, frame.rate_fps, rtp_origin)
        if not peer.is_open or self._announced.get(peer.view_id) == facts:
            return
        self._announced[peer.view_id] = facts
        message = {
            "type": "stream",
            "width_px": frame.width_px,
            "height_px": frame.height_px,
            "rate_fps": frame.rate_fps,
            "rtp_origin": rtp_origin,
            "rtp_origin_kernel_ms": self._stream.epoch_s * 1000,
            "codec": frame.codec,
        }
        peer.send_text(protocol.encode(message))

    def road_changed(self, peer: Peer) -> None:
        self._stream.follow(peer.view_id, peer.road.rate_bps)

    def keyframe_wanted(self, peer: Peer) -> None:
        # A browser that is sent nothing asks for one every few seconds.
        if peer.is_watching:
            self._stream.request_keyframe(peer.codec)

    def peer_ended(self, peer: Peer, reason: str) -> None:
        with self._lock:
            is_current = self._peers.get(peer.view_id) is peer
            if is_current:
                del self._peers[peer.view_id]
            self._ended[reason] = self._ended.get(reason, 0) + 1
        self._spawn(peer.close())
        if is_current:
            self._stream.detach(peer.view_id)
            self._announced.pop(peer.view_id, None)
            self._events.peer_gone(peer)

    # ------------------------------------------------------------------ own

    def _attach(self, peer: Peer) -> None:
        show_still: Callable[..., None] = partial(self._loop.post, peer.show_still)
        self._stream.attach(peer.view_id, peer.codec, partial(self._deliver, peer), show_still)
        self._stream.follow(peer.view_id, peer.road.rate_bps)

    def _deliver(self, peer: Peer, frame: EncodedFrame) -> None:
        """Threads: the encoder's."""
        self._stream.timeline.skip("view", peer.packets.push(frame))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        # The loop keeps only a weak reference to a task.
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
