"""`python -m tests.benchmarks [--seconds 12] [--peers NAME ...] [--sizes 640x480 ...] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.benchmarks.measure import PEERS, Result, as_json, measure, percentile
from tests.support.chromium import chromium_args, find_chromium
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab

ROOT = Path(__file__).resolve().parents[2]
SIZES = ((640, 480), (1280, 720))
LEGEND = """
All 30 fps, p50/p95 ms. seen: emit to the moment a 60 Hz sampler in the page finds the frame number in the
pixels. drawn: our own clock, emit to right after the draw. held: how long the emit call keeps the model (at a
cap equal to the model's own rate that is the pace itself; the row fps=60 shows the cost without it).
slider: key down to the kernel's method, with the kernel idle / in a sleeping cell. call: the same through
the View's `reactor.call`. first: from the cell's first line to the first frame seen. CPU: % of one core."""


def main() -> int:
    arguments = _arguments()
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as folder, sync_playwright() as playwright:
        root, state = Path(folder, "notebooks"), Path(folder, "jupyter")
        root.mkdir()
        state.mkdir()
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        server = JupyterLab(root=root, state=state, exposes_app=True, env={"PYTHONPATH": path})
        server.start()
        try:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=chromium_args())
            for size in arguments.sizes:
                for peer in (peer for peer in PEERS if peer.name in arguments.peers):
                    context = browser.new_context(viewport={"width": 1600, "height": 1500})
                    lab = Lab(server, context)
                    try:
                        print(f"{peer.name} at {size[0]} x {size[1]} ...", flush=True)
                        results.append(measure(lab, peer, size, arguments.seconds))
                    finally:
                        lab.close()
                        context.close()
            browser_version = browser.version
            browser.close()
        finally:
            server.stop()
    print(f"\n{_machine(browser_version)}\n\n{table(results)}\n{LEGEND}")
    if arguments.json:
        arguments.json.write_text(json.dumps([as_json(result) for result in results], indent=1))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Prints one table.")
    parser.add_argument("--seconds", type=float, default=12.0, help="how long each peer is watched")
    parser.add_argument("--peers", nargs="+", default=[peer.name for peer in PEERS])
    parser.add_argument("--sizes", nargs="+", type=_size, default=list(SIZES), metavar="WxH")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def _machine(browser_version: str) -> str:
    names = ("jupyterlab", "ipykernel", "ipywidgets", "jupyter_rfb", "aiortc", "av")
    versions = ", ".join(f"{name} {_version(name)}" for name in names)
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, Chromium {browser_version}, {versions}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def table(results: list[Result]) -> str:
    """Markdown, with aligned columns."""
    header = ["", "size", "seen fps", "seen", "drawn", "slider idle", "slider busy", "call idle", "call busy"]
    header += ["first", "held", "CPU kernel", "server", "browser"]
    rows = [header, *(_row(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(result: Result) -> list[str]:
    cpu = [f"{result.cpu_percent[name]:.0f} %" for name in ("kernel", "server", "browser")]
    pairs = [
        _pair(values)
        for values in (
            result.seen_ms,
            result.drawn_ms,
            result.slider_idle_ms,
            result.slider_busy_ms,
            result.call_idle_ms,
            result.call_busy_ms,
        )
    ]
    first = "-" if result.first_frame_ms is None else f"{result.first_frame_ms:.0f}"
    size = f"{result.size[0]}x{result.size[1]}"
    return [result.peer, size, f"{result.seen_fps:.1f}", *pairs, first, _pair(result.held_ms, digits=1), *cpu]


def _pair(values: list[float], digits: int = 0) -> str:
    middle, high = percentile(values, 50), percentile(values, 95)
    return "-" if middle is None or high is None else f"{middle:.{digits}f}/{high:.{digits}f}"


if __name__ == "__main__":
    raise SystemExit(main())
