"""The table of a run, as Markdown that also reads well as plain text."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tests.benchmarks.goals import Row, rows
from tests.benchmarks.peers import OURS, PEERS
from tests.benchmarks.results import Results

LEGEND = """\
30 fps unless said; every figure with the default settings of each. *Seen*: from right before the emit call to the
moment a 60 Hz sampler in the page finds the frame's number in the pixels, its phase (0 to 17 ms) included; the same
sampler for all, and the model's schedule drifts through every phase in 20 s. *Drawn*: this project's own clock, right
after the draw. *Skipped*: numbers never seen. *Doubled*: a frame that stayed for more than 1.75 periods. CPU: % of one
core, without what the model spends on its picture. *Holds*: how long the call keeps a model of 25 fps, which is below
the default cap of 30: at the cap it would be the pace. *Spins*: a cell runs `while ...: pass`. *Burns*: and the model
computes in pure Python for 25 ms of each frame. Reactor serves from a process of its own, so no cell disturbs it."""


def main_table(results: Results) -> str:
    """Rows of what was measured; columns: the goal, this project, and the peers that were."""
    peers = [peer.name for peer in PEERS if any(result.peer == peer.name for result in results.all)]
    header = ["", "goal", *(f"**{name}**" if name == OURS.name else name for name in peers)]
    body = [[row.label, row.goal_text, *(row.cell(results, peer) for peer in peers)] for row in rows()]
    return markdown(header, [line for line in body if any(cell != "–" for cell in line[2:])])


def colour_table(results: Results) -> str:
    """The colour error of flat patches for each codec and carrier that was tried."""
    body = []
    for result in results.patches():
        codec = ", ".join(result.fidelity.codecs) or "JPEG or PNG"
        body.append([result.peer, codec, f"{statistics.mean(result.fidelity.colour_percent):.2f} %"])
    return markdown(["", "codec", "mean error"], body) if body else ""


def stage_table(results: Results) -> str:
    """Where this project's time goes, p50 / p95 in ms, for each size and rate; the median of the starts."""
    kinds: dict[str, list[dict[str, dict[str, float]]]] = {}
    for result in results.all:
        if result.stages_ms:
            kinds.setdefault(f"{result.size[1]}p{result.rate_fps:g}", []).append(result.stages_ms)
    names = list(dict.fromkeys(name for starts in kinds.values() for stages in starts for name in stages))
    body = [[name, *(_stage(starts, name) for starts in kinds.values())] for name in names]
    return markdown(["stage, p50 / p95 ms", *kinds], body) if body else ""


def _stage(starts: Sequence[dict[str, dict[str, float]]], name: str) -> str:
    known = [stages[name] for stages in starts if name in stages]
    if not known:
        return "–"
    return " / ".join(f"{statistics.median(each[rank] for each in known):.1f}" for rank in ("p50", "p95"))


def missed(results: Results) -> list[Row]:
    """Rows of this project that were measured and did not reach their goal."""
    found = []
    for row in rows():
        values = row.read(results, OURS.name)
        if values is not None and any(value is not None for value in values) and not row.is_met(values):
            found.append(row)
    return found


def markdown(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """With aligned columns."""
    lines = [header, *body]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    written = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    written.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(written)
