"""Which servers are asked for whom."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reactor_nb.errors import CarrierError
from reactor_nb.transport.gathering import BETTER_ROAD_S, MOST_RELAYS, Gathering, IceServer, Reach, first_of, servers_of

TURN = {"urls": ["turn:t", "turns:t:443", "turn:t:80?transport=tcp"], "username": "u", "credential": "hunter2"}
STUN = {"urls": "stun:[2001:db8::1]:19302"}


def test_every_address_of_a_server_is_one_to_ask() -> None:
    assert servers_of([TURN, STUN]) == [
        IceServer("t", 3478, "udp", "u", "hunter2"),
        IceServer("t", 443, "tls", "u", "hunter2"),
        IceServer("t", 80, "tcp", "u", "hunter2"),
        IceServer("2001:db8::1", 19302),
    ]


@pytest.mark.parametrize("url", ["stuns:s", "turn:t?transport=sctp", "https://t", ""])
def test_addresses_that_cannot_be_used_are_passed_over(url: str) -> None:
    assert servers_of([{"urls": [url, "stun:s"]}]) == [IceServer("s", 3478)]


def test_no_secret_is_printed() -> None:
    printed = f"{servers_of([TURN])} {Reach((), (TURN,))} {[str(each) for each in servers_of([TURN])]}"
    assert "hunter2" not in printed
    assert "t:443 over tls" in printed


def test_a_page_on_this_machine_needs_nobody() -> None:
    reach = Reach(("127.0.0.1",), (TURN, STUN))
    assert (reach.stun(), reach.relays()) == ([], [])


def test_a_page_elsewhere_is_told_how_the_kernel_is_seen_and_relays_wait() -> None:
    reach = Reach(("192.0.2.4",), (TURN, STUN))
    assert (len(reach.stun()), reach.relays()) == (1, [])


@pytest.mark.parametrize("reach", [Reach((), (TURN, STUN)), Reach(("127.0.0.1",), (TURN, STUN), wants_relay=True)])
def test_where_no_address_helps_the_relays_are_asked_the_best_road_first(reach: Reach) -> None:
    assert [each.road for each in reach.relays()] == ["udp", "tcp", "tls"]


def test_so_many_relays_are_asked_and_no_more() -> None:
    urls = [f"turn:t{number}" for number in range(MOST_RELAYS + 3)]
    assert len(Reach((), ({**TURN, "urls": urls},)).relays()) == MOST_RELAYS


def test_an_aioice_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(CarrierError, match=r"use aioice 0\.12 or 0\.13"):
        Gathering(object(), Reach(()))


@pytest.mark.parametrize(
    ("answers_s", "best"),
    [
        ((0.0, 0.0), 0),
        ((BETTER_ROAD_S / 3, 0.0), 0),
        ((30.0, 0.0), 1),
        ((None, 0.0), 1),
        ((None, None), None),
    ],
)
def test_the_best_road_is_waited_for_a_moment_and_no_longer(
    answers_s: tuple[float | None, ...], best: int | None
) -> None:
    async def answer(after_s: float | None) -> None:
        if after_s is None:
            raise ConnectionError("refused")
        await asyncio.sleep(after_s)

    async def choose() -> Any:
        asked: list[asyncio.Future[None]] = [asyncio.ensure_future(answer(after_s)) for after_s in answers_s]
        chosen = await first_of(asked)
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        return None if chosen is None else asked.index(chosen)

    assert asyncio.run(choose()) == best
