"""`python -m tests.support.road_process FIRST SECOND SEED`: carry packets between two TUN interfaces, slowly.

Makes both interfaces, prints `ready`, reads conditions as JSON lines from its standard input, and ends with it; the
interfaces end with the process.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import select
import struct
import sys
import time
from collections import deque

from tests.support.slow_road import Conditions

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_MAX_PACKET_BYTES = 65536


class Lane:
    """One direction of a road: which packet arrives, and when. Pure arithmetic on the times given to it."""

    def __init__(self, conditions: Conditions, chance: random.Random) -> None:
        self.conditions = conditions
        self._chance = chance
        self._free_at_s = 0.0

    def arrival_s(self, size_bytes: int, now_s: float) -> float | None:
        """When a packet that is sent now arrives; None when it never does."""
        road = self.conditions
        if self._chance.random() < road.loss:
            return None
        begins_s = max(now_s, self._free_at_s)
        if begins_s - now_s > road.queue_s:
            return None
        self._free_at_s = begins_s + (size_bytes / road.rate_bytes_s if road.rate_bytes_s else 0.0)
        return self._free_at_s + road.delay_s


class _Direction:
    def __init__(self, source: int, sink: int, chance: random.Random) -> None:
        self.source = source
        self.lane = Lane(Conditions(), chance)
        self._sink = sink
        self._under_way: deque[tuple[float, bytes]] = deque()

    def take(self) -> None:
        """Take everything that waits at the source."""
        now_s = time.monotonic()
        while True:
            try:
                packet = os.read(self.source, _MAX_PACKET_BYTES)
            except BlockingIOError:
                return
            due_s = self.lane.arrival_s(len(packet), now_s)
            if due_s is not None:
                # A shorter delay does not let later packets overtake: it is one road.
                latest_s = self._under_way[-1][0] if self._under_way else 0.0
                self._under_way.append((max(due_s, latest_s), packet))

    def deliver(self) -> float | None:
        """Hand over what is due; returns when the next one is."""
        while self._under_way and self._under_way[0][0] <= time.monotonic():
            _, packet = self._under_way.popleft()
            try:
                os.write(self._sink, packet)
            except (BlockingIOError, OSError):
                continue  # An interface that is down or full loses packets, as a wire does.
        return self._under_way[0][0] if self._under_way else None


def _open_tun(name: str) -> int:
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return tun


def main(first: str, second: str, seed: int) -> None:
    tuns = _open_tun(first), _open_tun(second)
    chance = random.Random(seed)
    directions = {
        tuns[0]: _Direction(tuns[0], tuns[1], chance),
        tuns[1]: _Direction(tuns[1], tuns[0], chance),
    }
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    poll = select.poll()
    for each in (*tuns, 0):
        poll.register(each, select.POLLIN)
    typed = b""
    while True:
        due = [due_s for each in directions.values() if (due_s := each.deliver()) is not None]
        timeout_ms = max(0.0, (min(due) - time.monotonic()) * 1000) if due else None
        for ready, _ in poll.poll(timeout_ms):
            if ready in directions:
                directions[ready].take()
                continue
            more = os.read(0, 4096)
            if not more:
                return
            *lines, typed = (typed + more).split(b"\n")
            for line in lines:
                for direction in directions.values():
                    direction.lane.conditions = Conditions(**json.loads(line))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
