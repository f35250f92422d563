"""Which address of this machine a page is offered, and which of the page's own are of use."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from reactor_nb.errors import CarrierError
from reactor_nb.media.link import PeerSettings

LOOPBACK = "127.0.0.1"

RESOLVE_TIMEOUT_S = 1.0

_UNUSABLE = re.compile(r"^a=(?:candidate:\S+ \d+ (?:\S+ \d+ \S+\.local \d+|tcp )|end-of-candidates)", re.IGNORECASE)


async def offered_addresses(settings: PeerSettings) -> tuple[str, ...]:
    """The addresses to bind for a page: the one it already uses to reach this machine, and `interfaces`.

    A page on a loopback address gets 127.0.0.1 alone.

    Raises:
        CarrierError: the page's address is none of this machine's and nothing else is configured.
    """
    hostname = settings.hostname.strip("[]").rstrip(".").lower()
    if is_loopback(hostname):
        return (LOOPBACK,)
    for interface in settings.interfaces:
        if not is_own(interface):
            raise CarrierError(
                f"The configured interface {interface!r} is no address of this machine; give one that "
                "`hostname -I` lists."
            )
    own = [address for address in await resolve(hostname) if is_own(address)][:1]
    addresses = tuple(dict.fromkeys([*own, *settings.interfaces]))
    if not addresses and not has_relay(settings.ice_servers):
        raise CarrierError(
            f"The page is at {settings.hostname!r}, which is no address of this machine (a proxy or a tunnel?), so "
            "WebRTC has no address to offer. If the page's machine can reach this one directly, name that address: "
            "%env REACTOR_NB_INTERFACES=10.0.0.5  Else a TURN server passes: REACTOR_NB_ICE_SERVERS."
        )
    return addresses


def is_loopback(hostname: str) -> bool:
    """Whether a page at this host runs on this machine: localhost, 127.0.0.0/8 or ::1."""
    if hostname == "localhost" or hostname.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return False


def is_own(address: str) -> bool:
    """Whether `address` is one that this machine can send from. Asks the kernel by binding a socket to it."""
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return False
    with socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return not ipaddress.ip_address(address).is_unspecified


def usable_offer(sdp: str) -> str:
    """The offer without candidates that would only cost time.

    mDNS names take aioice 1.0 s to resolve, and the pair forms without them by peer-reflexive candidates;
    TCP cannot be used. Without its end-of-candidates aioice goes on waiting for those.
    """
    lines = sdp.splitlines()
    return "\r\n".join(line for line in lines if not _UNUSABLE.match(line)) + "\r\n"


def extension_id(sdp: str, uri: str) -> int | None:
    """The id under which an offer lists an RTP header extension in its video section; None if it does not."""
    video = sdp[sdp.find("m=video") :]
    found = re.search(rf"^a=extmap:(\d+)(?:/\w+)? {re.escape(uri)}\s*$", video, re.MULTILINE)
    return int(found.group(1)) if found else None


def has_relay(ice_servers: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a TURN server is among them."""
    urls = [server.get("urls", ()) for server in ice_servers]
    return any(
        url.strip().lower().startswith("turn") for each in urls for url in ([each] if isinstance(each, str) else each)
    )


async def resolve(hostname: str) -> list[str]:
    """The addresses of a name, within RESOLVE_TIMEOUT_S; none where there are none."""
    try:
        return [str(ipaddress.ip_address(hostname))]
    except ValueError:
        pass
    if not hostname:
        return []
    # A thread of its own: a name server that does not answer would hold up the end of the loop's executor.
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Iterable[str]] = loop.create_future()

    def look_up() -> None:
        try:
            addresses = [str(entry[4][0]) for entry in socket.getaddrinfo(hostname, None, type=socket.SOCK_DGRAM)]
        except OSError:
            addresses = []
        if not loop.is_closed():
            loop.call_soon_threadsafe(lambda: None if found.done() else found.set_result(addresses))

    threading.Thread(target=look_up, name="reactor-resolve", daemon=True).start()
    try:
        return list(await asyncio.wait_for(found, RESOLVE_TIMEOUT_S))
    except TimeoutError:
        return []
