"""Latency against smoothness of the schedule, on simulated models and a manual clock: a table for docs/design.md.

    python -m tests.benchmarks.pacing

`age`, p50 / p95 in ms, is from emission to show; a block that is played evenly has a mean age of half its own time,
which no schedule can avoid. `still` is how long the picture stood beyond one and a half of its mean intervals, as
a share of the time: what a viewer sees as a freeze. Pauses of the model are left out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tests.unit.core.pacing_player import Player, Shown

SMOOTHNESS = (0.0, 0.5, 1.0)
_WARM_UP = 3  # emissions that are not counted: nothing is known of the model yet
_PAUSE_MS = 15_000.0

Emissions = Iterator[tuple[int, float]]
"""(frames, seconds that the model takes for them)."""


@dataclass(frozen=True)
class Pattern:
    name: str
    rate_fps: float
    emissions: Callable[[random.Random], Emissions]


def _jittery(count: int, frames: int, took_s: float, jitter: float) -> Callable[[random.Random], Emissions]:
    """`jitter`: the standard deviation, as a share of the time."""

    def emissions(chance: random.Random) -> Emissions:
        for _ in range(count):
            yield frames, took_s * max(0.1, chance.gauss(1.0, jitter))

    return emissions


def _drifting(chance: random.Random) -> Emissions:
    for turn in range(120):
        yield 9, (1.2 - 0.6 * turn / 120) * chance.gauss(1.0, 0.05)


def _pausing(chance: random.Random) -> Emissions:
    for turn in range(80):
        yield 9, 20.0 if turn % 10 == 9 else 0.6 * chance.gauss(1.0, 0.05)


def _bursting(chance: random.Random) -> Emissions:
    for turn in range(120):
        yield 9, (0.3 if turn % 2 else 0.9) * chance.gauss(1.0, 0.05)


PATTERNS = (
    Pattern("single frames, 24 fps, jitter 20 %", 30, _jittery(600, 1, 1 / 24, 0.2)),
    Pattern("single frames, 30 fps of its own, jitter 20 %", 30, _jittery(600, 1, 1 / 30, 0.2)),
    Pattern("single frames, 0.5 fps, jitter 20 %", 30, _jittery(60, 1, 2.0, 0.2)),
    Pattern("single frames, 120 fps of 120, jitter 20 %", 120, _jittery(2400, 1, 1 / 120, 0.2)),
    Pattern("single frames, a model twice as fast as the clock", 30, _jittery(600, 1, 1 / 60, 0.2)),
    Pattern("blocks of 4, 10 fps, jitter 15 %", 30, _jittery(150, 4, 0.4, 0.15)),
    Pattern("blocks of 4, 0.5 fps, jitter 15 %", 30, _jittery(40, 4, 8.0, 0.15)),
    Pattern("blocks of 9, 15 fps, jitter 10 %", 30, _jittery(120, 9, 0.6, 0.1)),
    Pattern("blocks of 9, a model twice as fast as the clock", 30, _jittery(120, 9, 0.15, 0.1)),
    Pattern("blocks of 9, drifting from 7.5 to 15 fps", 30, _drifting),
    Pattern("blocks of 9, 15 fps, a pause of 20 s after every ninth", 30, _pausing),
    Pattern("blocks of 9, by turns 0.3 and 0.9 s", 30, _bursting),
    Pattern("blocks of 81, 8 fps, jitter 5 %", 30, _jittery(20, 81, 10.0, 0.05)),
)


@dataclass(frozen=True)
class Figures:
    fps: float
    age_p50_ms: float
    age_p95_ms: float
    gap_p95_ms: float
    still: float


def measure(pattern: Pattern, smoothness: float) -> Figures:
    player = Player(pattern.rate_fps, smoothness)
    for frames, took_s in pattern.emissions(random.Random(4)):
        player.emit(frames, took_s)
    first = player.emitted[_WARM_UP].number
    return _figures([each for each in player.finish() if each.number >= first])


def _figures(shown: list[Shown]) -> Figures:
    ages_ms = np.array([1000 * each.age_s for each in shown])
    gaps_ms = np.array([1000 * (later.shown_s - earlier.shown_s) for earlier, later in pairwise(shown)])
    gaps_ms = gaps_ms[gaps_ms < _PAUSE_MS]
    mean_ms = float(gaps_ms.mean())
    return Figures(
        fps=1000 / mean_ms,
        age_p50_ms=float(np.percentile(ages_ms, 50)),
        age_p95_ms=float(np.percentile(ages_ms, 95)),
        gap_p95_ms=float(np.percentile(gaps_ms, 95)),
        still=float(np.maximum(0.0, gaps_ms - 1.5 * mean_ms).sum() / gaps_ms.sum()),
    )


def table() -> str:
    """Markdown: a row for each pattern, a column for each smoothness."""
    lines = [
        "| pattern | " + " | ".join(f"smoothness {smoothness:g}" for smoothness in SMOOTHNESS) + " |",
        "|---|" + "---|" * len(SMOOTHNESS),
    ]
    for pattern in PATTERNS:
        cells = []
        for smoothness in SMOOTHNESS:
            found = measure(pattern, smoothness)
            cells.append(
                f"{found.fps:.1f} fps, age {found.age_p50_ms:.0f} / {found.age_p95_ms:.0f}, "
                f"gap p95 {found.gap_p95_ms:.0f}, still {100 * found.still:.1f} %"
            )
        lines.append(f"| {pattern.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
