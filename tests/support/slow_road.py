"""A slow and lossy road to a namespace, laid beside the fast cable.

`tc netem` is not in every kernel, so the packets go through a process of ours (`road_process.py`) by a pair of TUN
interfaces: delay, rate, queue and loss are what it does with them. TUN has no segmentation offload: what is
counted is what a wire would carry.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from tests.support.network import Namespace, Wire, free_addresses, ip, set_up


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a road does to each packet, the same in both directions.

    Args:
        delay_s: one way.
        loss: share of the packets that never arrive, 0 to 1.
        rate_bytes_s: of each direction; None is as fast as the machine.
        queue_s: how long a packet waits for its turn before the next ones are dropped.
    """

    delay_s: float = 0.0
    loss: float = 0.0
    rate_bytes_s: float | None = None
    queue_s: float = 0.3


class SlowRoad:
    """A road between this namespace and another.

    `use()` sends what the namespace says to `here` by this road (and its answers), `leave()` by the cable again. What
    is under way then may be lost; connections that were begun on one road end with it, as the address differs.
    Threads: the one that made it. `close()` takes the interfaces away.
    """

    def __init__(self, namespace: Namespace, here: str, conditions: Conditions, *, seed: int = 0) -> None:
        self._namespace, self._here = namespace, here
        names = [f"rt{os.getpid()}{end}" for end in "ab"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.road_process", *names, str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self._await_ready()
            self.change(conditions)
            ip("link", "set", names[1], "netns", namespace.name)
            self.wire: Wire = free_addresses()
            set_up(None, names[0], self.wire.first)
            set_up(namespace, names[1], self.wire.second)
        except BaseException:
            self.close()
            raise
        self._interface = names[1]

    def change(self, conditions: Conditions) -> None:
        """From the next packet on."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(conditions)) + "\n")
        self._process.stdin.flush()

    def use(self) -> None:
        self._namespace.ip("route", "replace", f"{self._here}/32", "dev", self._interface, "src", self.wire.second)

    def leave(self) -> None:
        if self._here in self._namespace.ip("route", "show", f"{self._here}/32"):
            self._namespace.ip("route", "del", f"{self._here}/32", "dev", self._interface)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        self.use()
        try:
            yield
        finally:
            self.leave()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _await_ready(self) -> None:
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "ready":
            raise RuntimeError("the process of the slow road did not start; its message is above")
