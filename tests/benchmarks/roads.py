"""Where a benchmark's browser stands: on this machine, or at the other end of a road that delays and loses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.benchmarks.notebooks import launched, playwright_in, served
from tests.support.chromium_in_namespace import launch_in
from tests.support.jupyterlab import JupyterLab
from tests.support.network import Namespace, Wire, ip, join, why_no_namespaces
from tests.support.slow_road import Conditions, SlowRoad
from tests.support.turn import TurnServer, why_no_turn


@dataclass(frozen=True)
class Road:
    """What lies between the browser and the server.

    Args:
        words: for people.
        conditions: of a road that goes through a process of ours; None is the loopback.
    """

    words: str
    conditions: Conditions | None = None

    @property
    def is_slow(self) -> bool:
        return self.conditions is not None

    def missing(self) -> str:
        """Why this road cannot be laid here; empty where it can."""
        return why_no_namespaces() if self.is_slow else ""


ROADS = {
    "loopback": Road("On the loopback"),
    "slow": Road(
        "Over a road of 20 ms there and back, 1 % of the packets lost in each direction",
        Conditions(delay_s=0.010, loss=0.01),
    ),
}


@dataclass
class Place:
    """A server and a browser, and what can be done to the road between them."""

    server: JupyterLab
    browser: Browser
    road: Road
    namespace: Namespace | None = None
    """The browser's, where it has one of its own."""
    turn: TurnServer | None = None
    """A relay beside the server, where coturn is installed."""
    _slow: SlowRoad | None = field(default=None, repr=False)

    @contextmanager
    def eased(self) -> Iterator[None]:
        """Meanwhile the road is as fast as the machine: for what is not measured, as JupyterLab's first 10 MB."""
        if self._slow is None or self.road.conditions is None:
            yield
            return
        self._slow.change(Conditions())
        try:
            yield
        finally:
            self._slow.change(self.road.conditions)


@contextmanager
def standing(road: Road) -> Iterator[Place]:
    """A JupyterLab of its own, and a browser at the other end of the road."""
    with playwright_in() as (playwright, folder), ExitStack() as stack:
        if road.conditions is None:
            server = stack.enter_context(served(folder))
            turn = _relay(stack, folder, "127.0.0.1")
            yield Place(server, stack.enter_context(launched(playwright)), road, turn=turn)
            return
        namespace = Namespace("bench")
        stack.callback(namespace.close)
        # The road alone, with no cable beside it: WebRTC would find that.
        slow = SlowRoad(namespace, "", road.conditions)
        stack.callback(slow.close)
        namespace.ip("route", "add", "default", "via", slow.wire.first)
        _send_by_cubic(slow.wire)
        server = stack.enter_context(served(folder, ip=slow.wire.first))
        browser = stack.enter_context(_launched_in(playwright, namespace, folder, server))
        yield Place(server, browser, road, namespace, _relay(stack, folder, slow.wire.first), slow)


def _send_by_cubic(wire: Wire) -> None:
    """What is sent by this road adapts as Linux does by default, whatever this machine is set to: BBR takes no notice
    of 1 % of loss and carries 446 Mbit/s on such a road, CUBIC 5."""
    net = str(ipaddress.ip_network(f"{wire.first}/30", strict=False))
    interface = ip("route", "get", wire.second).split()[2]
    ip("route", "change", net, "dev", interface, "src", wire.first, "congctl", "cubic")


def _relay(stack: ExitStack, folder: Path, address: str) -> TurnServer | None:
    if why_no_turn():
        return None
    place = folder / "turn"
    place.mkdir()
    turn = TurnServer(place, address, roads=("tcp",))
    stack.callback(turn.close)
    return turn


@contextmanager
def cabled() -> Iterator[Place]:
    """The same behind a cable, as fast as the machine, that can be cut by the namespace's `drop_udp`, `drop_all`."""
    with playwright_in() as (playwright, folder), ExitStack() as stack:
        namespace = Namespace("bench")
        stack.callback(namespace.close)
        wire = join(None, namespace)
        server = stack.enter_context(served(folder, ip=wire.first))
        browser = stack.enter_context(_launched_in(playwright, namespace, folder, server))
        yield Place(server, browser, Road("By a cable"), namespace)


@contextmanager
def _launched_in(playwright: Playwright, namespace: Namespace, folder: Path, server: JupyterLab) -> Iterator[Browser]:
    # Of a plain http address a page has no WebCodecs: there would be no encoded video over Jupyter to measure.
    secure = f"--unsafely-treat-insecure-origin-as-secure={server.url}"
    browser = launch_in(playwright, namespace, folder, args=[secure])
    try:
        yield browser
    finally:
        browser.close()
