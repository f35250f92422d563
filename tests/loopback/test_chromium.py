"""A real Chromium on a bare page: it reaches 127.0.0.1, plays H.264, and takes the playout-delay extension."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from reactor_nb.core.frames import to_block
from reactor_nb.media.link import MediaLink, PeerSettings, StreamSettings
from reactor_nb.media.quality import FULL_COLOUR, Quality
from reactor_nb.transport import playout_delay
from tests.loopback.conftest import picture
from tests.support import barcode
from tests.support.eventually import eventually

pytestmark = [pytest.mark.loopback, pytest.mark.browser]

OFFER_JS = """
async (codec) => {
  const peer = (window.peer = new RTCPeerConnection({ iceServers: [] }));
  window.started_ms = performance.now();
  window.messages = [];
  const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
  const codecs = RTCRtpReceiver.getCapabilities("video").codecs;
  transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => [`video/${codec}`, "video/rtx"].includes(mimeType)));
  const channel = peer.createDataChannel("calls", { ordered: true });
  channel.onmessage = ({ data }) => window.messages.push({ ...JSON.parse(data), at_ms: performance.now() });
  channel.onopen = () => channel.send(JSON.stringify({ type: "ping", sent_ms: performance.now() }));
  const video = (window.video = document.body.appendChild(document.createElement("video")));
  video.muted = true;
  peer.ontrack = ({ track }) => {
    video.srcObject = new MediaStream([track]);
    video.play();
    video.requestVideoFrameCallback((now, { rtpTimestamp }) => {
      window.first = { after_ms: now - window.started_ms, at_ms: now, rtp: rtpTimestamp };
    });
  };
  await peer.setLocalDescription(await peer.createOffer());
  return peer.localDescription.sdp;
}
"""
INBOUND_JS = """
async () => {
  for (const report of (await window.peer.getStats()).values()) if (report.type === "inbound-rtp") return report;
  return null;
}
"""


class _BarePage(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>view</title><body>")

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _BarePage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        yield page
        context.close()
        server.shutdown()


@pytest.fixture
def playing(link: MediaLink) -> Iterator[MediaLink]:
    """A model that counts, at 30 frames a second."""
    sink = link.open_stream("plasma", StreamSettings(rate_fps=30.0))
    ended = threading.Event()

    def emit() -> None:
        number = 0
        while not ended.is_set():
            sink.put(to_block(picture(number, 640, 480)))
            number += 1

    model = threading.Thread(target=emit, daemon=True)
    model.start()
    yield link
    ended.set()
    sink.close()
    model.join(2.0)


def connect(link: MediaLink, page: Page, codec: str) -> str:
    offer = page.evaluate(OFFER_JS, codec)
    answer = link.offer("plasma", "view", offer, PeerSettings("127.0.0.1")).result(5.0)
    page.evaluate("(sdp) => window.peer.setRemoteDescription({ type: 'answer', sdp })", answer)
    return answer


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_chromium_plays_what_the_model_emits(codec: str, playing: MediaLink, page: Page) -> None:
    connect(playing, page, codec)
    page.wait_for_function("window.first")
    numbers = [page.evaluate(f"() => ({barcode.READ_JS})(window.video)")]
    page.wait_for_function("() => window.video.getVideoPlaybackQuality().totalVideoFrames > 30")
    numbers.append(page.evaluate(f"() => ({barcode.READ_JS})(window.video)"))
    assert None not in numbers
    assert numbers[1] > numbers[0] + 10
    assert page.evaluate(INBOUND_JS)["framesDropped"] == 0
    assert playing.stats("plasma")["encoders"][codec]["keyframes"] <= 2


def test_the_first_frame_comes_at_once(
    playing: MediaLink, page: Page, record_property: Callable[[str, object], None]
) -> None:
    connect(playing, page, "H264")
    page.wait_for_function("window.first", timeout=5000)
    after_ms = page.evaluate("window.first.after_ms")
    record_property("offer_to_first_frame_ms", round(after_ms))
    assert after_ms < 2000


def test_the_playout_delay_extension_is_agreed_on(playing: MediaLink, page: Page) -> None:
    answer = connect(playing, page, "H264")
    assert playout_delay.URI in answer
    assert playing.stats("plasma")["peers"]["view"]["features"]["playout_delay"] is True


def test_a_page_can_tell_when_a_frame_was_played(playing: MediaLink, page: Page) -> None:
    connect(playing, page, "H264")
    page.wait_for_function("window.first && window.messages.some(({ type }) => type === 'pong')")
    page.wait_for_function("window.messages.some(({ type }) => type === 'stream')")
    messages = {message["type"]: message for message in page.evaluate("window.messages")}
    pong, stream, first = messages["pong"], messages["stream"], page.evaluate("window.first")
    page_to_kernel_ms = pong["kernel_ms"] - (pong["sent_ms"] + pong["at_ms"]) / 2
    played_ms = stream["rtp_origin_kernel_ms"] + ((first["rtp"] - stream["rtp_origin"]) % 2**32) / 90
    assert -20 < first["at_ms"] + page_to_kernel_ms - played_ms < 1000


QUALITY_CHANGES: tuple[tuple[Quality, str], ...] = (("exact", FULL_COLOUR), ("low", "H264"))
PATCHES = ((200, 30, 90), (30, 200, 60), (20, 40, 220), (255, 255, 255), (0, 0, 0), (128, 128, 128), (250, 220, 10))
READ_PATCHES_JS = """
([count, side]) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [window.video.videoWidth, window.video.videoHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(window.video, 0, 0);
  return Array.from({ length: count }, (_, patch) => {
    const { data } = context.getImageData(patch * side + side / 4, side / 4, side / 2, side / 2);
    return [0, 1, 2].map((channel) => {
      let sum = 0;
      for (let at = channel; at < data.length; at += 4) sum += data[at];
      return sum / (data.length / 4);
    });
  });
}
"""


@pytest.mark.parametrize(
    ("codec", "quality", "encoder"),
    [("H264", "balanced", "H264"), ("VP8", "balanced", "VP8"), ("H264", "high", FULL_COLOUR)],
)
def test_flat_patches_are_shown_within_one_percent(
    codec: str,
    quality: Quality,
    encoder: str,
    link: MediaLink,
    page: Page,
    record_property: Callable[[str, object], None],
) -> None:
    sink = link.open_stream("plasma", StreamSettings(rate_fps=30.0, quality=quality))
    pixels = np.repeat(np.array([PATCHES], np.uint8), 64, axis=1).repeat(64, axis=0)
    sink.put(to_block(pixels))
    connect(link, page, codec)
    page.wait_for_function("window.first")
    shown = np.array(page.evaluate(READ_PATCHES_JS, [len(PATCHES), 64]))
    error = np.abs(shown - np.array(PATCHES)).mean() / 255
    record_property("colour_error_percent", round(100 * error, 2))
    assert error <= 0.01, shown.round().tolist()
    assert list(link.stats("plasma")["encoders"]) == [encoder]


def test_a_view_connects_again_for_a_quality_of_full_colour_and_back(playing: MediaLink, page: Page) -> None:
    connect(playing, page, "H264")
    page.wait_for_function("window.first")
    assert list(playing.stats("plasma")["encoders"]) == ["H264"]
    for quality, encoder in QUALITY_CHANGES:
        sink = playing.open_stream("plasma", StreamSettings(rate_fps=30.0, quality=quality))
        eventually(lambda: playing.stats("plasma")["peers"] == {})
        page.evaluate("window.first = null")
        connect(playing, page, "H264")
        sink.put(to_block(picture(1, 640, 480)))
        page.wait_for_function("window.first")
        assert list(playing.stats("plasma")["encoders"]) == [encoder]


def test_a_quality_that_asks_for_the_same_codec_leaves_the_view_alone(playing: MediaLink, page: Page) -> None:
    connect(playing, page, "VP8")
    page.wait_for_function("window.first")
    playing.open_stream("plasma", StreamSettings(rate_fps=30.0, quality="high"))
    playing.open_stream("plasma", StreamSettings(rate_fps=30.0, quality="low"))
    assert playing.stats("plasma")["ended"] == {}
    assert list(playing.stats("plasma")["peers"]) == ["view"]


def test_a_connection_that_the_page_closes_is_gone_at_once(playing: MediaLink, page: Page) -> None:
    connect(playing, page, "H264")
    page.wait_for_function("window.first")
    page.evaluate("window.peer.close()")
    eventually(lambda: playing.stats("plasma")["peers"] == {})
