"""How a connection ends, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from reactor_nb.core.frames import to_block
from reactor_nb.errors import CarrierError, ClosedError
from reactor_nb.media.link import MediaLink, PeerSettings, StreamSettings
from tests.loopback.conftest import OpenPage, picture
from tests.loopback.page import Page
from tests.loopback.patches import FAILING_WIDTH_PX
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

SETTINGS = StreamSettings(rate_fps=60.0)


@pytest.fixture
def page(link: MediaLink, open_page: OpenPage) -> Page:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page()
    sink.put(to_block(picture(1)))
    eventually(lambda: len(page.frames) > 0)
    eventually(lambda: link.stats("plasma")["peers"][page.view_id]["is_open"])
    return page


def udp_ports(link: MediaLink) -> int:
    """Of this process, where the page is, and of the one where the media runs."""
    processes = {psutil.Process(), psutil.Process(link.where()["pid"])}
    sockets = [connection for process in processes for connection in process.net_connections("inet")]
    return sum(connection.type.name == "SOCK_DGRAM" for connection in sockets)


def reactor_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("reactor-")}


def media_threads(link: MediaLink) -> int:
    """How many threads there are where the media runs, those of its libraries included."""
    return int(psutil.Process(link.where()["pid"]).num_threads())


def close_channel(link: MediaLink, page: Page) -> None:
    page.loop.post(page.channel.close)


def say_bye(link: MediaLink, page: Page) -> None:
    page.say({"type": "bye", "view_id": page.view_id})


def close_connection(link: MediaLink, page: Page) -> None:
    page.loop.submit(page.connection.close()).result(5.0)


def close_view(link: MediaLink, page: Page) -> None:
    link.close_view("plasma", page.view_id)


@pytest.mark.parametrize("end", [close_channel, say_bye, close_connection, close_view])
def test_a_view_that_ends_leaves_no_peer_no_encoder_and_no_socket(
    end: Callable[[MediaLink, Page], None], link: MediaLink, page: Page
) -> None:
    end(link, page)
    eventually(lambda: link.stats("plasma")["peers"] == {})
    eventually(lambda: link.stats("plasma")["encoders"] == {})
    eventually(lambda: not any(name.startswith("reactor-encoder") for name in reactor_threads()))
    page.loop.submit(page.connection.close()).result(5.0)
    eventually(lambda: udp_ports(link) == 0)


@pytest.mark.parametrize("patch", ["short_silence"], indirect=True)
def test_a_silent_view_is_closed(link: MediaLink, open_page: OpenPage) -> None:
    link.open_stream("plasma", SETTINGS)
    open_page()
    eventually(lambda: link.stats("plasma")["ended"] == {"no message of the page for 1 s": 1}, timeout_s=4)
    assert link.stats("plasma")["peers"] == {}


@pytest.mark.parametrize("patch", ["short_silence"], indirect=True)
def test_pings_keep_a_view_alive(link: MediaLink, open_page: OpenPage) -> None:
    link.open_stream("plasma", SETTINGS)
    page = open_page()
    for number in range(12):
        page.say({"type": "ping", "sent_ms": number})
        page.next_message("pong")
        page.loop.submit(asyncio.sleep(0.12)).result(1.0)
    assert link.stats("plasma")["ended"] == {}


def test_closing_a_name_ends_its_threads_and_peers_alone(link: MediaLink, page: Page) -> None:
    while_playing = media_threads(link)
    link.close_name("plasma")
    assert link.stats("plasma") == {}
    eventually(lambda: media_threads(link) <= while_playing - 2)  # the clock and the encoder
    assert not reactor_threads() - {"reactor-media-loop", "reactor-media-link", "reactor-media-writer"}
    eventually(lambda: page.state != "new")


def test_closing_the_link_ends_every_thread(link: MediaLink, page: Page) -> None:
    pid = link.where()["pid"]
    mine = {thread for thread in threading.enumerate() if thread.name.startswith("reactor-")}
    link.close()
    link.close()
    alive = [thread.name for thread in mine if thread.is_alive()]
    assert alive == ["reactor-media-loop"], "the page's own loop goes on"
    assert pid == os.getpid() or not psutil.pid_exists(pid)


def test_a_closed_link_refuses_every_call(link: MediaLink) -> None:
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


def test_a_second_offer_of_a_view_replaces_its_peer(link: MediaLink, page: Page, open_page: OpenPage) -> None:
    again = open_page(view_id=page.view_id)
    eventually(lambda: len(again.frames) > 0)
    assert list(link.stats("plasma")["peers"]) == [page.view_id]
    eventually(lambda: page.state != "new")


@pytest.mark.parametrize("sdp", ["", "nonsense", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"])
def test_an_offer_that_cannot_be_read_is_refused_and_leaves_nothing(sdp: str, link: MediaLink) -> None:
    with pytest.raises(CarrierError, match="offer cannot be answered"):
        link.offer("plasma", "v", sdp, PeerSettings("localhost")).result(5.0)
    assert link.stats("plasma")["peers"] == {}
    assert udp_ports(link) == 0


def test_a_page_behind_a_proxy_is_refused_with_the_reason(link: MediaLink) -> None:
    with pytest.raises(CarrierError, match=r"'203\.0\.113\.7', which is no address of this machine"):
        link.offer("plasma", "v", "", PeerSettings("203.0.113.7")).result(5.0)


def test_a_page_on_loopback_is_offered_one_address(page: Page) -> None:
    candidates = {line.split()[4] for line in page.answer.splitlines() if line.startswith("a=candidate:")}
    assert candidates == {"127.0.0.1"}


@pytest.mark.parametrize("patch", ["failing_h264"], indirect=True)
def test_a_failing_encoder_ends_its_views_and_the_next_offer_gets_another_codec(
    link: MediaLink, open_page: OpenPage
) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page()
    sink.put(to_block(picture(1)))
    eventually(lambda: len(page.frames) > 0)
    sink.put(to_block(picture(2, width_px=FAILING_WIDTH_PX)))
    eventually(lambda: link.stats("plasma")["peers"] == {})
    assert link.stats("plasma")["errors"] == {
        "H264": "CarrierError: H264 cannot be encoded at 332 x 240 pixels: no such encoder here"
    }
    again = open_page()
    eventually(lambda: len(again.frames) > 0)
    assert again.next_message("stream")["codec"] == "VP8"
