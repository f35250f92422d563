"""The addresses under which a peer of this machine can be reached: those it binds, and those that ICE servers lend it.

aiortc asks one STUN and one TURN server, the first of each, and keeps every answer waiting for the slower: 5 s where a
server is down. Here all relays are asked at once, the best road that answers is kept, and each question has a limit of
its own. A relay is asked for only where it is needed: it costs an allocation on a server that is paid for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aioice import ice

from reactor_nb.errors import CarrierError
from reactor_nb.transport.addresses import LOOPBACK, resolve
from reactor_nb.transport.ice_url import parse_ice_url

REFLEXIVE_LIMIT_S: Final = 0.4
"""The answer to a page waits so long for a STUN server, where there is an address without it."""
ALONE_LIMIT_S: Final = 2.0
"""The same where there is none."""
RELAY_LIMIT_S: Final = 3.0
BETTER_ROAD_S: Final = 0.15
"""So long after the first relay a better one may still come."""
MOST_RELAYS: Final = 6

_ROADS: Final = ("udp", "tcp", "tls")
"""Best first: TCP delivers in order, so that one lost packet holds up the frames after it."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """One address of one server. `road`: udp, tcp or tls; "" of a STUN server."""

    host: str
    port: int
    road: str = ""
    username: str = field(default="", repr=False)
    credential: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" + (f" over {self.road}" if self.road else "")


@dataclass(frozen=True, slots=True)
class Reach:
    """How a peer may be reached: `addresses` of this machine to bind, and servers of RTCConfiguration.

    `wants_relay`: ask the relays even where there is an address.
    """

    addresses: tuple[str, ...]
    ice_servers: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    wants_relay: bool = False

    def stun(self) -> list[IceServer]:
        """To be asked: none for a page on this machine."""
        return [] if self.addresses == (LOOPBACK,) else [each for each in servers_of(self.ice_servers) if not each.road]

    def relays(self) -> list[IceServer]:
        """To be asked, the best road first."""
        if self.addresses and not self.wants_relay:
            return []
        found = [each for each in servers_of(self.ice_servers) if each.road]
        return sorted(found, key=lambda each: _ROADS.index(each.road))[:MOST_RELAYS]


def servers_of(ice_servers: Iterable[Mapping[str, Any]]) -> list[IceServer]:
    """Each address of RTCIceServer dictionaries that can be used; others are passed over, as browsers do."""
    found: list[IceServer] = []
    for server in ice_servers:
        urls = server.get("urls", ())
        for url in [urls] if isinstance(urls, str) else urls:
            parsed = parse_ice_url(url)
            if parsed is None:
                continue
            secrets = (str(server.get("username") or ""), str(server.get("credential") or ""))
            found.append(IceServer(*parsed, *(secrets if parsed.is_relay else ("", ""))))
    return found


class Gathering:
    """Has an aioice Connection offer what `reach` says and nothing else.

    Args:
        agent: the connection, before it gathers.
    Raises:
        CarrierError: this aioice cannot be told.
    Threads: the loop; `relays` and `pair` from any.
    """

    def __init__(self, agent: Any, reach: Reach) -> None:
        gather = getattr(agent, "get_component_candidates", None)
        if gather is None:
            raise CarrierError("This aioice cannot be told which address to bind; use aioice 0.12 or 0.13.")
        self.relays: dict[str, str] = {}
        """What became of each relay that was asked: host, port and road -> a few words."""
        self._relay_hosts = {each.host for each in servers_of(reach.ice_servers) if each.road}
        self._agent = agent
        self._reach = reach
        self._bind: Callable[..., Awaitable[list[Any]]] = gather
        # aioice itself would pass every address of the machine but 127.0.0.1.
        agent.get_component_candidates = self._gather

    @property
    def pair(self) -> dict[str, str]:
        """What the two ends of the pair in use are (host, srflx, prflx, relay); empty while there is none."""
        pairs = list(getattr(self._agent, "_nominated", {}).values())
        if not pairs:
            return {}
        local, remote = pairs[0].local_candidate, pairs[0].remote_candidate
        # A page's relay that was lent after its offer is not in it, and is seen to speak from the server's address.
        is_relay = remote.type == "prflx" and remote.host in self._relay_hosts
        return {"kernel": str(local.type), "page": "relay" if is_relay else str(remote.type)}

    async def _gather(self, component: int, **given: Any) -> list[Any]:
        candidates = await self._bind(**{**given, "component": component, "addresses": list(self._reach.addresses)})
        limit_s = REFLEXIVE_LIMIT_S if candidates else ALONE_LIMIT_S
        reflexive, relayed = await asyncio.gather(
            _reflexive(list(self._agent._protocols), self._reach.stun(), limit_s), self._relayed(component)
        )
        return [*candidates, *reflexive, *relayed]

    async def _relayed(self, component: int) -> list[Any]:
        """A relay of the best road that answers, or none."""
        servers = self._reach.relays()
        asked = [asyncio.ensure_future(self._allocate(component, server)) for server in servers]
        try:
            best = await first_of(asked)
        except asyncio.CancelledError:
            await _cancel(asked)
            for answer in asked:
                _give_back(answer)
            raise
        await _cancel(asked)
        for server, answer in zip(servers, asked, strict=True):
            if answer.cancelled():
                said = "no answer in time"
            elif answer.exception() is not None:
                said = _reason(answer.exception())
            elif answer is best:
                said = "used"
            else:
                said = "answered, not needed"
                _give_back(answer)
            self.relays[str(server)] = said
        if best is None:
            return []
        candidate, protocol = best.result()
        self._agent._protocols.append(protocol)
        return [candidate]

    async def _allocate(self, component: int, server: IceServer) -> Any:
        # IPv4 first: many machines have addresses of IPv6 that lead nowhere.
        addresses = sorted(await resolve(server.host), key=lambda address: ":" in address)
        if not addresses:
            raise ConnectionError("its name has no address")
        self._relay_hosts.update(addresses)
        # Of a certificate the name is checked, so TLS is given that; asyncio resolves it again, now that it is known.
        host = server.host if server.road == "tls" else addresses[0]
        return await ice.relayed_candidate(
            component=component,
            hide_related_address=False,
            protocol_factory=lambda: ice.StunProtocol(self._agent),
            turn_server=(host, server.port),
            turn_username=server.username,
            turn_password=server.credential,
            turn_ssl=server.road == "tls",
            turn_transport="udp" if server.road == "udp" else "tcp",
        )


async def first_of(asked: Sequence[asyncio.Future[Any]]) -> asyncio.Future[Any] | None:
    """The first of the list that answers, when none before it can, or does not within BETTER_ROAD_S of another."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + RELAY_LIMIT_S
    best: asyncio.Future[Any] | None = None
    pending = set(asked)
    while pending:
        done, pending = await asyncio.wait(
            pending, timeout=max(deadline_s - loop.time(), 0.0), return_when=asyncio.FIRST_COMPLETED
        )
        lent = [each for each in asked if each.done() and each.exception() is None]
        if lent and best is None:
            deadline_s = min(deadline_s, loop.time() + BETTER_ROAD_S)
        best = lent[0] if lent else None
        if not done or not any(each in pending for each in asked[: asked.index(best) if best in asked else None]):
            break
    return best


