"""The viewer in a real Chromium: what stands still is on the canvas as it was emitted, to the last bit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.frames import to_block
from reactor_nb.media.link import StreamSettings
from reactor_nb.transport.thread_link import ThreadLink
from tests.loopback.viewer_page import ViewerPage, viewer_page
from tests.support.eventually import eventually

pytestmark = [pytest.mark.loopback, pytest.mark.browser]

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


@pytest.fixture
def viewer(chromium: Browser, link: ThreadLink) -> Iterator[ViewerPage]:
    with viewer_page(chromium, link) as view:
        yield view


def noise(seed: int, height_px: int = 360, width_px: int = 640) -> NDArray[np.uint8]:
    """What no codec keeps."""
    return np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)


def shows(viewer: ViewerPage, pixels: NDArray[np.uint8]) -> bool:
    return np.array_equal(viewer.pixels(), pixels)


def emit(sink: FrameSink, *frames: NDArray[np.uint8]) -> None:
    for pixels in frames:
        sink.put(to_block(pixels))


@pytest.mark.parametrize("size", [(360, 640), (241, 321), (9, 14)])
def test_the_canvas_shows_the_very_pixels_of_the_last_frame(
    size: tuple[int, int], link: ThreadLink, viewer: ViewerPage
) -> None:
    sink = link.open_stream("plasma", EXACT)
    emit(sink, *(noise(seed, *size) for seed in range(10)))
    eventually(lambda: shows(viewer, noise(9, *size)), 5.0)


def test_it_does_so_within_300_ms_of_the_last_change(
    link: ThreadLink, viewer: ViewerPage, record_property: Callable[[str, object], None]
) -> None:
    sink = link.open_stream("plasma", EXACT)
    took_ms: list[float] = []
    # The machine may be busy with other tests: one try in ten must be quick enough.
    while not took_ms or (min(took_ms) >= 300 and len(took_ms) < 10):
        emit(sink, *(noise(seed) for seed in range(15)))
        last = noise(100 + len(took_ms))
        viewer.page.evaluate(WATCH_JS, last[:4, :16].reshape(-1).tolist())
        emitted_ms = time.time() * 1000
        emit(sink, last)
        viewer.page.wait_for_function("window.exact_ms", timeout=5000)
        took_ms.append(viewer.page.evaluate("window.exact_ms") - emitted_ms)
        assert shows(viewer, last)
    record_property("exact_after_ms", round(min(took_ms)))
    assert min(took_ms) < 300


def test_a_picture_that_is_emitted_again_and_again_stands_still(link: ThreadLink, viewer: ViewerPage) -> None:
    sink = link.open_stream("plasma", EXACT)
    for _ in range(60):
        emit(sink, noise(1))
    assert shows(viewer, noise(1))
    assert link.stats("plasma")["stills"]["made"] == 1


def test_a_view_that_joins_later_gets_the_still_and_the_first_one_keeps_its_own(
    chromium: Browser, link: ThreadLink, viewer: ViewerPage
) -> None:
    emit(link.open_stream("plasma", EXACT), noise(1), noise(2))
    eventually(lambda: shows(viewer, noise(2)), 5.0)
    with viewer_page(chromium, link) as late:
        eventually(lambda: shows(late, noise(2)), 5.0)
        painted = "() => window.reactor.stats().painted"
        eventually(lambda: viewer.page.evaluate(painted) >= 2, 5.0)
        assert shows(viewer, noise(2))


def test_the_next_frame_is_drawn_over_the_still(link: ThreadLink, viewer: ViewerPage) -> None:
    sink = link.open_stream("plasma", EXACT)
    emit(sink, noise(1))
    eventually(lambda: shows(viewer, noise(1)), 5.0)
    flat = np.full((360, 640, 3), 200, np.uint8)
    emit(sink, flat)
    eventually(lambda: np.abs(viewer.pixels().astype(int) - 200).max() <= 8, 5.0)


def test_other_qualities_send_no_still(link: ThreadLink, viewer: ViewerPage) -> None:
    emit(link.open_stream("plasma", StreamSettings(rate_fps=30.0)), noise(1), noise(2))
    eventually(lambda: viewer.page.evaluate("() => window.reactor.stats().painted") >= 1, 5.0)
    assert link.stats("plasma")["stills"]["made"] == 0
