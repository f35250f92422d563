"""The doctor's lines about the roads to a page: the carrier that was chosen, and the ICE servers without secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator

from reactor_nb.errors import ConfigError
from reactor_nb.runtime.carriers import CARRIER, chosen_carrier
from reactor_nb.runtime.ice import read_ice_servers


def road_lines() -> Iterator[tuple[str, str, str]]:
    """(part, verdict, text)."""
    if os.environ.get(CARRIER, "").strip():
        try:
            carrier = chosen_carrier()
        except ConfigError as refused:
            yield "carrier", "MISSING", str(refused)
        else:
            yield "carrier", "ok", f"{CARRIER}={carrier}"
    try:
        servers = read_ice_servers()
    except ConfigError as refused:
        yield "ice", "MISSING", str(refused)
        return
    if not servers.all:
        yield "ice", "ok", "no STUN or TURN server is asked; where UDP is blocked, video goes over Jupyter"
        return
    told = "\n".join([f"{', '.join(map(str, servers.urls()))}, from {servers.source}", servers.warning]).strip()
    yield "ice", "note" if servers.warning else "ok", told
