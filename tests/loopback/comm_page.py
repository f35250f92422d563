"""Pages that hear the comm: every packet comes to all of them, they decode their own and say what they have heard."""

from __future__ import annotations

import io
import queue
import threading
import uuid
from typing import Any

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray
from PIL import Image

from reactor_nb.media.link import CommSettings, MediaLink

_DECODERS = {"H264": "h264", "H264-444": "h264", "VP8": "vp8"}
_END = ({"type": "end"}, b"")


class CommPage:
    """One view. It is heard by `Broadcast.say`, decodes on the thread of its Broadcast, and acknowledges at once."""

    def __init__(self, broadcast: Broadcast, view_id: str = "", *, acks: bool = True) -> None:
        self.broadcast = broadcast
        self.view_id = view_id or uuid.uuid4().hex
        self.acks = acks
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self.packets: list[dict[str, Any]] = []
        self.frames: list[NDArray[np.uint8]] = []
        self.stills: list[tuple[dict[str, Any], bytes]] = []
        self.gaps = 0
        self._decoder: VideoCodecContext | None = None
        self._sequence = -1
        self._unacked = 0
        self._acked_of_all = -1

    def carry(self, *codecs: str, is_watching: bool = True) -> CommPage:
        settings = CommSettings(codecs or ("H264", "VP8"), is_watching)
        self.broadcast.link.carry(self.broadcast.name, self.view_id, settings)
        return self

    def say(self, kind: str, **more: Any) -> None:
        self.broadcast.link.heard(self.broadcast.name, self.view_id, {"type": kind, "view_id": self.view_id, **more})

    def next_message(self, kind: str, timeout_s: float = 5.0) -> dict[str, Any]:
        while True:
            message = self.messages.get(timeout=timeout_s)
            if message["type"] == kind:
                return message

    def came(self, message: dict[str, Any], payload: bytes) -> None:
        is_mine = self.view_id in message.get("to", ()) or message.get("view_id") == self.view_id
        if message["type"] == "packet":
            self._ack(message)
            if is_mine:
                self._decode(message, payload)
        elif message["type"] == "still_piece":
            self._ack(message)
            if is_mine:
                header, png = self.stills[-1]
                self.stills[-1] = header, png + payload
        elif is_mine and message["type"] == "still" and message["bytes"]:
            self.stills.append((message, b""))
        elif is_mine:
            self.messages.put(message)

    def _ack(self, message: dict[str, Any]) -> None:
        self._unacked += 1
        if self.acks and self._unacked >= message["ack_every"]:
            self._unacked = 0
            self.say("ack", sequence=message["sequence"])

    def _decode(self, message: dict[str, Any], payload: bytes) -> None:
        self.packets.append(message)
        if message["codec"] == "JPEG":
            self.frames.append(np.asarray(Image.open(io.BytesIO(payload)).convert("RGB")))
            return
        if message["is_keyframe"]:
            decoder = av.CodecContext.create(_DECODERS[message["codec"]], "r")
            assert isinstance(decoder, VideoCodecContext)
            decoder.flags |= 0x80000  # low delay: a frame in is a frame out
            decoder.thread_count = 1
            self._decoder = decoder
        elif message["sequence"] != self._sequence + 1:
            self.gaps += 1
        self._sequence = message["sequence"]
        assert self._decoder is not None, "the first packet is a keyframe"
        for frame in self._decoder.decode(av.Packet(payload)):
            pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            self.frames.append(pixels[: message["height_px"], : message["width_px"]])


class Broadcast:
    """What Jupyter does: everything comes to every page of a name, on a thread of its own, in order."""

    def __init__(self, link: MediaLink, name: str = "plasma") -> None:
        self.link = link
        self.name = name
        self.pages: list[CommPage] = []
        self._queue: queue.Queue[tuple[dict[str, Any], bytes]] = queue.Queue()
        self.heard: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._run, name="test-broadcast", daemon=True)
        self._thread.start()
        link.listen_packets(name, lambda message, payload: self._queue.put((message, payload)))

    def page(self, view_id: str = "", *, acks: bool = True) -> CommPage:
        page = CommPage(self, view_id, acks=acks)
        self.pages.append(page)
        return page

    def close(self) -> None:
        self._queue.put(_END)
        self._thread.join(5.0)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while (said := self._queue.get()) is not _END:
            self.heard.append(said[0])
            for page in self.pages:
                page.came(*said)
