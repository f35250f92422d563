"""How the viewer paints in a real Chromium: what it picks, and what it does while the page's main thread is held up."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from reactor_nb.core.frames import to_block
from reactor_nb.media.link import StreamSettings
from reactor_nb.transport.thread_link import ThreadLink
from tests.loopback.conftest import picture
from tests.loopback.viewer_page import open_viewer, stats
from tests.support import barcode
from tests.support.chromium import chromium_args, find_chromium
from tests.support.eventually import eventually

pytestmark = [pytest.mark.loopback, pytest.mark.browser]

# A GPU made of software: slow, and as free of the main thread as a real one.
SOFTWARE_GPU = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
# The viewer asks who draws: on a test machine that is software.
CLAIM_A_GPU = "WebGL2RenderingContext.prototype.getParameter = () => 'a GPU'"
# In a task of its own: the browser reports none that a debugger began. Returns when it began and ended.
HOLD_UP = """(hold_ms) => new Promise((done) => setTimeout(() => {
  const began = performance.now()
  while (performance.now() < began + hold_ms);
  done([began, performance.now()])
}))"""


KEEP_PEERS = """
window.peers = []
const Peer = RTCPeerConnection
window.RTCPeerConnection = class extends Peer { constructor(...given) { super(...given); peers.push(this) } }
"""
DECODED = """async () => {
  for (const report of (await peers.at(-1).getStats()).values())
    if (report.type === "inbound-rtp") return report.framesDecoded
}"""
SHOW_TAB = """(state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true })
  document.dispatchEvent(new Event("visibilitychange"))
}"""


@pytest.fixture
def playing() -> Iterator[ThreadLink]:
    """A model that counts, at 30 frames a second."""
    link = ThreadLink()
    sink = link.open_stream("plasma", StreamSettings(rate_fps=30.0))
    ended = threading.Event()

    def emit() -> None:
        number = 0
        while not ended.is_set():
            sink.put(to_block(picture(number)))
            number += 1

    model = threading.Thread(target=emit, daemon=True)
    model.start()
    yield link
    ended.set()
    sink.close()
    model.join(2.0)
    link.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def page_with_gpu(chromium: Browser) -> Iterator[Page]:
    arguments = [*chromium_args(), *SOFTWARE_GPU]
    browser = chromium.browser_type.launch(executable_path=find_chromium(), headless=True, args=arguments)
    page = browser.new_page()
    page.add_init_script(CLAIM_A_GPU)
    yield page
    browser.close()


def moves_on(page: Page) -> None:
    read = f"({barcode.READ_JS})(window.reactor.canvas)"
    page.wait_for_function(f"window.first = {read}")
    page.wait_for_function(f"{read} > window.first + 5")


def test_frames_are_read_from_the_track_where_the_browser_can(playing: ThreadLink, page: Page) -> None:
    open_viewer(page, playing, carrier="webrtc")
    assert stats(page)["painter"] == "track"
    moves_on(page)


def test_a_video_element_brings_them_where_it_cannot(playing: ThreadLink, page: Page) -> None:
    page.add_init_script("delete globalThis.MediaStreamTrackProcessor")
    open_viewer(page, playing, carrier="webrtc")
    assert stats(page)["painter"] == "video"
    moves_on(page)


def test_a_worker_draws_while_the_main_thread_is_held_up(playing: ThreadLink, page_with_gpu: Page) -> None:
    page = page_with_gpu
    open_viewer(page, playing, carrier="webrtc")
    page.evaluate(HOLD_UP, 150)
    page.wait_for_function("window.reactor.stats().painter === 'track + worker'")
    moves_on(page)
    # How many frames were drawn while nothing else could run here.
    page.evaluate("() => { window.drawn = []; window.reactor.onframe = ({ drawn_ms }) => drawn.push(drawn_ms) }")
    began_ended = page.evaluate(HOLD_UP, 1000)
    page.wait_for_function(
        "([began, ended]) => window.drawn.filter((at) => at > began + 50 && at < ended).length > 10", arg=began_ended
    )
    moves_on(page)
    over = page.locator(".reactor-relief")
    page.wait_for_function(
        "(canvas) => { const copy = new OffscreenCanvas(1, 1).getContext('2d'); copy.drawImage(canvas, 0, 0);"
        " return copy.getImageData(0, 0, 1, 1).data[3] === 0 }",
        arg=over.element_handle(),
    )
    page.evaluate("window.controller.abort()")
    assert over.count() == 0


def test_a_worker_that_has_to_wait_for_the_main_thread_is_given_up(playing: ThreadLink, page: Page) -> None:
    page.add_init_script(CLAIM_A_GPU)  # where there is none
    open_viewer(page, playing, carrier="webrtc")
    page.evaluate(HOLD_UP, 150)
    page.wait_for_function("window.reactor.stats().painter === 'track + worker'")

    def is_given_up() -> bool:
        page.evaluate(HOLD_UP, 300)
        return bool(stats(page)["painter"] == "track")

    eventually(is_given_up, timeout_s=10)
    assert page.locator("canvas").count() == 1
    moves_on(page)


def test_without_a_gpu_no_worker_is_tried(playing: ThreadLink, page: Page) -> None:
    open_viewer(page, playing, carrier="webrtc")
    page.evaluate(
        "() => { window.tasks = 0; new PerformanceObserver((list) => { tasks += list.getEntries().length })"
        ".observe({ type: 'longtask' }) }"
    )
    page.evaluate(HOLD_UP, 300)
    page.wait_for_function("tasks > 0")
    moves_on(page)
    assert stats(page)["painter"] == "track"
    assert page.locator("canvas").count() == 1


def test_a_tab_in_the_background_decodes_nothing(playing: ThreadLink, page: Page) -> None:
    page.add_init_script(KEEP_PEERS)
    open_viewer(page, playing, carrier="webrtc")
    page.evaluate(SHOW_TAB, "hidden")
    eventually(lambda: playing.stats("plasma")["encoders"] == {})
    decoded: list[int] = [-1]

    def rests() -> bool:
        decoded.append(page.evaluate(DECODED))
        return decoded[-1] == decoded[-2]

    eventually(rests, timeout_s=5, interval_s=0.3)  # nine frames of a view that is seen
    page.evaluate(SHOW_TAB, "visible")
    moves_on(page)
    eventually(lambda: page.evaluate(DECODED) > decoded[-1] + 5)


def test_a_canvas_that_lost_its_memory_shows_the_picture_of_a_resting_model_again(page: Page) -> None:
    link = ThreadLink()
    sink = link.open_stream("plasma", StreamSettings(rate_fps=30.0))
    sink.put(to_block(picture(5)))
    try:
        open_viewer(page, link, carrier="webrtc")
        read = f"({barcode.READ_JS})(window.reactor.canvas)"
        page.wait_for_function(f"{read} === 5")
        page.evaluate("() => { reactor.canvas.getContext('2d').reset() }")
        assert page.evaluate(read) is None
        page.evaluate("() => { reactor.canvas.dispatchEvent(new Event('contextrestored')) }")
        page.wait_for_function(f"{read} === 5")
    finally:
        sink.close()
        link.close()
