"""Chromium with nothing but a relay: the picture passes coturn over udp, tcp and tls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from reactor_nb.core.frames import to_block
from reactor_nb.media.link import PeerSettings, StreamSettings
from reactor_nb.transport.thread_link import ThreadLink
from tests.loopback.conftest import picture
from tests.support import barcode
from tests.support.chromium import chromium_args, find_chromium
from tests.support.eventually import eventually
from tests.support.turn import TurnServer, why_no_turn

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.browser,
    pytest.mark.skipif(bool(why_no_turn()), reason=why_no_turn()),
]
ADDRESS = "http://localhost:1/"

OFFER_JS = """
async (iceServers) => {
  const peer = (window.peer = new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" }));
  window.errors = [];
  peer.onicecandidateerror = ({ url, errorCode }) => window.errors.push(`${url} ${errorCode}`);
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.createDataChannel("calls");
  const video = (window.video = document.body.appendChild(document.createElement("video")));
  video.muted = true;
  peer.ontrack = ({ track }) => { video.srcObject = new MediaStream([track]); video.play(); };
  const gathered = new Promise((done) => {
    peer.onicecandidate = ({ candidate }) => candidate ?? done();
    setTimeout(done, 5000);
  });
  await peer.setLocalDescription();
  await gathered;
  return peer.localDescription.sdp;
}
"""
PAIR_JS = """
async () => {
  const stats = new Map((await window.peer.getStats()).entries());
  for (const pair of stats.values()) {
    if (pair.type === "candidate-pair" && pair.nominated) return stats.get(pair.localCandidateId).relayProtocol;
  }
  return null;
}
"""


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    server = TurnServer(tmp_path_factory.mktemp("turn"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def trusting(playwright: Playwright, turn: TurnServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium that trusts the authority of the test, as one of a company trusts the company's."""
    env: dict[str, Any] = turn.authority.trusting_environment(tmp_path_factory.mktemp("home"))
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=chromium_args(), env=env)
    yield browser
    browser.close()


def bare_page(browser: Browser) -> Page:
    page = browser.new_page()
    page.route(f"{ADDRESS}**", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto(ADDRESS)
    return page


@pytest.fixture
def page(trusting: Browser) -> Iterator[Page]:
    page = bare_page(trusting)
    yield page
    page.close()


@pytest.fixture
def playing() -> Iterator[ThreadLink]:
    """A model that counts, at 30 frames a second."""
    link = ThreadLink()
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
    link.close()


@pytest.mark.parametrize("road", ["udp", "tcp", "tls"])
def test_the_picture_passes_a_relay(road: str, playing: ThreadLink, page: Page, turn: TurnServer) -> None:
    before = turn.relayed_bytes()
    offer = page.evaluate(OFFER_JS, turn.ice_servers(road))
    assert "typ relay" in offer, page.evaluate("window.errors")
    settings = PeerSettings("127.0.0.1", tuple(turn.ice_servers(road)))
    answer = playing.offer("plasma", "view", offer, settings).result(5.0)
    page.evaluate("(sdp) => window.peer.setRemoteDescription({ type: 'answer', sdp })", answer)
    page.wait_for_function("() => window.video.getVideoPlaybackQuality().totalVideoFrames > 5", timeout=15_000)
    first = page.evaluate(f"() => ({barcode.READ_JS})(window.video)")
    page.wait_for_function("() => window.video.getVideoPlaybackQuality().totalVideoFrames > 35", timeout=15_000)
    assert page.evaluate(f"() => ({barcode.READ_JS})(window.video)") > first + 10
    assert page.evaluate(PAIR_JS) == road
    assert playing.stats("plasma")["peers"]["view"]["pair"] == {"kernel": "host", "page": "relay"}
    page.evaluate("window.peer.close()")
    eventually(lambda: turn.relayed_bytes() > before + 5_000, timeout_s=10)


def test_a_relay_whose_certificate_is_not_trusted_lends_nothing(chromium: Browser, turn: TurnServer) -> None:
    page = bare_page(chromium)
    try:
        assert "typ relay" not in page.evaluate(OFFER_JS, turn.ice_servers("tls"))
        assert set(page.evaluate("window.errors")) == {f"{turn.urls('tls')[0]} 701"}
    finally:
        page.close()
