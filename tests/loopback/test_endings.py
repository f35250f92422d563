"""How a connection ends, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from reactor_nb.core.frames import to_block
from reactor_nb.errors import CarrierError, ClosedError
from reactor_nb.media.encoders import PyAvEncoder
from reactor_nb.media.h264 import H264Encoder
from reactor_nb.media.link import PeerSettings, StreamSettings
from reactor_nb.transport import webrtc
from reactor_nb.transport.thread_link import ThreadLink
from tests.loopback.conftest import OpenPage, picture
from tests.loopback.page import Page
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

SETTINGS = StreamSettings(rate_fps=60.0)


@pytest.fixture
def page(link: ThreadLink, open_page: OpenPage) -> Page:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page()
    sink.put(to_block(picture(1)))
    eventually(lambda: len(page.frames) > 0)
    eventually(lambda: link.stats("plasma")["peers"][page.view_id]["is_open"])
    return page


def udp_ports() -> int:
    return sum(connection.type.name == "SOCK_DGRAM" for connection in psutil.Process().net_connections("inet"))


def reactor_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("reactor-")}


def close_channel(link: ThreadLink, page: Page) -> None:
    page.loop.post(page.channel.close)


def say_bye(link: ThreadLink, page: Page) -> None:
    page.say({"type": "bye", "view_id": page.view_id})


def close_connection(link: ThreadLink, page: Page) -> None:
    page.loop.submit(page.connection.close()).result(5.0)


def close_view(link: ThreadLink, page: Page) -> None:
    link.close_view("plasma", page.view_id)


@pytest.mark.parametrize("end", [close_channel, say_bye, close_connection, close_view])
def test_a_view_that_ends_leaves_no_peer_no_encoder_and_no_socket(
    end: Callable[[ThreadLink, Page], None], link: ThreadLink, page: Page
) -> None:
    end(link, page)
    eventually(lambda: link.stats("plasma")["peers"] == {})
    eventually(lambda: link.stats("plasma")["encoders"] == {})
    eventually(lambda: not any(name.startswith("reactor-encoder") for name in reactor_threads()))
    page.loop.submit(page.connection.close()).result(5.0)
    eventually(lambda: udp_ports() == 0)


def test_a_silent_view_is_closed(link: ThreadLink, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webrtc, "SILENCE_S", 1.0)
    link.open_stream("plasma", SETTINGS)
    open_page()
    eventually(lambda: link.stats("plasma")["ended"] == {"no message of the page for 1 s": 1}, timeout_s=4)
    assert link.stats("plasma")["peers"] == {}


def test_pings_keep_a_view_alive(link: ThreadLink, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webrtc, "SILENCE_S", 1.0)
    link.open_stream("plasma", SETTINGS)
    page = open_page()
    for number in range(12):
        page.say({"type": "ping", "sent_ms": number})
        page.next_message("pong")
        page.loop.submit(asyncio.sleep(0.12)).result(1.0)
    assert link.stats("plasma")["ended"] == {}


def test_closing_a_name_ends_its_threads_and_peers_alone(link: ThreadLink, page: Page) -> None:
    link.close_name("plasma")
    assert reactor_threads() == {"reactor-media-loop"}
    assert link.stats("plasma") == {}
    eventually(lambda: page.state != "new")


def test_closing_the_link_ends_every_thread(link: ThreadLink, page: Page) -> None:
    before = {thread for thread in threading.enumerate() if thread.name == "reactor-media-loop"}
    link.close()
    link.close()
    ended = [thread for thread in before if not thread.is_alive()]
    assert len(ended) == 1, "the page's own loop goes on, the link's is gone"
    assert not any(name.startswith(("reactor-clock", "reactor-encoder")) for name in reactor_threads())


def test_a_closed_link_refuses_every_call(link: ThreadLink) -> None:
    link.close()
    settings = PeerSettings("localhost")
    calls: list[Callable[[], Any]] = [
        lambda: link.open_stream("plasma", SETTINGS),
        lambda: link.offer("plasma", "v", "", settings),
        lambda: link.close_view("plasma", "v"),
        lambda: link.send("plasma", None, {"type": "message", "data": 1}),
        lambda: link.listen("plasma", lambda view_id, message: None),
        lambda: link.close_name("plasma"),
        lambda: link.stats("plasma"),
    ]
    for call in calls:
        with pytest.raises(ClosedError):
            call()


def test_a_second_offer_of_a_view_replaces_its_peer(link: ThreadLink, page: Page, open_page: OpenPage) -> None:
    again = open_page(view_id=page.view_id)
    eventually(lambda: len(again.frames) > 0)
    assert list(link.stats("plasma")["peers"]) == [page.view_id]
    eventually(lambda: page.state != "new")


@pytest.mark.parametrize("sdp", ["", "nonsense", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"])
def test_an_offer_that_cannot_be_read_is_refused_and_leaves_nothing(sdp: str, link: ThreadLink) -> None:
    with pytest.raises(CarrierError, match="offer cannot be answered"):
        link.offer("plasma", "v", sdp, PeerSettings("localhost")).result(5.0)
    assert link.stats("plasma")["peers"] == {}
    assert udp_ports() == 0


def test_a_page_behind_a_proxy_is_refused_with_the_reason(link: ThreadLink) -> None:
    with pytest.raises(CarrierError, match=r"'203\.0\.113\.7', which is no address of this machine"):
        link.offer("plasma", "v", "", PeerSettings("203.0.113.7")).result(5.0)


def test_a_page_on_loopback_is_offered_one_address(page: Page) -> None:
    candidates = {line.split()[4] for line in page.answer.splitlines() if line.startswith("a=candidate:")}
    assert candidates == {"127.0.0.1"}


def test_a_failing_encoder_ends_its_views_and_the_next_offer_gets_another_codec(
    link: ThreadLink, page: Page, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: PyAvEncoder, width_px: int, height_px: int) -> None:
        raise ValueError("no such encoder here")

    monkeypatch.setattr(H264Encoder, "_open", fail)
    sink = link.open_stream("plasma", StreamSettings(rate_fps=50.0))
    sink.put(to_block(picture(2)))
    eventually(lambda: link.stats("plasma")["peers"] == {})
    assert link.stats("plasma")["errors"] == {
        "H264": "CarrierError: H264 cannot be encoded at 320 x 240 pixels: no such encoder here"
    }
    again = open_page()
    eventually(lambda: len(again.frames) > 0)
    assert again.next_message("stream")["codec"] == "VP8"
