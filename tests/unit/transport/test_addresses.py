from __future__ import annotations

import asyncio

import pytest

from reactor_nb.errors import CarrierError
from reactor_nb.media.link import PeerSettings
from reactor_nb.transport.addresses import extension_id, is_own, offered_addresses, usable_offer
from reactor_nb.transport.playout_delay import URI

ELSEWHERE = "203.0.113.7"


def offered(hostname: str, **options: object) -> tuple[str, ...]:
    return asyncio.run(offered_addresses(PeerSettings(hostname, **options)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "hostname", ["localhost", "127.0.0.1", "[::1]", "::1", "Localhost", "lab.localhost", "127.8.8.8"]
)
def test_a_page_on_loopback_gets_loopback_alone(hostname: str) -> None:
    assert offered(hostname, interfaces=(ELSEWHERE,)) == ("127.0.0.1",)


def test_a_page_elsewhere_gets_an_error_that_names_its_address() -> None:
    with pytest.raises(CarrierError, match=r"203\.0\.113\.7"):
        offered(ELSEWHERE)


def test_a_name_that_nobody_knows_is_like_a_page_elsewhere() -> None:
    with pytest.raises(CarrierError, match="no address of this machine"):
        offered("nobody.invalid")


def test_a_page_elsewhere_gets_the_configured_interfaces() -> None:
    assert offered(ELSEWHERE, interfaces=("127.0.0.1",)) == ("127.0.0.1",)


def test_an_interface_that_this_machine_has_not_is_refused() -> None:
    with pytest.raises(CarrierError, match="configured interface"):
        offered(ELSEWHERE, interfaces=("203.0.113.8",))


def test_with_a_relay_no_own_address_is_needed() -> None:
    assert offered(ELSEWHERE, ice_servers=({"urls": "turn:203.0.113.9"},)) == ()


def test_only_addresses_of_this_machine_are_its_own() -> None:
    assert is_own("127.0.0.1")
    assert not is_own(ELSEWHERE)
    assert not is_own("0.0.0.0")
    assert not is_own("no address")


def test_candidates_that_cost_time_are_dropped_from_an_offer() -> None:
    host = "a=candidate:1 1 udp 2113937151 192.0.2.4 50000 typ host"
    offer = "\r\n".join(
        [
            "v=0",
            "a=candidate:2 1 udp 2113937151 1b2c-77.local 50001 typ host generation 0",
            "a=candidate:3 1 tcp 1518280447 192.0.2.4 9 typ host tcptype active",
            host,
            "a=end-of-candidates",
            "a=mid:0",
            "",
        ]
    )
    assert usable_offer(offer) == f"v=0\r\n{host}\r\na=mid:0\r\n"


def test_the_id_of_a_header_extension_is_that_of_the_video_section() -> None:
    offer = f"m=audio 9\r\na=extmap:4 {URI}\r\nm=video 9\r\na=extmap:12/recvonly {URI}\r\n"
    assert extension_id(offer, URI) == 12
    assert extension_id("m=video 9\r\n", URI) is None
