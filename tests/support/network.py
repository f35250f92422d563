"""Network namespaces: a page on a machine of its own, without a second machine.

The kernel, the server and the test stay where they are. A `Namespace` holds a browser or a proxy, sees nothing
but the wires that are `join`ed to it, and can be told to drop its UDP. Linux and root only: `why_no_namespaces`
says what is missing.
"""

from __future__ import annotations

import functools
import ipaddress
import itertools
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from tests.support.chromium import is_root

PREFIX = "reactor-"
_NETWORKS = "10.213.0.0/16"
_COMMAND_TIMEOUT_S = 20.0
_numbers = itertools.count()


class NetworkError(RuntimeError):
    """`ip` or `nft` refused; the message has what it said."""


@functools.cache
def why_no_namespaces() -> str:
    """Empty where namespaces can be made, else what is missing. Tries it, since root in a container may not."""
    if not is_root():
        return "network namespaces need root; type: sudo -E make test"
    for command, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(command) is None:
            return f"no `{command}` on PATH; type: apt-get install {package}"
    try:
        Namespace("probe").close()
    except NetworkError as error:
        return f"this root may not make network namespaces: {error}"
    return ""


def ip(*arguments: str) -> str:
    return _run(["ip", *arguments])


class Namespace:
    """One network namespace with a loopback of its own and nothing else, until it is joined.

    Args:
        label: for its name, which also holds this process's number: test runs do not disturb each other.
    Threads: any, one at a time. `close()` is idempotent; whoever still runs in it keeps it alive, nameless.
    """

    def __init__(self, label: str) -> None:
        self.name = f"{PREFIX}{os.getpid()}-{label}"
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")

    def ip(self, *arguments: str) -> str:
        """`ip` as seen from inside."""
        return ip("-n", self.name, *arguments)

    def command(self, *argv: str) -> list[str]:
        """The command line that runs `argv` inside."""
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv: str) -> str:
        """Run a command inside and return what it prints; NetworkError when it fails."""
        return _run(self.command(*argv))

    def drop_udp(self) -> None:
        """From now on no datagram comes in or goes out, and nobody is told: what a firewall does. TCP passes."""
        self._filter("meta l4proto udp drop")

    def drop_all(self) -> None:
        """Nothing comes in or goes out: the cable is pulled, or the lid is closed."""
        self._filter('oifname != "lo" drop', 'iifname != "lo" drop')

    def pass_all(self) -> None:
        """Take back what was dropped. Idempotent."""
        self.run("nft", "flush ruleset")

    def _filter(self, rule: str, incoming: str = "") -> None:
        self.pass_all()
        self.run(
            "nft",
            "add table inet reactor; "
            "add chain inet reactor leaves { type filter hook output priority 0; }; "
            "add chain inet reactor comes { type filter hook input priority 0; }; "
            f"add rule inet reactor leaves {rule}; add rule inet reactor comes {incoming or rule}",
        )

    def close(self) -> None:
        if self.name in names():
            ip("netns", "del", self.name)


@dataclass(frozen=True, slots=True)
class Wire:
    """A cable between two namespaces and the addresses of its ends."""

    first: str
    second: str


def join(first: Namespace | None, second: Namespace, *, is_default: bool = True) -> Wire:
    """Lay a fast cable between two namespaces (None is the one that this process is in).

    Args:
        is_default: the second sends by it what it has no other road for. Chromium finds the address that it
            gathers candidates for by its default road.
    """
    wire = free_addresses()
    number = next(_numbers)
    # 15 letters is all that an interface's name may have.
    ends = [f"rx{os.getpid()}n{number}{end}" for end in "ab"]
    ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", second.name)
    if first is not None:
        ip("link", "set", ends[0], "netns", first.name)
    set_up(first, ends[0], wire.first)
    set_up(second, ends[1], wire.second)
    if is_default:
        second.ip("route", "add", "default", "via", wire.first)
    return wire


def set_up(namespace: Namespace | None, interface: str, address: str) -> None:
    """Give an interface its address in a /30, and start it."""
    run = ip if namespace is None else namespace.ip
    run("addr", "add", f"{address}/30", "dev", interface)
    run("link", "set", interface, "up")


_taken: set[str] = set()


def free_addresses() -> Wire:
    """The two addresses of a /30 that nothing on this machine uses. Other test runs begin elsewhere."""
    used = ip("-4", "route", "show", "table", "all")
    blocks = list(ipaddress.IPv4Network(_NETWORKS).subnets(new_prefix=30))
    for step in range(len(blocks)):
        block = blocks[(os.getpid() * 61 + step) % len(blocks)]
        if str(block.network_address) not in used and str(block) not in _taken:
            _taken.add(str(block))
            first, second = block.hosts()
            return Wire(str(first), str(second))
    raise NetworkError(f"every /30 of {_NETWORKS} is in use")


def names() -> list[str]:
    """The namespaces of this machine that have a name."""
    return [line.split()[0] for line in ip("netns", "list").splitlines() if line.strip()]


def remove_stale() -> None:
    """Remove the namespaces of test runs that were killed."""
    for name in names():
        owner = name.removeprefix(PREFIX).split("-")[0]
        if name.startswith(PREFIX) and owner.isdigit() and not psutil.pid_exists(int(owner)):
            ip("netns", "del", name)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_S)
    if done.returncode != 0:
        raise NetworkError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
