"""The rungs of the ladder side by side, on the loopback and over a road that delays and loses: `make bench` has it.

    python -m tests.benchmarks.rungs [--quick] [--rungs NAME ...] [--roads loopback slow] [--doc FILE | --no-doc]

A rung is chosen by `%reactor run --carrier`, and the View is asked what it stands on: another one is not counted.
The slow road (20 ms there and back, 1 % lost) is a network namespace with the browser in it, and needs root.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from reactor_nb.runtime.ice import SERVERS
from tests.benchmarks import machine, report
from tests.benchmarks.measure import Visit, measure
from tests.benchmarks.notebooks import tabs
from tests.benchmarks.peers import RUNGS, TURN, Peer
from tests.benchmarks.results import HD, VGA, Result
from tests.benchmarks.roads import ROADS, Place, Road, standing
from tests.benchmarks.rung_table import LEGEND, rung_tables
from tests.support.lab import Lab
from tests.support.turn import why_no_turn

WINDOW_S = 7.0
QUICK_WINDOW_S = 4.0
SETTLE_S = 3.0
SLOW_SETTLE_S = 5.0
"""On a road that is narrower than the picture the rate needs a few seconds to be found."""

_TROUBLE = (RuntimeError, AssertionError, TimeoutError, PlaywrightError, psutil.Error)


def plan(rungs: Sequence[Peer], road: Road, rounds: int, window_s: float) -> list[list[Visit]]:
    """A round is one tab; the rungs take turns in it, each round in another order. Controls once, on a fast road, and
    the relay once on each."""
    settle_s = SLOW_SETTLE_S if road.is_slow else SETTLE_S
    found = []
    for index in range(rounds):
        own = [rung for rung in rungs if rung is not TURN]
        first = index % max(1, len(own))
        turned = [*own[first:], *own[:first], *(rung for rung in rungs if rung is TURN and index == 0)]
        visits = [
            Visit(rung, size, window_s=window_s, settle_s=settle_s, has_fidelity=index == 0)
            for size in (VGA, HD)
            for rung in turned
        ]
        if index == 0 and not road.is_slow:
            visits = [replace(visit, has_controls=visit.size == VGA and visit.peer is not TURN) for visit in visits]
        found.append(visits)
    return found


def quick(rungs: Sequence[Peer]) -> list[list[Visit]]:
    """A glance at 720p, a minute for one road."""
    return [[Visit(rung, HD, window_s=QUICK_WINDOW_S, settle_s=2.0) for rung in rungs if rung is not TURN]]


def main() -> int:
    arguments = _arguments()
    began_s, load = time.time(), machine.load()
    notes: list[str] = []
    rungs = [rung for rung in (*RUNGS, TURN) if rung.name in arguments.rungs or rung.carrier in arguments.rungs]
    if TURN in rungs and (why := why_no_turn()):
        rungs.remove(TURN)
        notes.append(f"Not measured: {TURN.name}: {why}")
    found: list[Result] = []
    described = machine.describe()
    for name in arguments.roads:
        road = ROADS[name]
        if why := road.missing():
            notes.append(f"Not measured: {road.words}: {why}")
            continue
        rounds = quick(rungs) if arguments.quick else plan(rungs, road, arguments.rounds, arguments.seconds)
        with standing(road) as place:
            described = machine.describe(place.browser.version)
            for visits in rounds:
                _run(place, visits, found, notes)
    command = shlex.join(["python", "-m", "tests.benchmarks.rungs", *sys.argv[1:]])
    head = f"{described} {time.time() - began_s:.0f} s, load before it {load:.1f}. `{command}`"
    body = "\n\n".join(part for part in [head, rung_tables(found), LEGEND, *notes] if part)
    print(f"\n{body}\n")
    if arguments.json:
        arguments.json.write_text(json.dumps([result.as_json() for result in found]))
    if arguments.doc:
        report.write_section(arguments.doc, "rungs", body)
    return 1 if not found else 0


def _run(place: Place, visits: list[Visit], found: list[Result], notes: list[str]) -> None:
    """One round. What fails is noted and the run goes on."""
    road = place.road
    with tabs(place.browser) as context:
        page = _loaded(place, context)
        for visit in visits:
            what = f"{visit.peer.name}, {visit.size[0]}x{visit.size[1]}, {road.words.lower()}"
            print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)
            lab = Lab(place.server, context, page)
            try:
                result = measure(lab, _relayed(place, visit) if visit.peer is TURN else visit)
                if not visit.peer.name.startswith(result.rung):
                    raise RuntimeError(f"the View says that it is carried by {result.rung!r}")
                found.append(replace(result, road=road.words))
                print(f"           {_glance(result)}", flush=True)
            except _TROUBLE as error:
                notes.append(f"Not measured: {what}: {str(error).partition(chr(10))[0]}")
                print(f"  {error}", flush=True)
            try:
                page = lab.release()
            except PlaywrightError:
                page = None


def _relayed(place: Place, visit: Visit) -> Visit:
    assert place.turn is not None
    return replace(visit, is_relayed=True, environment={SERVERS: json.dumps(place.turn.ice_servers())})


def _loaded(place: Place, context: BrowserContext) -> Page | None:
    """A tab with JupyterLab in it."""
    if not place.road.is_slow:
        return None
    with place.eased():
        lab = Lab(place.server, context)
        lab.open([])
        return lab.release()


def _glance(result: Result) -> str:
    window = result.windows[0]
    cpu = ", ".join(f"{name} {percent:.0f} %" for name, percent in window.cpu_percent.items())
    return f"{window.seen_fps:.1f} fps seen, {window.mbps:.1f} Mbit/s, {cpu}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.rungs", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a glance: loopback, 720p, once; writes no file")
    parser.add_argument("--rounds", type=int, default=2, help="how often each rung is started at each size")
    parser.add_argument("--seconds", type=float, default=WINDOW_S, help="how long each start is watched")
    parser.add_argument("--rungs", nargs="+", default=[rung.name for rung in (*RUNGS, TURN)], metavar="NAME")
    parser.add_argument("--roads", nargs="+", choices=ROADS, default=None)
    parser.add_argument("--json", type=Path, help="also write every single value here")
    parser.add_argument("--doc", type=Path, default=report.DOCUMENT, help="where the tables go")
    parser.add_argument("--no-doc", dest="doc", action="store_const", const=None)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.doc = None
    arguments.roads = arguments.roads or (["loopback"] if arguments.quick else list(ROADS))
    return arguments


if __name__ == "__main__":
    raise SystemExit(main())
