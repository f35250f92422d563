"""`python -m tests.benchmarks.soak --rungs`: sets a long run over the rungs up, and writes what it found."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks import disturbances, machine, report
from tests.benchmarks.notebooks import tabs
from tests.benchmarks.peers import CLIMBING, RUNGS, Peer
from tests.benchmarks.results import HD, VGA
from tests.benchmarks.roads import ROADS, Place, cabled, standing
from tests.benchmarks.soak_run import Shared, Soak, Soaked, job_of
from tests.benchmarks.soak_table import LEGEND, is_flat, shared_table, soak_table
from tests.support.network import why_no_namespaces

RATE_FPS = 30.0
TOGETHER_FPS = 15.0
"""Of several rungs at once: four kernels, four tabs and a browser share the machine."""


def main(arguments: argparse.Namespace, command: str) -> int:
    """0 when nothing grew beyond its bound and every picture came back."""
    rungs = chosen(arguments.rungs)
    why = why_no_namespaces()
    runs = [[rung] for rung in rungs] if arguments.one_by_one else [rungs]
    parts: list[str] = []
    is_good = True
    described = machine.describe()
    for each in runs:
        with _place() as place:
            described = machine.describe(place.browser.version)
            found, shared = _run(place, each, arguments.minutes * 60, arguments.seed, has_cuts=not why)
        parts += [soak_table(found), shared_table(shared), *_troubles(found)]
        is_good = is_good and is_flat(found, shared)
    together = "each by itself" if arguments.one_by_one else "all at once, each with a kernel and a tab of its own"
    drops = f"reloads only: {why}" if why else "reloads and cuts"
    head = f"{described} {arguments.minutes:g} minutes, {together}; {drops}, seed {arguments.seed}. `{command}`"
    body = "\n\n".join([head, *parts, LEGEND])
    print(f"\n{body}")
    if arguments.doc:
        report.write_section(arguments.doc, "rungs-soak", body)
    return 0 if is_good else 1


def chosen(names: Sequence[str]) -> list[Peer]:
    """All rungs and the ladder as it comes, or those that are named by their words or their `--carrier`."""
    every = [*RUNGS, CLIMBING]
    found = [rung for rung in every if not names or rung.name in names or rung.carrier in names]
    if not found:
        raise SystemExit(f"no rung is called {' or '.join(names)}; there are {', '.join(r.carrier for r in every)}")
    return found


@contextmanager
def _place() -> Iterator[Place]:
    with standing(ROADS["loopback"]) if why_no_namespaces() else cabled() as place:
        yield place


def _run(
    place: Place, rungs: Sequence[Peer], run_s: float, seed: int, *, has_cuts: bool
) -> tuple[list[Soaked], Shared]:
    is_alone = len(rungs) == 1
    size, rate_fps = (HD, RATE_FPS) if is_alone else (VGA, TOGETHER_FPS)
    events = disturbances.plan([rung.name for rung in rungs], run_s, seed, has_cuts=has_cuts)
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as folder, ExitStack() as stack:
        # A context of its own is a browser window of its own: none is behind another.
        contexts = [stack.enter_context(tabs(place.browser)) for _ in rungs]
        jobs = [job_of(Path(folder), rung, size, rate_fps) for rung in rungs]
        soak = Soak(place, contexts, rungs, jobs)
        return soak.run(run_s, events), soak.shared


def _troubles(found: Sequence[Soaked]) -> list[str]:
    lines = [f"- {each.rung}: {trouble}" for each in found for trouble in [*each.lost, *_few(each.errors)]]
    return ["\n".join(lines)] if lines else []


def _few(errors: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(error.partition("\n")[0][:200] for error in errors))[:5]
