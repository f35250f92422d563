"""The views of one model name: their carriers, what they are sent and what they say."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from reactor_nb.core.frame_queue import FrameSource
from reactor_nb.errors import CarrierError, MessageError, ReactorError
from reactor_nb.media.link import CommSettings, MessageListener, PacketListener, PeerSettings, StreamSettings
from reactor_nb.media.stream import Stream
from reactor_nb.transport import protocol
from reactor_nb.transport.carrier import Carrier
from reactor_nb.transport.comm_views import CommViews
from reactor_nb.transport.loop import MediaLoop
from reactor_nb.transport.page_report import plausible_report
from reactor_nb.transport.peers import Peers
from reactor_nb.transport.silence import ChannelSilence
from reactor_nb.transport.webrtc import Peer

MAX_POSTED = 1000
"""Sends that wait for the loop; a model that sends faster than pages can be told is cut off here, and counted."""

_FORWARDED = ("call", "control", "start", "stop")

_log = logging.getLogger(__name__)


OpenListener = Callable[[str, list[str]], None]
"""(name, view_ids): which views of a name have an open data channel, in full after each change; on the loop."""


class Views:
    """Joins one Stream with the carriers of its views: a peer, a comm carrier or both to each.

    Threads: coroutines and what peers tell on the loop, the others from any.
    """

    def __init__(self, name: str, loop: MediaLoop, open_changed: OpenListener = lambda name, view_ids: None) -> None:
        self.name = name
        self.stream = Stream(name, self._codec_failed)
        self.peers = Peers(name, self.stream, loop, self)
        self.comm = CommViews(name, self.stream, loop, self._comm_dropped)
        self.listener: MessageListener | None = None
        self._loop = loop
        self._open_changed = open_changed
        self._silence: ChannelSilence | None = None
        self._lock = threading.Lock()
        self._coming: dict[str, int] = {}
        self._posted = 0
        self._unsent = 0

    def open(self, settings: StreamSettings, source: FrameSource) -> None:
        """Play the frames of a new session. A view that another codec suits better now changes to it."""
        self.stream.open(settings, source)
        self.peers.codecs_changed(self.stream.codecs())
        self._loop.post(self.comm.codecs_changed)

    async def accept(self, view_id: str, sdp: str, settings: PeerSettings) -> str:
        """Answer an offer and attach the view to the stream.

        Raises:
            CarrierError: with the reason and its mend.
        """
        return await self.peers.accept(view_id, sdp, settings)

    async def drop(self, view_id: str) -> None:
        """End both carriers of one view, and wait for that."""
        self.comm.drop(view_id)
        await self.peers.drop(view_id)

    async def close_carriers(self) -> None:
        """End every carrier, refuse new ones, and wait until all are gone."""
        self.comm.close()
        await self.peers.close()
        if self._silence is not None:
            self._silence.close()

    def listen_packets(self, listener: PacketListener) -> None:
        self.comm.listener = listener

    def carry(self, view_id: str, settings: CommSettings) -> None:
        """Bring a view the picture by comm, or have it stand by; what is sent to it from now on reaches it."""
        with self._lock:
            self._coming[view_id] = self._coming.get(view_id, 0) + 1
        self._loop.post(self._carry, view_id, settings)

    def heard(self, view_id: str, message: dict[str, Any]) -> None:
        """What a view said by comm."""
        self._loop.post(self._heard, view_id, message)

    def deafen(self, is_deaf: bool) -> None:
        """No page can be heard by comm, or again."""
        self._loop.post(self.comm.deafen, is_deaf)

    def send(self, view_id: str | None, message: dict[str, Any]) -> int:
        """Hand a message to one or every view that can be sent one; how many. MessageError if it is none."""
        return self.send_text(view_id, protocol.encode(message))

    def send_text(self, view_id: str | None, text: str) -> int:
        """The same for a message that protocol.encode has made text of."""
        count = len(self._targets(view_id))
        with self._lock:
            if count and self._posted >= MAX_POSTED:
                self._unsent += count
                return 0
            self._posted += bool(count)
        if count:
            self._loop.post(self._send_now, view_id, text)
        return count

    def stats(self) -> dict[str, Any]:
        """The stream's counts, `peers` by view, `ended` peers by reason, `unsent` messages.

        Of a view with two carriers its `carrier` is the one that it is sent frames by, and `other` has the counts of
        the second.
        """
        peers = {peer.view_id: peer for peer in self.peers.all()}
        comm = self.comm.stats()
        found: dict[str, dict[str, Any]] = {}
        for view_id in {**peers, **comm}:
            by_webrtc = {"carrier": "webrtc", **peers[view_id].stats()} if view_id in peers else None
            by_comm = {"carrier": "comm", **comm[view_id]} if view_id in comm else None
            is_comm = by_webrtc is None or (by_comm is not None and by_comm["is_watching"])
            used, other = (by_comm, by_webrtc) if is_comm else (by_webrtc, by_comm)
            assert used is not None
            found[view_id] = used if other is None else {**used, "other": other}
        stream = self.stream.stats()
        stream["views"] = sum(view["is_watching"] for view in found.values())
        return {**stream, "peers": found, "ended": self.peers.ended(), "unsent": self._unsent}

    # ------------------------------------------------------------------ told by the peers

    def text_came(self, peer: Peer, text: str | bytes) -> None:
        if self.peers.is_current(peer):
            self._channel_silence().heard(peer.view_id)
        try:
            message = protocol.parse(text)
            kind = message["type"]
            if kind in _FORWARDED:
                self._forward(peer, message)
            elif kind == "bye":
                self.peers.close_soon(peer)
            elif kind == "carry":
                self.carry(peer.view_id, CommSettings(tuple(message["codecs"]), message["is_watching"]))
            else:
                self._take(peer.view_id, peer, message)
        except ReactorError as error:
            self._say(peer, protocol.answer_to(error))

    def channel_opened(self, view_id: str) -> None:
        self._channel_silence().heard(view_id)
        self._tell_open()

    def peer_gone(self, peer: Peer) -> None:
        if self._silence is not None:
            self._silence.forget(peer.view_id)
        if self.comm.get(peer.view_id) is None:
            self.stream.timeline.forget(peer.view_id)
        elif peer.was_lost and peer.is_watching:
            self.comm.stand_in(peer.view_id, True)
        self._tell_open()

    def _comm_dropped(self, view_id: str) -> None:
        if self.peers.get(view_id) is None:
            self.stream.timeline.forget(view_id)

    # ------------------------------------------------------------------ own

    def _carry(self, view_id: str, settings: CommSettings) -> None:
        try:
            self.comm.carry(view_id, settings)
        except ReactorError as error:
            self.comm.say([view_id], protocol.answer_to(error))
        finally:
            with self._lock:
                self._coming[view_id] -= 1
                if not self._coming[view_id]:
                    del self._coming[view_id]

    def _heard(self, view_id: str, message: dict[str, Any]) -> None:
        try:
            self._take(view_id, self.comm.get(view_id), protocol.check(message))
        except ReactorError as error:
            self.comm.say([view_id], protocol.answer_to(error))

    def _take(self, view_id: str, carrier: Carrier | None, message: dict[str, Any]) -> None:
        """What concerns the picture; by comm as by data channel."""
        kind = message["type"]
        by_comm = not isinstance(carrier, Peer)
        if by_comm and kind != "ack":
            self.comm.heard(view_id)
        if kind == "ack":
            self.comm.acked(view_id, int(message["sequence"]))
        elif kind == "ping":
            pong = {"type": "pong", "sent_ms": message["sent_ms"], "kernel_ms": time.monotonic() * 1000}
            pong["wait_ms"] = self.stream.wait_s * 1000
            if isinstance(carrier, Peer):
                self._say(carrier, pong)
            else:
                self.comm.say([view_id], {**pong, "view_id": view_id})
        elif kind == "painted":
            report = plausible_report(message)
            if carrier is not None and self._is_current(carrier):
                carrier.page_report = report
                self.stream.timeline.painted(view_id, report["painted"], report["skipped"], message.get("frames", ()))
        elif kind == "watching":
            if isinstance(carrier, Peer):
                self.peers.watch(carrier, message["is_watching"])
                if not carrier.is_watching:
                    self.comm.stand_in(view_id, False)
            else:
                self.comm.watch(view_id, message["is_watching"])
        elif kind == "keyframe":
            if isinstance(carrier, Peer):
                self.peers.keyframe_wanted(carrier)
            else:
                self.comm.keyframe_wanted(view_id)
        elif kind == "bye":
            self._loop.submit(self.drop(view_id))
        else:
            raise MessageError(f"A {kind} message came by data channel; send it by comm.")

    def _is_current(self, carrier: Carrier) -> bool:
        return not isinstance(carrier, Peer) or self.peers.is_current(carrier)

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

    def _say(self, peer: Peer, message: dict[str, Any]) -> None:
        peer.send_text(protocol.encode(message))

    def _reachable(self) -> list[str]:
        with self._lock:
            coming = list(self._coming)
        return list(dict.fromkeys((*self.peers.open_ids(), *self.comm.view_ids(), *coming)))

    def _targets(self, view_id: str | None) -> list[str]:
        return [each for each in self._reachable() if view_id in (None, each)]

    def _tell_open(self) -> None:
        self._open_changed(self.name, self.peers.open_ids())

    def _send_now(self, target: str | None, text: str) -> None:
        with self._lock:
            self._posted -= 1
        by_comm = []
        for view_id in self._targets(target):
            peer = self.peers.get(view_id)
            is_silent = self._silence is not None and self._silence.is_silent(view_id)
            has_comm = self.comm.get(view_id) is not None
            is_best = peer is not None and peer.is_open and not (is_silent and has_comm)
            if not is_best or (peer is not None and not peer.send_text(text) and has_comm):
                by_comm.append(view_id)
        if by_comm and not self.comm.say_text(by_comm, text):
            with self._lock:
                self._unsent += len(by_comm)

    def _channel_silence(self) -> ChannelSilence:
        if self._silence is None:
            self._silence = ChannelSilence(self._channel_fell_silent, asyncio.get_running_loop())
        return self._silence

    def _channel_fell_silent(self, view_id: str, is_silent: bool) -> None:
        """The comm stands in for a data channel that says nothing, until it speaks again or the page decides."""
        peer = self.peers.get(view_id)
        if not is_silent or (peer is not None and peer.is_watching):
            self.comm.stand_in(view_id, is_silent)

    def _codec_failed(self, codec: str) -> None:
        """Threads: that of the encoder that failed."""
        self.peers.codec_failed(codec)
        self._loop.post(self.comm.codecs_changed, codec)
