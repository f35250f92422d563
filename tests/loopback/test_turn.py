"""Relays for real: coturn passes the picture over udp, tcp and tls, to a peer of aiortc and to Chromium."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from reactor_nb.core.frames import to_block
from reactor_nb.errors import CarrierError
from reactor_nb.media.link import MediaLink, PeerSettings, StreamSettings
from reactor_nb.transport.gathering import REFLEXIVE_LIMIT_S
from tests.loopback.conftest import OpenPage, picture
from tests.support.eventually import eventually
from tests.support.turn import TurnServer, why_no_turn

pytestmark = [pytest.mark.loopback, pytest.mark.skipif(bool(why_no_turn()), reason=why_no_turn())]

ELSEWHERE = "203.0.113.7"
"""A page at this host reaches no address of this machine: only a relay is left."""
ROADS = ("udp", "tcp", "tls")


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    server = TurnServer(tmp_path_factory.mktemp("turn"))
    yield server
    server.close()


@pytest.fixture(autouse=True)
def its_authority_is_trusted(turn: TurnServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """By OpenSSL in this process and in the media's: the file in place of the system's authorities."""
    monkeypatch.setenv("SSL_CERT_FILE", str(turn.authority.file))


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes datagrams and connections and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(tcp.getsockname())
        yield int(tcp.getsockname()[1])


@pytest.fixture
def own_address() -> str:
    """An address of this machine that is not loopback: the page's, and the way to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((ELSEWHERE, 9))  # sends nothing
        return str(probe.getsockname()[0])


def far(turn: TurnServer, *roads: str) -> PeerSettings:
    return PeerSettings(ELSEWHERE, tuple(turn.ice_servers(*roads)))


def peer_stats(link: MediaLink, view_id: str) -> dict[str, Any]:
    stats: dict[str, Any] = link.stats("plasma")["peers"][view_id]
    return stats


@pytest.mark.parametrize("road", ROADS)
def test_a_page_that_reaches_no_address_of_the_kernel_plays_through_a_relay(
    road: str, link: MediaLink, turn: TurnServer, open_page: OpenPage
) -> None:
    sink = link.open_stream("plasma", StreamSettings(rate_fps=30.0))
    page = open_page(settings=far(turn, road))
    sink.put(to_block(picture(7)))
    eventually(lambda: page.frames, timeout_s=5)
    stats = peer_stats(link, page.view_id)
    assert stats["pair"]["kernel"] == "relay"
    assert list(stats["relays"].values()) == ["used"]
    page.say({"type": "ping", "sent_ms": 1.0})
    assert page.next_message("pong")["sent_ms"] == 1.0


def test_the_best_road_to_a_relay_is_kept_and_the_others_are_given_back(
    link: MediaLink, turn: TurnServer, open_page: OpenPage
) -> None:
    before = turn.log().count("REFRESH processed, success")
    page = open_page(settings=far(turn, "tls", "tcp", "udp"))
    said = {relay.rpartition(" ")[2]: what for relay, what in peer_stats(link, page.view_id)["relays"].items()}
    assert said.pop("udp") == "used"
    lent = [road for road, what in said.items() if what == "answered, not needed"]
    eventually(lambda: turn.log().count("REFRESH processed, success") >= before + len(lent), timeout_s=5)


def test_where_udp_is_blocked_the_relay_over_tcp_is_taken_soon(
    link: MediaLink, turn: TurnServer, silent: int, open_page: OpenPage
) -> None:
    blocked = {**turn.ice_servers()[0], "urls": f"turn:127.0.0.1:{silent}"}
    page = open_page(settings=PeerSettings(ELSEWHERE, (blocked, *turn.ice_servers("tcp"))))
    assert list(peer_stats(link, page.view_id)["relays"].values()) == ["no answer in time", "used"]


def test_a_relay_that_is_not_needed_is_not_asked(link: MediaLink, turn: TurnServer, open_page: OpenPage) -> None:
    before = turn.allocations()
    page = open_page(settings=PeerSettings("localhost", tuple(turn.ice_servers())))
    assert peer_stats(link, page.view_id)["pair"]["kernel"] == "host"
    assert peer_stats(link, page.view_id)["relays"] == {}
    assert turn.allocations() == before


def test_a_page_behind_a_tunnel_that_asks_gets_a_relay_beside_the_address(
    link: MediaLink, turn: TurnServer, open_page: OpenPage
) -> None:
    page = open_page(settings=PeerSettings("localhost", tuple(turn.ice_servers("tcp")), wants_relay=True))
    assert "typ relay" in page.answer
    assert "127.0.0.1" in page.answer


def test_servers_that_are_silent_hold_up_the_answer_for_a_moment_only(
    link: MediaLink, silent: int, own_address: str, open_page: OpenPage
) -> None:
    open_page()  # what is imported for the first is not to be counted
    server = {"urls": [f"stun:127.0.0.1:{silent}", f"turn:127.0.0.1:{silent}"], "username": "u", "credential": "p"}
    began_s = time.monotonic()
    page = open_page(settings=PeerSettings(own_address, (server,)))
    took_s = time.monotonic() - began_s
    assert "typ host" in page.answer
    assert took_s < REFLEXIVE_LIMIT_S + 3.0, "aioice alone would wait for 5 s"


def test_a_stun_server_says_by_which_address_the_kernel_is_seen(
    link: MediaLink, turn: TurnServer, own_address: str, open_page: OpenPage
) -> None:
    stun = {"urls": f"stun:{turn.address}:{turn.port}"}
    page = open_page(settings=PeerSettings(own_address, (stun,)))
    assert "typ srflx" in page.answer


def test_a_relay_that_refuses_is_named_with_the_reason_and_no_secret_is_told(
    link: MediaLink, turn: TurnServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = {**turn.ice_servers("udp")[0], "credential": "hunter2-of-the-relay"}
    settings = PeerSettings(ELSEWHERE, (wrong,))
    from tests.loopback.page import Page

    page = Page(link, "plasma", settings=settings)
    with pytest.raises(CarrierError, match=r"over udp: refused with 401 \(user or password\)") as refused:
        page.connect()
    page.close()
    told = f"{refused.value} {settings!r} {json.dumps(link.stats('plasma'))} {caplog.text}"
    assert "hunter2" not in told


def test_a_relay_that_dies_leaves_nothing_behind(
    link: MediaLink, tmp_path_factory: pytest.TempPathFactory, open_page: OpenPage
) -> None:
    mortal = TurnServer(tmp_path_factory.mktemp("mortal"))
    try:
        page = open_page(settings=far(mortal, "udp"))
    finally:
        mortal.close()
    began_s = time.monotonic()
    link.close_name("plasma")
    assert time.monotonic() - began_s < 4.5
    del page
