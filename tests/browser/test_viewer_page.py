"""The built viewer alone in a real Chromium: a stand-in for the kernel streams to it by WebRTC in the same page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.support.eventually import eventually

pytestmark = pytest.mark.browser

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = (REPOSITORY / "js" / "dev", REPOSITORY / "reactor_nb" / "static")
# Answered by `serve`, never by a network; localhost because only a secure context has every road.
ADDRESS = "http://localhost:1/"
PAINTS = "view.root.reactor.stats().painted > 5"


def serve(route: Route) -> None:
    name = route.request.url.removeprefix(ADDRESS)
    for folder in FOLDERS:
        if name and (folder / name).is_file():
            route.fulfill(path=folder / name)
            return
    route.fulfill(status=404)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    context.route(f"{ADDRESS}**", serve)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page that can open views; an uncaught error in it fails its test at the next step."""
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{ADDRESS}gallery.html")
    page.wait_for_function("window.is_ready")
    return page


def open_view(page: Page, options: dict[str, Any] | None = None, **traits: Any) -> None:
    """Renders a view of a stand-in kernel as `view`, with these traits."""
    page.evaluate(
        "([traits, options]) => void open_view(traits, options)",
        [{"state": "streaming", "carrier": "webrtc", **traits}, options or {}],
    )


def words(page: Page) -> str:
    overlay = page.locator(".reactor-overlay")
    return overlay.inner_text() if overlay.is_visible() else ""


def test_a_streaming_view_paints_and_tells_its_measures(page: Page) -> None:
    open_view(page)
    page.wait_for_function(PAINTS)
    page.evaluate("view.root.reactor.onframe = (frame) => { window.last = frame }")
    page.wait_for_function("window.last && window.last.rtp_timestamp !== null")
    page.evaluate("view.model.setOrigin(last.rtp_timestamp, last.drawn_ms - 20)")
    page.wait_for_function("view.root.reactor.stats().latency_ms !== null")
    page.wait_for_function("view.root.reactor.stats().carrier === 'WebRTC'")
    stats = page.evaluate("view.root.reactor.stats()")
    assert (stats["width_px"], stats["height_px"], stats["carrier"]) == (640, 480, "WebRTC")
    assert 0 < stats["first_paint_ms"] < 10_000
    assert stats["rate_fps"] > 5
    assert -50 < stats["latency_ms"] < 500
    page.wait_for_function("/fps.*640×480.*ms.*WebRTC/.test(view.root.querySelector('.reactor-status').textContent)")
    assert words(page) == ""


def test_a_call_travels_by_the_data_channel_and_is_answered(page: Page) -> None:
    open_view(page)
    page.wait_for_function("view.root.reactor.stats().phase === 'live'")
    assert page.evaluate("view.root.reactor.call('move', { direction: 'left' })") == {"direction": "left"}
    assert page.evaluate("view.model.sent.filter(({ type }) => type === 'call').length") == 0


def test_the_end_of_a_view_ends_everything_it_owns(page: Page) -> None:
    open_view(page)
    page.wait_for_function(PAINTS)
    page.evaluate("view.controller.abort()")
    assert page.evaluate("view.model.sent.filter(({ type }) => type === 'bye').length") == 1
    assert page.evaluate("[view.model.listening, view.model.peers.size]") == [0, 0]
    painted = page.evaluate("view.root.reactor.stats().painted")
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert page.evaluate("view.root.reactor.stats().painted") == painted


def test_leaving_the_page_says_bye(page: Page) -> None:
    open_view(page)
    page.wait_for_function(PAINTS)
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert page.evaluate("view.model.sent.at(-1).type") == "bye"


def test_two_views_of_one_model_have_a_peer_each(page: Page) -> None:
    open_view(page)
    page.evaluate(
        """async () => {
          const { default: widget } = await import("/viewer.js")
          window.second = new AbortController()
          widget.render({ model: view.model, el: document.querySelector("#cell"), signal: second.signal })
        }"""
    )
    page.wait_for_function("view.model.peers.size === 2")
    page.wait_for_function(
        "[...document.querySelectorAll('.reactor-viewer')].every(({ reactor }) => reactor.stats().painted > 5)"
    )
    page.evaluate("second.abort()")
    assert page.evaluate("view.model.peers.size") == 1
    painted = page.evaluate("view.root.reactor.stats().painted")
    page.wait_for_function(f"view.root.reactor.stats().painted > {painted + 5}")


def test_a_lost_peer_is_formed_anew(page: Page) -> None:
    open_view(page)
    page.wait_for_function(PAINTS)
    page.evaluate("view.model.hangUp([...view.model.peers.keys()][0])")
    page.wait_for_function("view.root.reactor.stats().phase !== 'live'")
    page.wait_for_function("view.root.reactor.stats().phase === 'live'")
    painted = page.evaluate("view.root.reactor.stats().painted")
    page.wait_for_function(f"view.root.reactor.stats().painted > {painted + 5}")


def test_a_view_out_of_sight_skips_frames_and_counts_them(page: Page) -> None:
    open_view(page)
    page.wait_for_function(PAINTS)
    page.evaluate("document.body.style.paddingTop = '3000px'")
    page.wait_for_function("view.root.reactor.stats().skipped > 5")
    page.evaluate(
        "view.root.reactor.onframe = (frame) => { window.first ??= frame; window.drawn = (window.drawn ?? 0) + 1 }"
    )
    page.evaluate("document.body.style.paddingTop = ''")
    page.wait_for_function("window.drawn > 5")
    # The newest of the skipped frames is drawn at once: a model that rests sends no other.
    assert page.evaluate("first.rtp_timestamp") is None


