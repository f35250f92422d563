"""aiortc as it comes, in a notebook: its own encoder, clock rate and bitrates, a <video> element in the page.

Two things are better than its defaults, in its favour: no public server is asked for an address (3 s more to the
first frame where there is no internet), and a frame is taken as soon as the model has made it instead of by
VideoStreamTrack's own 30 fps clock (17 ms more on the average).
"""

from __future__ import annotations

import asyncio
import threading
from fractions import Fraction
from typing import Any

import anywidget
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import VideoFrame

from tests.benchmarks.kernel_side import start_thread
from tests.benchmarks.model_loop import Frame

_ESM = """
export default {
  async render({ model, el }) {
    const video = document.createElement("video");
    Object.assign(video, { className: "bench-aiortc", autoplay: true, muted: true, playsInline: true });
    el.append(video);
    const peer = new RTCPeerConnection();
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = ({ track }) => (video.srcObject = new MediaStream([track]));
    model.on("msg:custom", (answer) => peer.setRemoteDescription(answer));
    const gathered = new Promise((done) =>
      peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && done()),
    );
    await peer.setLocalDescription(await peer.createOffer());
    await gathered;
    model.send({ type: "offer", sdp: peer.localDescription.sdp });
  },
};
"""


class _NewestFrame(MediaStreamTrack):
    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._newest: Frame | None = None
        self._came = asyncio.Event()
        self._began_s = 0.0

    def show(self, frame: Frame) -> None:
        self._newest = frame
        self._came.set()

    async def recv(self) -> VideoFrame:
        await self._came.wait()
        self._came.clear()
        now_s = asyncio.get_running_loop().time()
        self._began_s = self._began_s or now_s
        assert self._newest is not None
        frame = VideoFrame.from_ndarray(self._newest, format="rgb24")
        frame.pts, frame.time_base = round((now_s - self._began_s) * 90_000), Fraction(1, 90_000)
        return frame


class _Video(anywidget.AnyWidget):
    _esm = _ESM


def start() -> Any:
    """The widget; its peer lives on a loop of its own, so that cells do not stop it."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="bench-aiortc", daemon=True).start()
    track = asyncio.run_coroutine_threadsafe(_made(), loop).result(5)
    peers: list[RTCPeerConnection] = []
    video = _Video()

    async def answer(offer: dict[str, str]) -> None:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peers.append(peer)
        await peer.setRemoteDescription(RTCSessionDescription(offer["sdp"], offer["type"]))
        peer.addTrack(track)
        await peer.setLocalDescription(await peer.createAnswer())
        video.send({"type": "answer", "sdp": peer.localDescription.sdp})

    def receive(_: Any, message: dict[str, str], __: Any) -> None:
        asyncio.run_coroutine_threadsafe(answer(message), loop)

    video.on_msg(receive)
    start_thread(lambda frame: loop.call_soon_threadsafe(track.show, frame))
    return video


async def _made() -> _NewestFrame:
    return _NewestFrame()
