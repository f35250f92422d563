"""The ladder of carriers in a real Chromium: what a person sees while the picture changes from one to another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from reactor_nb.core.frames import to_block
from reactor_nb.media.link import StreamSettings
from reactor_nb.transport.thread_link import ThreadLink
from tests.loopback.counting_model import CountingModel
from tests.loopback.viewer_page import Bridge, open_viewer, stats
from tests.support import barcode
from tests.support.eventually import eventually
from tests.support.views import Views
from tests.support.watch import Watch

pytestmark = [pytest.mark.loopback, pytest.mark.browser]

VIDEO, IMAGES, WEBRTC = "video over Jupyter", "JPEG over Jupyter", "WebRTC"
# What a page is that was opened neither by https nor at localhost.
NOT_SECURE = """
delete globalThis.VideoDecoder
Object.defineProperty(globalThis, "isSecureContext", { value: false })
"""
SHOW_TAB = """(state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true })
  document.dispatchEvent(new Event("visibilitychange"))
}"""
# Neither frames nor words pass while it is cut; tests/network cuts a real road.
CUT_WEBRTC = """
const { send } = RTCDataChannel.prototype
RTCDataChannel.prototype.send = function (message) { if (!window.is_cut) send.call(this, message) }
const pass = (frame, out) => { if (window.is_cut) frame.close(); else out.enqueue(frame) }
const Processor = MediaStreamTrackProcessor
globalThis.MediaStreamTrackProcessor = class {
  constructor(init) {
    this.readable = new Processor(init).readable.pipeThrough(new TransformStream({ transform: pass }))
  }
}
"""
READ = f"({barcode.READ_JS})(window.reactor.canvas)"


@pytest.fixture
def link() -> Iterator[ThreadLink]:
    link = ThreadLink()
    yield link
    link.close()


@pytest.fixture
def model(link: ThreadLink) -> Iterator[CountingModel]:
    model = CountingModel(link.open_stream("plasma", StreamSettings(rate_fps=30.0)))
    yield model
    model.sink.close()
    model.end()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 900, "height": 700})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


def until_on(page: Page, rung: str) -> None:
    page.wait_for_function("(rung) => window.reactor.stats().carrier === rung", arg=rung)


def moves_on(page: Page, frames: int = 10) -> None:
    page.wait_for_function(f"window.first = {READ}")
    page.wait_for_function(f"{READ} > window.first + {frames}")


def said(bridge: Bridge, kind: str) -> list[dict[str, object]]:
    return [message for message in bridge.heard if message["type"] == kind]


@pytest.mark.usefixtures("model")
def test_the_picture_begins_by_comm_and_moves_to_webrtc_without_a_step_back(link: ThreadLink, page: Page) -> None:
    bridge = open_viewer(page, link)
    watch = Watch(Views(page))
    watch.start()
    until_on(page, WEBRTC)
    moves_on(page, 30)
    seen = watch.stop()
    assert seen.steps_back() == []
    assert seen.unreadable() == []
    assert stats(page)["rungs"] == {WEBRTC: "", VIDEO: "stands by", IMAGES: "stands by"}
    eventually(lambda: link.stats("plasma")["encoders"].keys() == {"H264"})
    assert [message["is_watching"] for message in said(bridge, "carry")] == [True, False]
    assert stats(page)["first_paint_ms"] < 2000


@pytest.mark.usefixtures("model")
def test_a_silent_webrtc_is_stood_in_for_and_moved_back_to(link: ThreadLink, page: Page) -> None:
    page.add_init_script(CUT_WEBRTC)
    bridge = open_viewer(page, link, rung=WEBRTC)
    watch = Watch(Views(page))
    watch.start()
    page.evaluate("window.is_cut = true")
    until_on(page, VIDEO)
    assert page.evaluate("() => window.reactor.call('move', { to: 1 })") == {"by": "comm", "to": 1}
    moves_on(page)
    page.evaluate("window.is_cut = false")
    until_on(page, WEBRTC)
    moves_on(page)
    seen = watch.stop()
    assert seen.longest_still_s() < 2.0
    assert seen.steps_back() == []
    assert seen.unreadable() == []
    assert seen.carriers() == [WEBRTC, VIDEO, WEBRTC]
    assert said(bridge, "carry")[-1]["is_watching"] is False


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(("carrier", "rung"), [("comm", VIDEO), ("jpeg", IMAGES)])
def test_a_view_that_is_held_to_a_rung_stays_on_it(link: ThreadLink, page: Page, carrier: str, rung: str) -> None:
    bridge = open_viewer(page, link, carrier=carrier, rung=rung)
    moves_on(page, 30)
    assert stats(page)["carrier"] == rung
    assert said(bridge, "offer") == []
    assert stats(page)["latency_ms"] is not None


@pytest.mark.usefixtures("model")
def test_a_page_that_is_not_secure_is_shown_images_and_told_what_helps(link: ThreadLink, page: Page) -> None:
    page.add_init_script(NOT_SECURE)
    open_viewer(page, link, carrier="comm", rung=IMAGES)
    moves_on(page)
    assert "https" in stats(page)["rungs"][VIDEO]


@pytest.mark.usefixtures("model")
def test_a_decoder_that_fails_gives_way_to_images(link: ThreadLink, page: Page) -> None:
    page.add_init_script("VideoDecoder.prototype.decode = () => { throw new Error('no memory') }")
    open_viewer(page, link, carrier="comm", rung=IMAGES)
    moves_on(page)
    assert "no memory" in stats(page)["rungs"][VIDEO]


@pytest.mark.parametrize("size", [(641, 479), (161, 97)])
@pytest.mark.parametrize("carrier", ["comm", "jpeg"])
def test_odd_sizes_are_shown_as_they_are(link: ThreadLink, page: Page, carrier: str, size: tuple[int, int]) -> None:
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    barcode.paint(pixels, 5)
    sink = link.open_stream("plasma", StreamSettings(rate_fps=30.0))
    sink.put(to_block(pixels))
    open_viewer(page, link, carrier=carrier)
    page.wait_for_function(f"{READ} === 5")
    assert (stats(page)["width_px"], stats(page)["height_px"]) == size
    sink.close()


PATCHES = ((200, 30, 90), (30, 200, 60), (20, 40, 220), (255, 255, 255), (0, 0, 0), (128, 128, 128), (250, 220, 10))
READ_PATCHES_JS = """
([count, side]) => {
  const context = window.reactor.canvas.getContext("2d");
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


@pytest.mark.parametrize("codec", ["H264-444", "H264", "VP8", "JPEG"])
def test_flat_patches_are_shown_within_one_percent(link: ThreadLink, page: Page, codec: str) -> None:
    sink = link.open_stream("plasma", StreamSettings(rate_fps=30.0, quality="high"))
    sink.put(to_block(np.repeat(np.array([PATCHES], np.uint8), 64, axis=1).repeat(64, axis=0)))
    others = [name for name in ("H264-444", "H264", "VP8") if name != codec]
    profiles = {"H264-444": "avc1.F4002A", "H264": "avc1.42E02A", "VP8": "vp8"}
    page.add_init_script(
        "const ask = VideoDecoder.isConfigSupported; VideoDecoder.isConfigSupported = async (config) => "
        f"({[profiles[name] for name in others]}.includes(config.codec) ? {{ supported: false }} : ask(config))"
    )
    open_viewer(page, link, carrier="comm")
    page.wait_for_function("(codec) => window.reactor.stats().codec === codec", arg=codec)
    shown = np.array(page.evaluate(READ_PATCHES_JS, [len(PATCHES), 64]))
    assert np.abs(shown - np.array(PATCHES)).mean() / 255 <= 0.01, shown.round().tolist()
    sink.close()


@pytest.mark.usefixtures("model")
def test_a_tab_in_the_background_is_sent_nothing_and_is_back_at_once(link: ThreadLink, page: Page) -> None:
    bridge = open_viewer(page, link, carrier="comm")
    page.evaluate(SHOW_TAB, "hidden")
    eventually(lambda: link.stats("plasma")["encoders"] == {})
    page.evaluate("() => new Promise((done) => setTimeout(done, 400))")  # what was on its way is acknowledged
    heard = len(bridge.heard)
    page.evaluate("() => new Promise((done) => setTimeout(done, 1500))")
    assert [message["type"] for message in bridge.heard[heard:] if message["type"] != "painted"] == []
    # From the change of the tab to the first frame that is newer than the one on the canvas.
    back_ms = page.evaluate(
        f"""(show) => new Promise((done) => {{
          const before = {READ}
          const began = performance.now()
          window.reactor.onframe = () => {{ if ({READ} > before + 5) done(performance.now() - began) }}
          eval(show)("visible")
        }})""",
        SHOW_TAB,
    )
    assert back_ms < 500  # a keyframe, a frame time and this machine's load
    moves_on(page)


@pytest.mark.usefixtures("model")
def test_calls_that_wait_for_a_busy_kernel_are_told_of_and_carried_out_when_it_is_free(
    link: ThreadLink, page: Page
) -> None:
    bridge = open_viewer(page, link, carrier="comm")
    bridge.is_deaf = True
    page.evaluate("() => { window.answer = null; window.reactor.call('move', { to: 3 }).then((r) => { answer = r }) }")
    note = page.locator(".reactor-note")
    page.wait_for_function("document.querySelector('.reactor-note').textContent === 'kernel busy: controls wait'")
    assert page.evaluate("window.answer") is None
    bridge.hear_again()
    page.wait_for_function("window.answer?.to === 3")
    eventually(lambda: note.inner_text() == "")
    assert len(said(bridge, "call")) == 1


@pytest.mark.usefixtures("model")
def test_a_call_that_takes_its_time_is_no_busy_kernel(link: ThreadLink, page: Page) -> None:
    bridge = open_viewer(page, link, carrier="comm")
    bridge.unanswered.add("call")
    page.evaluate("() => { window.reactor.call('move') }")
    page.evaluate("() => new Promise((done) => setTimeout(done, 2000))")
    assert page.locator(".reactor-note").inner_text() == ""


@pytest.mark.usefixtures("model")
def test_the_panel_of_rungs_is_worked_by_keys(link: ThreadLink, page: Page) -> None:
    open_viewer(page, link, carrier="comm", rung=VIDEO)
    button, panel = page.get_by_role("button", name=VIDEO), page.get_by_role("region", name="Ways of the picture")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert "--carrier auto" in panel.inner_text()
    assert "in use" in panel.inner_text()
    page.keyboard.press("Escape")
    assert (panel.count(), button.get_attribute("aria-expanded")) == (0, "false")
    assert page.evaluate("document.activeElement.className").split()[-1] == "reactor-carrier"
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    assert panel.count() == 0
    page.locator(".reactor-state").click()
    assert panel.is_visible()
    page.locator(".reactor-state").click()
    assert panel.count() == 0


@pytest.mark.usefixtures("model")
def test_two_views_of_one_page_share_one_encode_and_one_message_a_frame(link: ThreadLink, page: Page) -> None:
    open_viewer(page, link, carrier="comm", rung=VIDEO)
    page.evaluate("() => void window.open_another()")
    page.wait_for_function("document.querySelectorAll('.reactor-viewer')[1].reactor.stats().painted > 10")
    moves_on(page)
    assert link.stats("plasma")["encoders"].keys() == {"H264"}
    heard = page.evaluate("window.packets")
    shown = page.evaluate("[...document.querySelectorAll('.reactor-viewer')].map((v) => v.reactor.stats().painted)")
    assert heard < 1.5 * max(shown)


def test_a_resting_picture_is_there_after_each_change_of_carrier(link: ThreadLink, page: Page) -> None:
    pixels = np.full((240, 320, 3), 90, np.uint8)
    barcode.paint(pixels, 7)
    sink = link.open_stream("plasma", StreamSettings(rate_fps=30.0, quality="exact"))
    sink.put(to_block(pixels))
    open_viewer(page, link)
    for carrier, rung in (("jpeg", IMAGES), ("webrtc", WEBRTC), ("comm", VIDEO)):
        page.evaluate("(carrier) => window.set_trait('carrier', carrier)", carrier)
        until_on(page, rung)
        page.wait_for_function(f"{READ} === 7")
    sink.close()
