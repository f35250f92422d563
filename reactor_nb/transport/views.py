"""The views of one model name: their peers, what they are sent and what they say."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from reactor_nb.core.frame_queue import FrameSource
from reactor_nb.errors import CarrierError, ClosedError, MessageError, ReactorError
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.link import MessageListener, PeerSettings, StreamSettings
from reactor_nb.media.stream import Stream
from reactor_nb.transport import protocol
from reactor_nb.transport.addresses import LOOPBACK, offered_addresses
from reactor_nb.transport.loop import MediaLoop
from reactor_nb.transport.page_report import plausible_report
from reactor_nb.transport.webrtc import Peer

MAX_POSTED = 1000
"""Sends that wait for the loop; a model that sends faster than pages can be told is cut off here, and counted."""

_FORWARDED = ("call", "control", "start", "stop")

_log = logging.getLogger(__name__)


OpenListener = Callable[[str, list[str]], None]
"""(name, view_ids): which views of a name have an open data channel, in full after each change; on the loop."""


class Views:
    """Joins one Stream with the peers that watch it.

    Threads: coroutines and PeerEvents methods on the loop, the others from any.
    """

    def __init__(self, name: str, loop: MediaLoop, open_changed: OpenListener = lambda name, view_ids: None) -> None:
        self.name = name
        self.stream = Stream(name, self._codec_failed)
        self.listener: MessageListener | None = None
        self._loop = loop
        self._open_changed = open_changed
        self._lock = threading.Lock()
        self._peers: dict[str, Peer] = {}
        self._announced: dict[str, tuple[Any, ...]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._posted = 0
        self._unsent = 0
        self._ended: dict[str, int] = {}
        self._is_closed = False

    def open(self, settings: StreamSettings, source: FrameSource) -> None:
        """Play the frames of a new session. A view that another codec suits better now connects again."""
        self.stream.open(settings, source)
        codecs = self.stream.codecs()
        with self._lock:
            peers = list(self._peers.values())
        for peer in peers:
            if peer.is_outdated(codecs):
                self._loop.post(self._close_later, peer)

    async def accept(self, view_id: str, sdp: str, settings: PeerSettings) -> str:
        """Answer an offer and attach the view to the stream.

        Raises:
            CarrierError: with the reason and its mend.
        """
        addresses = await offered_addresses(settings)
        await self.drop(view_id)
        codecs = self.stream.codecs()
        if not codecs:
            failed = "; ".join(f"{codec}: {why}" for codec, why in self.stream.codec_errors().items())
            raise CarrierError(f"No video encoder works on this machine. {failed}")
        peer = Peer(view_id, self, is_this_machine=addresses == (LOOPBACK,))
        with self._lock:
            if self._is_closed:
                raise ClosedError(f"{self.name} was closed while a page connected.")
            self._peers[view_id] = peer
        try:
            answer = await peer.answer(sdp, codecs, addresses, settings.ice_servers)
            if not self._is_current(peer):
                raise CarrierError(f"View {view_id} was closed while it connected.")
            self._attach(peer)
        except BaseException:
            await peer.close()
            raise
        return answer

    async def drop(self, view_id: str) -> None:
        """Close the peer of one view, if there is one, and wait for its end."""
        with self._lock:
            peer = self._peers.get(view_id)
        if peer is not None:
            await peer.close()

    async def close_peers(self) -> None:
        """Close every peer, refuse new ones, and wait until all are gone."""
        with self._lock:
            self._is_closed = True
            peers = list(self._peers.values())
        await asyncio.gather(*(peer.close() for peer in peers))
        await asyncio.gather(*self._closing)

    def send(self, view_id: str | None, message: dict[str, Any]) -> int:
        """Hand a message to one or every open view; how many. MessageError if it is none."""
        return self.send_text(view_id, protocol.encode(message))

    def send_text(self, view_id: str | None, text: str) -> int:
        """The same for a message that protocol.encode has made text of."""
        with self._lock:
            if view_id is None:
                targets = [peer for peer in self._peers.values() if peer.is_open]
            else:
                targets = [peer for peer in (self._peers.get(view_id),) if peer is not None and peer.is_open]
            if targets and self._posted >= MAX_POSTED:
                self._unsent += len(targets)
                return 0
            self._posted += bool(targets)
        if targets:
            self._loop.post(self._send_now, targets, text)
        return len(targets)

    def stats(self) -> dict[str, Any]:
        """The stream's counts, `peers` by view, `ended` peers by reason, `unsent` messages."""
        stream = self.stream.stats()
        with self._lock:
            return {
                **stream,
                "peers": {view_id: peer.stats() for view_id, peer in self._peers.items()},
                "ended": dict(self._ended),
                "unsent": self._unsent,
            }

    def text_came(self, peer: Peer, text: str | bytes) -> None:
        try:
            message = protocol.parse(text)
            kind = message["type"]
            if kind == "ping":
                pong = {"sent_ms": message["sent_ms"], "kernel_ms": time.monotonic() * 1000}
                self._say(peer, {"type": "pong", **pong, "wait_ms": self.stream.wait_s * 1000})
            elif kind == "painted":
                report = peer.page_report = plausible_report(message)
                if self._is_current(peer):
                    self.stream.timeline.painted(
                        peer.view_id, report["painted"], report["skipped"], message.get("frames", ())
                    )
            elif kind == "watching":
                self._watch(peer, message["is_watching"])
            elif kind == "keyframe":
                self.keyframe_wanted(peer)
            elif kind == "bye":
                self._spawn(peer.close())
            elif kind in _FORWARDED:
                self._forward(peer, message)
            else:
                raise MessageError(f"A {kind} message came by data channel; send it by comm.")
        except ReactorError as error:
            self._say(peer, protocol.answer_to(error))

    def peer_opened(self, peer: Peer) -> None:
        self._tell_open()

    def frame_sent(self, peer: Peer, frame: EncodedFrame, rtp_origin: int | None) -> None:
        if not self._is_current(peer):
            return
        self.stream.timeline.sent(peer.view_id, frame, rtp_origin, time.monotonic())
        facts = (frame.width_px, frame.height_px, frame.rate_fps, rtp_origin)
        if not peer.is_open or self._announced.get(peer.view_id) == facts:
            return
        self._announced[peer.view_id] = facts
        self._say(
            peer,
            {
                "type": "stream",
                "width_px": frame.width_px,
                "height_px": frame.height_px,
                "rate_fps": frame.rate_fps,
                "rtp_origin": rtp_origin,
                "rtp_origin_kernel_ms": self.stream.epoch_s * 1000,
                "codec": frame.codec,
            },
        )

    def road_changed(self, peer: Peer) -> None:
        self.stream.follow(peer.view_id, peer.road.rate_bps)

    def keyframe_wanted(self, peer: Peer) -> None:
        # A browser that is sent nothing asks for one every few seconds.
        if peer.is_watching:
            self.stream.request_keyframe(peer.codec)

    def peer_ended(self, peer: Peer, reason: str) -> None:
        with self._lock:
            is_current = self._peers.get(peer.view_id) is peer
            if is_current:
                del self._peers[peer.view_id]
            self._ended[reason] = self._ended.get(reason, 0) + 1
        if is_current:
            self.stream.detach(peer.view_id)
            self.stream.timeline.forget(peer.view_id)
            self._announced.pop(peer.view_id, None)
            self._tell_open()
        self._spawn(peer.close())

    def _attach(self, peer: Peer) -> None:
        show_still = partial(self._loop.post, peer.show_still)
        self.stream.attach(peer.view_id, peer.codec, partial(self._deliver, peer), show_still)
        self.stream.follow(peer.view_id, peer.road.rate_bps)

    def _watch(self, peer: Peer, is_watching: bool) -> None:
        """A view that nobody can see costs nothing; seen again, it begins with a keyframe of the newest frame."""
        if is_watching == peer.is_watching or not self._is_current(peer):
            return
        peer.is_watching = is_watching
        if is_watching:
            try:
                self._attach(peer)
            except CarrierError:
                # Its codec does not take the newest frame: the page connects again for another one.
                self._spawn(peer.close())
                raise
        else:
            self.stream.detach(peer.view_id)
            peer.packets.pause()

    def _deliver(self, peer: Peer, frame: EncodedFrame) -> None:
        """Threads: the encoder's."""
        self.stream.timeline.skip("view", peer.packets.push(frame))

    def _forward(self, peer: Peer, message: dict[str, Any]) -> None:
        listener = self.listener
        if listener is None:
            self._refuse(peer, message, protocol.nobody_listens(self.name))
            return
        try:
            listener(peer.view_id, message)
        except CarrierError as full:  # a kernel that does not read; a page that goes on would fill the log
            self._refuse(peer, message, full)
        except Exception as error:
            _log.exception("The listener of %s failed on a %s message.", self.name, message["type"])
            self._refuse(peer, message, error)

    def _refuse(self, peer: Peer, message: dict[str, Any], error: Exception) -> None:
        self._say(peer, protocol.refusal(message, error))

    def _tell_open(self) -> None:
        with self._lock:
            view_ids = [view_id for view_id, peer in self._peers.items() if peer.is_open]
        self._open_changed(self.name, view_ids)

    def _say(self, peer: Peer, message: dict[str, Any]) -> None:
        peer.send_text(protocol.encode(message))

    def _send_now(self, peers: list[Peer], text: str) -> None:
        with self._lock:
            self._posted -= 1
        for peer in peers:
            peer.send_text(text)

    def _is_current(self, peer: Peer) -> bool:
        with self._lock:
            return self._peers.get(peer.view_id) is peer

    def _codec_failed(self, codec: str) -> None:
        with self._lock:
            peers = [peer for peer in self._peers.values() if peer.codec == codec]
        for peer in peers:
            self._loop.post(self._close_later, peer)

    def _close_later(self, peer: Peer) -> None:
        self._spawn(peer.close())

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        # The loop keeps only a weak reference to a task.
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
