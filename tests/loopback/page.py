"""A page made of aiortc: offers as the viewer does, decodes what comes, talks over the data channel."""

from __future__ import annotations

import asyncio
import json
import queue
import uuid
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from reactor_nb.media.link import MediaLink, PeerSettings
from reactor_nb.transport.loop import MediaLoop
from tests.support.eventually import eventually


class Page:
    """One view. Runs on a MediaLoop of its own, so that nothing is shared with the kernel's side."""

    def __init__(
        self,
        link: MediaLink,
        name: str,
        *,
        hostname: str = "localhost",
        codecs: tuple[str, ...] = (),
        view_id: str = "",
        settings: PeerSettings | None = None,
    ) -> None:
        self.link = link
        self.name = name
        self.view_id = view_id or uuid.uuid4().hex
        self.settings = settings or PeerSettings(hostname=hostname)
        self.codecs = codecs
        self.loop = MediaLoop()
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self.frames: list[NDArray[np.uint8]] = []
        self.answer = ""
        self.state = "new"
        self.channel: Any = None
        self.connection: Any = None
        self._tasks: list[asyncio.Task[None]] = []

    def connect(self, timeout_s: float = 10.0) -> Page:
        offer = self.loop.submit(self._offer()).result(timeout_s)
        self.answer = self.link.offer(self.name, self.view_id, offer, self.settings).result(timeout_s)
        self.loop.submit(self._accept(self.answer)).result(timeout_s)
        eventually(lambda: self.channel.readyState == "open", timeout_s)
        return self

    def say(self, message: object) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        self.loop.post(lambda: self.channel.send(text))

    def next_message(self, kind: str, timeout_s: float = 5.0) -> dict[str, Any]:
        while True:
            message = self.messages.get(timeout=timeout_s)
            if message["type"] == kind:
                return message

    def close(self) -> None:
        self.loop.submit(self._close()).result(5.0)
        self.loop.close()

    async def _offer(self) -> str:
        connection = self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = connection.addTransceiver("video", direction="recvonly")
        if self.codecs:
            capabilities = RTCRtpReceiver.getCapabilities("video")
            assert capabilities is not None
            transceiver.setCodecPreferences([codec for codec in capabilities.codecs if codec.name in self.codecs])
        self.channel = connection.createDataChannel("calls", ordered=True)
        self.channel.on("message", lambda text: self.messages.put(json.loads(text)))
        self.channel.on("close", lambda: setattr(self, "state", "channel closed"))
        connection.on("track", self._track_came)
        await connection.setLocalDescription(await connection.createOffer())
        offer: str = connection.localDescription.sdp
        return offer

    async def _accept(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def _track_came(self, track: Any) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._watch(track)), loop.create_task(self._ask_for_keyframes())]

    async def _watch(self, track: Any) -> None:
        try:
            while True:
                frame = await track.recv()
                self.frames.append(frame.to_ndarray(format="rgb24"))
        except MediaStreamError:
            self.state = "ended"

    async def _ask_for_keyframes(self) -> None:
        """aiortc gives a frame away only when the next one begins: of a paused model it needs another."""
        receiver = self.connection.getReceivers()[0]
        while True:
            await asyncio.sleep(0.1)
            for source in receiver.getSynchronizationSources():
                await receiver._send_rtcp_pli(source.source)

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.connection.close()
