"""This project beside what a user would pick instead, in one run: prints the table, writes docs/performance.md.

python -m tests.benchmarks [--quick] [--rounds 5] [--seconds 20] [--peers NAME ...] [--doc FILE | --no-doc]
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from reactor_nb.media.codecs import COMM_CODECS
from tests.benchmarks import machine, plan, report
from tests.benchmarks.measure import Visit, measure
from tests.benchmarks.notebooks import notebooks, tabs
from tests.benchmarks.peers import PEERS, Peer, missing
from tests.benchmarks.results import Result, Results
from tests.benchmarks.table import LEGEND, colour_table, main_table, stage_table
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab

_TROUBLE = (RuntimeError, AssertionError, TimeoutError, PlaywrightError, psutil.Error)


def main() -> int:
    arguments = _arguments()
    began_s, load = time.time(), machine.load()
    chosen = [peer for peer in PEERS if peer.name in arguments.peers]
    notes = [why for peer in chosen if (why := missing(peer))]
    peers = [peer for peer in chosen if missing(peer) is None]
    rounds = _rounds(arguments, peers)
    found: list[Result] = []
    with notebooks() as (server, browser):
        machine_text = machine.describe(browser.version)
        for visits in rounds:
            _run(server, browser, visits, found, notes)
    results = Results(tuple(found))
    command = shlex.join(["python", "-m", "tests.benchmarks", *sys.argv[1:]])
    head = f"{machine_text} {time.time() - began_s:.0f} s, load before it {load:.1f}. `{command}`"
    print(
        "\n".join(
            [
                f"\n{head}\n",
                main_table(results),
                "",
                stage_table(results),
                "",
                colour_table(results),
                "",
                LEGEND,
                "",
                *notes,
            ]
        )
    )
    if arguments.json:
        arguments.json.write_text(json.dumps([result.as_json() for result in found]))
    if arguments.doc:
        report.write_comparison(arguments.doc, head, results, notes)
    return 1 if not found else 0


def _run(server: JupyterLab, browser: Browser, visits: list[Visit], found: list[Result], notes: list[str]) -> None:
    """One round. What fails is noted and the run goes on: one peer's trouble is not the others'."""
    with tabs(browser) as context:
        page: Page | None = None
        for visit in visits:
            what = f"{visit.peer.name}, {visit.size[0]}x{visit.size[1]}, {visit.rate_fps:g} fps {visit.codec}".strip()
            print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)
            lab = Lab(server, context, page)
            try:
                found.append(measure(lab, visit))
            except _TROUBLE as error:
                notes.append(f"Not measured: {what}: {str(error).partition(chr(10))[0]}")
                print(f"  {error}", flush=True)
            try:
                page = lab.release()
            except PlaywrightError:
                page = None


def _rounds(arguments: argparse.Namespace, peers: list[Peer]) -> list[plan.Round]:
    if arguments.quick:
        return plan.quick(peers)
    return plan.full(peers, COMM_CODECS, arguments.rounds, arguments.seconds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under 2 minutes: 720p, once, writes no file")
    parser.add_argument("--rounds", type=int, default=plan.ROUNDS, help="how often each peer is started at 720p")
    parser.add_argument("--seconds", type=float, default=plan.WINDOW_S, help="how long each start is watched")
    parser.add_argument("--peers", nargs="+", default=[peer.name for peer in PEERS], metavar="NAME")
    parser.add_argument("--json", type=Path, help="also write every single value here")
    parser.add_argument("--doc", type=Path, default=report.DOCUMENT, help="where the table goes")
    parser.add_argument("--no-doc", dest="doc", action="store_const", const=None)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.doc = None
    return arguments


if __name__ == "__main__":
    raise SystemExit(main())
