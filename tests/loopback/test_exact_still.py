"""The viewer in a real Chromium: what stands still is on the canvas as it was emitted, to the last bit."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.frames import to_block
from reactor_nb.media.link import MediaLink, StreamSettings
from reactor_nb.transport.process.link import ProcessLink
from tests.loopback.viewer_page import open_viewer
from tests.support.eventually import eventually

pytestmark = [pytest.mark.loopback, pytest.mark.browser]

RUNGS = {"auto": "WebRTC", "comm": "video over Jupyter", "jpeg": "JPEG over Jupyter"}

EXACT = StreamSettings(rate_fps=30.0, quality="exact")

# When the corner of the canvas first was what it is given, by the wall clock in ms.
WATCH_JS = """
(corner) => {
  const patch = Object.assign(document.createElement("canvas"), { width: 16, height: 4 })
  const context = patch.getContext("2d", { willReadFrequently: true })
  window.exact_ms = null
  const look = () => {
    context.drawImage(window.reactor.canvas, 0, 0)
    const { data } = context.getImageData(0, 0, 16, 4)
    const is_exact = corner.every((value, at) => data[at + Math.floor(at / 3)] === value)
    if (is_exact) window.exact_ms = performance.timeOrigin + performance.now()
    else requestAnimationFrame(look)
  }
  look()
}
"""


PIXELS_JS = """
() => {
  const { canvas } = window.reactor
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height })
  const context = copy.getContext("2d", { willReadFrequently: true })
  context.drawImage(canvas, 0, 0)
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
  let text = ""
  for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768))
  return [canvas.width, canvas.height, btoa(text)]
}
"""


def noise(seed: int, height_px: int = 360, width_px: int = 640) -> NDArray[np.uint8]:
    """What no codec keeps."""
    return np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)


def shows(page: Page, pixels: NDArray[np.uint8]) -> bool:
    """Whether the canvas has these very values."""
    width_px, height_px, data = page.evaluate(PIXELS_JS)
    shown = np.frombuffer(base64.b64decode(data), np.uint8).reshape(height_px, width_px, 4)[..., :3]
    return np.array_equal(shown, pixels)


def emit(sink: FrameSink, *frames: NDArray[np.uint8]) -> None:
    for pixels in frames:
        sink.put(to_block(pixels))


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def carrier(request: pytest.FixtureRequest) -> str:
    """What the author leaves the page to choose: parametrize it, indirect, to change it."""
    return str(getattr(request, "param", "auto"))


@pytest.fixture
def sink(link: MediaLink, page: Page, carrier: str) -> FrameSink:
    """Of a stream of the quality exact, whose first frame the page shows."""
    sink = link.open_stream("plasma", EXACT)
    emit(sink, noise(0))
    open_viewer(page, link, carrier=carrier, rung=RUNGS[carrier])
    return sink


by_each_carrier = pytest.mark.parametrize("carrier", ["auto", "comm", "jpeg"], indirect=True)


@by_each_carrier
@pytest.mark.parametrize("size", [(360, 640), (241, 321), (9, 14)])
def test_the_canvas_shows_the_very_pixels_of_the_last_frame(size: tuple[int, int], sink: FrameSink, page: Page) -> None:
    emit(sink, *(noise(seed, *size) for seed in range(1, 10)))
    eventually(lambda: shows(page, noise(9, *size)), 5.0)


def test_it_does_so_within_300_ms_of_the_last_change(
    sink: FrameSink, page: Page, record_property: Callable[[str, object], None]
) -> None:
    took_ms: list[float] = []
    # The machine may be busy with other tests: one try in ten must be quick enough.
    while not took_ms or (min(took_ms) >= 300 and len(took_ms) < 10):
        emit(sink, *(noise(seed) for seed in range(1, 15)))
        last = noise(100 + len(took_ms))
        page.evaluate(WATCH_JS, last[:4, :16].reshape(-1).tolist())
        emitted_ms = time.time() * 1000
        emit(sink, last)
        page.wait_for_function("window.exact_ms", timeout=5000)
        took_ms.append(page.evaluate("window.exact_ms") - emitted_ms)
        assert shows(page, last)
    record_property("exact_after_ms", round(min(took_ms)))
    assert min(took_ms) < 300


def test_a_picture_that_is_emitted_again_and_again_stands_still(link: MediaLink, sink: FrameSink, page: Page) -> None:
    eventually(lambda: shows(page, noise(0)), 5.0)
    made = link.stats("plasma")["stills"]["made"]
    for _ in range(60):
        emit(sink, noise(1))
    assert shows(page, noise(1))
    assert link.stats("plasma")["stills"]["made"] == made + 1


def test_a_view_that_joins_later_gets_the_still_and_the_first_one_keeps_its_own(
    chromium: Browser, link: MediaLink, sink: FrameSink, page: Page
) -> None:
    emit(sink, noise(1), noise(2))
    eventually(lambda: shows(page, noise(2)), 5.0)
    painted = page.evaluate("() => window.reactor.stats().painted")
    late = chromium.new_context().new_page()
    open_viewer(late, link)
    eventually(lambda: shows(late, noise(2)), 5.0)
    # For the view that came the picture was encoded once more, and sent to both.
    eventually(lambda: page.evaluate("() => window.reactor.stats().painted") > painted, 5.0)
    assert shows(page, noise(2))
    late.context.close()


@by_each_carrier
def test_the_next_frame_is_drawn_over_the_still(sink: FrameSink, page: Page) -> None:
    eventually(lambda: shows(page, noise(0)), 5.0)
    flat = np.full((360, 640, 3), 200, np.uint8)
    emit(sink, flat)
    eventually(lambda: shows(page, flat), 5.0)


def test_the_still_is_there_again_after_a_crash_of_the_media_process(page: Page) -> None:
    with contextlib.closing(ProcessLink()) as link:
        sink = link.open_stream("plasma", EXACT)
        emit(sink, noise(0), noise(1))
        open_viewer(page, link)
        eventually(lambda: shows(page, noise(1)), 5.0)
        before = eventually(lambda: link.where()["pid"])
        os.kill(before, signal.SIGKILL)
        eventually(lambda: link.where()["pid"] not in (0, before), 5.0)
        page.evaluate("() => window.reactor.canvas.getContext('2d').fillRect(0, 0, 640, 360)")
        page.evaluate("() => window.from_kernel({ type: 'reconnect' })")
        eventually(lambda: shows(page, noise(1)), 10.0)


def test_other_qualities_send_no_still(link: MediaLink, page: Page) -> None:
    emit(link.open_stream("plasma", StreamSettings(rate_fps=30.0)), noise(1), noise(2))
    open_viewer(page, link)
    assert link.stats("plasma")["stills"]["made"] == 0
