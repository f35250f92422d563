"""IceUrl: one address of a STUN or TURN server, as RFC 7064 and RFC 7065 write it."""

from __future__ import annotations

import re
from typing import NamedTuple

_URL = re.compile(
    r"(?P<scheme>stun|turns?):(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?",
    re.IGNORECASE | re.ASCII,
)


class IceUrl(NamedTuple):
    """`host` is without the brackets of IPv6; `road` is udp, tcp or tls to a relay, "" to a STUN server."""

    host: str
    port: int
    road: str

    @property
    def is_relay(self) -> bool:
        return bool(self.road)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "turns" if self.road == "tls" else "turn" if self.road else "stun"
        return f"{scheme}:{host}:{self.port}" + (f" over {self.road}" if self.road else "")


def parse_ice_url(url: str) -> IceUrl | None:
    """None for what is no such address, or asks for what neither kernel nor browser does: TURN over DTLS, stuns."""
    match = _URL.fullmatch(url.strip())
    if match is None:
        return None
    scheme, transport = match["scheme"].lower(), (match["transport"] or "").lower()
    port = int(match["port"] or (5349 if scheme == "turns" else 3478))
    if not 0 < port < 65536 or (scheme == "stun" and transport) or (scheme == "turns" and transport == "udp"):
        return None
    road = "" if scheme == "stun" else "tls" if scheme == "turns" else transport or "udp"
    return IceUrl(match["host"].strip("[]"), port, road)
