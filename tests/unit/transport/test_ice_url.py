"""Addresses of STUN and TURN servers, as they are written and as they are told."""

from __future__ import annotations

import pytest

from reactor_nb.transport.ice_url import IceUrl, parse_ice_url


@pytest.mark.parametrize(
    ("url", "parsed", "told"),
    [
        ("stun:s", IceUrl("s", 3478, ""), "stun:s:3478"),
        ("turn:t:80?transport=tcp", IceUrl("t", 80, "tcp"), "turn:t:80 over tcp"),
        ("TURNS:t", IceUrl("t", 5349, "tls"), "turns:t:5349 over tls"),
        (" turn:[2001:db8::1] ", IceUrl("2001:db8::1", 3478, "udp"), "turn:[2001:db8::1]:3478 over udp"),
    ],
)
def test_an_address_is_read_and_told(url: str, parsed: IceUrl, told: str) -> None:
    assert parse_ice_url(url) == parsed
    assert str(parsed) == told


@pytest.mark.parametrize(
    "url", ["", "t:3478", "turn:", "turn:u:p@t", "stun:s?transport=udp", "turns:t?transport=udp", "stuns:s", "turn:t:0"]
)
def test_what_neither_kernel_nor_browser_can_ask_is_no_address(url: str) -> None:
    assert parse_ice_url(url) is None
