"""What happens to a page at random during a long run: it is reloaded, its datagrams or all its packets are dropped."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["reload", "no UDP", "nothing passes"]

CALM_S = 20.0
"""At both ends: what is counted there is counted in the same state."""

_GAP_S = (4.0, 14.0)
_CUT_S = (1.0, 6.0)
_CUTS: tuple[Kind, ...] = ("no UDP", "nothing passes")


@dataclass(frozen=True)
class Disturbance:
    """One event.

    Args:
        at_s: since the beginning of the run.
        rung: whose page is reloaded; a cut meets the pages of all.
        duration_s: of a cut.
    """

    at_s: float
    kind: Kind
    rung: str = ""
    duration_s: float = 0.0


def plan(rungs: Sequence[str], run_s: float, seed: int, *, has_cuts: bool = True) -> list[Disturbance]:
    """In the order of time. The same seed gives the same events; every second one is a reload."""
    chance = random.Random(seed)
    found: list[Disturbance] = []
    at_s = CALM_S
    while at_s < run_s - CALM_S:
        if has_cuts and len(found) % 2:
            cut = Disturbance(at_s, chance.choice(_CUTS), duration_s=chance.uniform(*_CUT_S))
            found.append(cut)
            at_s += cut.duration_s
        else:
            found.append(Disturbance(at_s, "reload", chance.choice(rungs)))
        at_s += chance.uniform(*_GAP_S)
    return found