def test_a_browser_that_cannot_read_tracks_paints_from_a_video_element(context: BrowserContext) -> None:
    context.add_init_script("delete globalThis.MediaStreamTrackProcessor")
    page = context.new_page()
    page.goto(f"{ADDRESS}gallery.html")
    page.wait_for_function("window.is_ready")
    open_view(page)
    page.evaluate("view.root.reactor.onframe = (frame) => { window.last = frame }")
    page.wait_for_function("window.last && window.last.rtp_timestamp !== null")
    page.wait_for_function(PAINTS)


def test_a_browser_without_webrtc_is_told_what_helps(context: BrowserContext) -> None:
    context.add_init_script("delete globalThis.RTCPeerConnection")
    page = context.new_page()
    page.goto(f"{ADDRESS}gallery.html")
    page.wait_for_function("window.is_ready")
    open_view(page)
    assert "This browser has no WebRTC" in words(page)


def test_a_restarted_kernel_is_named_and_its_peer_closed(page: Page) -> None:
    open_view(page)
    page.wait_for_function(PAINTS)
    page.evaluate("view.el.classList.add('jupyter-widgets-disconnected'); view.model.emit('comm_live_update')")
    page.wait_for_function("view.root.reactor.stats().phase === 'closed'")
    assert "The kernel has ended or was restarted. Run the cell again." in words(page)
    assert page.evaluate("view.model.peers.size") == 0


def test_stop_and_start_are_reached_by_the_keyboard(page: Page) -> None:
    open_view(page)
    page.wait_for_function(PAINTS)
    page.get_by_role("button", name="Stop").press("Enter")
    page.get_by_role("toolbar").get_by_role("button", name="Start").wait_for()
    assert "This session has ended" in words(page)
    page.get_by_role("toolbar").get_by_role("button", name="Start").press("Space")
    page.get_by_role("button", name="Stop").wait_for()
    view_ids = page.evaluate("view.model.sent.filter(({ view_id }) => view_id).map(({ view_id }) => view_id)")
    assert len(set(view_ids)) == 1
    assert page.evaluate("view.model.sent.map(({ type }) => type).filter((type) => /^st/.test(type))") == [
        "stop",
        "start",
    ]


def test_the_width_follows_the_keys_and_never_passes_the_cell(page: Page) -> None:
    open_view(page)
    page.wait_for_function(PAINTS)
    handle = page.get_by_role("slider", name="Width of the picture")

    def width() -> float:
        return float(page.evaluate("view.root.clientWidth"))

    assert width() == 640
    handle.press("ArrowLeft")
    eventually(lambda: width() == 624, timeout_s=2)
    handle.press("End")
    cell_px = page.evaluate("document.querySelector('#cell').clientWidth")
    eventually(lambda: width() == cell_px, timeout_s=2)
    page.set_viewport_size({"width": 500, "height": 800})
    eventually(lambda: width() == page.evaluate("document.querySelector('#cell').clientWidth"), timeout_s=2)
    handle.press("Escape")
    page.set_viewport_size({"width": 1000, "height": 800})
    eventually(lambda: width() == 640, timeout_s=2)


def test_a_new_frame_size_gives_the_canvas_its_shape(page: Page) -> None:
    open_view(page, {"width_px": 320, "height_px": 240})
    page.wait_for_function("view.root.reactor.canvas.width === 320 && view.root.reactor.stats().painted > 5")
    page.evaluate("Object.assign(view.model.source, { width: 320, height: 320 })")
    page.wait_for_function("view.root.reactor.canvas.height === 320")
    box = page.locator(".reactor-canvas").bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(box["height"], abs=1)


def test_an_error_shows_the_traceback_first_and_as_text(page: Page) -> None:
    error = {
        "code": "model_failed",
        "title": "start_session raised ValueError",
        "traceback": "\x1b[31mTraceback\x1b[0m <b>line 3</b>",
        "message": "Then: %reactor run plasma",
    }
    open_view(page, state="failed", error=error)
    shown = page.locator(".reactor-error").inner_text()
    assert "\x1b" not in shown
    assert shown.index("Traceback <b>line 3</b>") < shown.index("Then: %reactor run plasma")


def test_the_log_is_bounded_and_stays_at_its_end(page: Page) -> None:
    open_view(page, log="\n".join(f"line {n}" for n in range(20_000)))
    page.locator(".reactor-log-summary").click()
    text = page.locator(".reactor-log-text")
    eventually(lambda: text.inner_text().endswith("line 19999"), timeout_s=2)
    assert len(text.inner_text()) < 50_000
    page.evaluate("view.model.set({ log: view.model.get('log') + '\\nthe last' })")
    assert text.evaluate("(area) => area.scrollHeight - area.scrollTop - area.clientHeight") < 2


def test_the_poster_under_a_live_view_is_hidden(page: Page) -> None:
    page.evaluate(
        """() => {
          const cell = document.querySelector("#cell")
          cell.id = ""
          cell.innerHTML = `<div class="jp-OutputArea-child" id="cell"></div>
            <div class="jp-OutputArea-child poster"><div class="jp-RenderedImage"><img alt="poster"></div></div>
            <div class="jp-OutputArea-child other"><div class="jp-RenderedImage"><img alt="other"></div></div>`
        }"""
    )
    open_view(page, has_poster=True)
    assert page.locator(".poster").evaluate("(output) => getComputedStyle(output).display") == "none"
    assert page.locator(".other").evaluate("(output) => getComputedStyle(output).display") == "block"
