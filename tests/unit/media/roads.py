"""A road in a box: a sender with a FlowWindow, a page that acknowledges, and what lies between, on a manual clock."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reactor_nb.media.flow import ACK_S, FlowWindow

LOOK_S = 0.001


@dataclass(frozen=True)
class Road:
    """`bytes_per_s` at each time; `delay_s` one way, and `farther_s` more at each time; `jitter_s` up to so much more
    on a message; `lost` of the messages to the page never arrive."""

    bytes_per_s: Callable[[float], float]
    delay_s: float = 0.0
    jitter_s: float = 0.0
    lost: Callable[[float], float] = lambda now_s: 0.0
    farther_s: Callable[[float], float] = lambda now_s: 0.0

    def way_s(self, now_s: float) -> float:
        return self.delay_s + self.farther_s(now_s)


@dataclass(frozen=True)
class Model:
    """What is streamed: `wanted_bps` where the road is wide, at `fps`; frames of a size within `spread` of the mean."""

    fps: float = 30.0
    wanted_bps: float = 16e6
    spread: float = 0.3
    least_bytes: int = 500


@dataclass
class Ride:
    """What became of it. `seen`: (played_s, seen_s) of frames; `in_flight`: (now_s, bytes, frames, window_bytes), but
    for those that went into a silence."""

    window: FlowWindow
    seen: list[tuple[float, float]] = field(default_factory=list)
    in_flight: list[tuple[float, int, int, float]] = field(default_factory=list)
    ack_gaps_s: list[float] = field(default_factory=list)
    acks: int = 0
    bytes_sent: int = 0
    rates: list[tuple[float, int]] = field(default_factory=list)
    sends: list[tuple[float, int]] = field(default_factory=list)

    def latencies_s(self, from_s: float, to_s: float = 1e9) -> list[float]:
        """Ages of the frames seen in that time, sorted."""
        return sorted(seen - played for played, seen in self.seen if from_s <= seen < to_s)

    def p95_s(self, from_s: float, to_s: float = 1e9) -> float:
        ages = self.latencies_s(from_s, to_s)
        return ages[int(0.95 * (len(ages) - 1))] if ages else float("inf")

    def fps(self, from_s: float, to_s: float) -> float:
        return len(self.latencies_s(from_s, to_s)) / (to_s - from_s)

    def rate_bps(self, at_s: float) -> int:
        return [rate for when, rate in self.rates if when <= at_s][-1]


def ride(
    road: Road,
    for_s: float,
    model: Model = Model(),
    *,
    seed: int = 0,
    hears: Callable[[float], bool] = lambda now_s: True,
    deaf: Callable[[float], bool] | None = None,
) -> Ride:
    """Stream over a road for so long. While the kernel does not hear (`hears`), acknowledgements wait for it; `deaf`:
    when it says so itself."""
    chance = random.Random(seed)
    window = FlowWindow(0.0)
    result = Ride(window)
    events: list[tuple[float, int, str, Any]] = []
    order = 0

    def at(when_s: float, kind: str, what: Any = None) -> None:
        nonlocal order
        order += 1
        heapq.heappush(events, (when_s, order, kind, what))

    newest: float | None = None
    sequence = 0
    down_free_s = down_last_s = up_last_s = 0.0
    heard_up_to = heard_since = 0
    unacked_from_s: float | None = None
    last_ack_s = 0.0
    waiting_acks: list[int] = []
    was_deaf = False

    def try_send(now_s: float) -> None:
        nonlocal newest, sequence, down_free_s, down_last_s
        if newest is None or not window.may_send(now_s):
            return
        rate_bps = min(window.rate_bps, model.wanted_bps)
        size = max(
            model.least_bytes, int(rate_bps / 8 / model.fps * chance.uniform(1 - model.spread, 1 + model.spread))
        )
        sequence += 1
        is_silent = window.stats(now_s)["state"] == "silent"
        window.sent(sequence, size, now_s)
        result.bytes_sent += size
        result.sends.append((now_s, size))
        result.rates.append((now_s, window.rate_bps))
        if not is_silent:
            result.in_flight.append((now_s, window.in_flight_bytes, window.in_flight, window.window_bytes))
        down_free_s = max(down_free_s, now_s) + size / road.bytes_per_s(now_s)
        if chance.random() >= road.lost(now_s):
            down_last_s = max(down_last_s, down_free_s + road.way_s(now_s) + chance.uniform(0, road.jitter_s))
            at(down_last_s, "arrive", (sequence, newest, window.ack_every))
        newest = None

    def send_ack(now_s: float) -> None:
        nonlocal heard_since, unacked_from_s, last_ack_s, up_last_s
        if unacked_from_s is not None:
            result.ack_gaps_s.append(now_s - unacked_from_s)
        heard_since, unacked_from_s, last_ack_s = 0, None, now_s
        result.acks += 1
        up_last_s = max(up_last_s, now_s + road.way_s(now_s) + chance.uniform(0, road.jitter_s))
        at(up_last_s, "ack", heard_up_to)

    at(0.0, "frame", 0)
    at(0.0, "look")
    while events:
        now_s, _, kind, what = heapq.heappop(events)
        if now_s > for_s:
            break
        if kind == "frame":
            newest = now_s
            at((what + 1) / model.fps, "frame", what + 1)
            try_send(now_s)
        elif kind == "arrive":
            heard_up_to, played_s, ack_every = what
            result.seen.append((played_s, now_s))
            heard_since += 1
            if unacked_from_s is None:
                unacked_from_s = now_s
                at(now_s + ACK_S, "ack timer", heard_up_to)
            if heard_since >= ack_every:
                send_ack(now_s)
        elif kind == "ack timer":
            if unacked_from_s is not None and now_s - unacked_from_s >= ACK_S - 1e-9:
                send_ack(now_s)
        elif kind == "ack":
            waiting_acks.append(what)
        if deaf is not None and deaf(now_s) != was_deaf:
            was_deaf = not was_deaf
            window.deafen(was_deaf, now_s)
        if waiting_acks and hears(now_s):
            for acked in waiting_acks:
                window.acked(acked, now_s)
            waiting_acks.clear()
        try_send(now_s)
        if kind == "look":
            look_s = window.next_look_s(now_s)
            at(min(max(look_s, now_s + LOOK_S), now_s + 0.05), "look")
    return result