async def _reflexive(protocols: Sequence[Any], servers: Sequence[IceServer], limit_s: float) -> list[Any]:
    """What the first server to answer calls each bound address."""

    async def ask(protocol: Any, server: IceServer) -> Any:
        addresses = [address for address in await resolve(server.host) if ":" not in address]
        if not addresses or ":" in protocol.local_candidate.host:
            raise ConnectionError(f"{server.host} has no address of IPv4")
        candidate, _ = await ice.server_reflexive_candidate(protocol, (addresses[0], server.port))
        return candidate

    found: dict[str, Any] = {}
    asked = {asyncio.ensure_future(ask(protocol, server)) for protocol in protocols for server in servers}
    deadline_s = asyncio.get_running_loop().time() + limit_s
    while asked and len(found) < len(protocols):
        left_s = deadline_s - asyncio.get_running_loop().time()
        done, asked = await asyncio.wait(asked, timeout=max(left_s, 0.0), return_when=asyncio.FIRST_COMPLETED)
        if not done:
            break
        for answer in done:
            if answer.exception() is None:
                found.setdefault(answer.result().related_address, answer.result())
    await _cancel(asked)
    return list(found.values())


def _give_back(answer: asyncio.Future[Any]) -> None:
    """End an allocation that nobody needs, in a task of aioice's."""
    if not answer.cancelled() and answer.exception() is None:
        answer.result()[1].transport.close()


async def _cancel(tasks: Iterable[asyncio.Future[Any]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _reason(error: BaseException | None) -> str:
    """In a few words; of a refusal its code."""
    response = getattr(error, "response", None)
    code = getattr(response, "error_code", None)
    if code is not None:
        return f"refused with {code}" + (" (user or password)" if code == 401 else "")
    return str(error) or type(error).__name__
