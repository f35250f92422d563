"""Memory over a long run: kernel, media process, page and browser, while 720p at 30 fps is watched.

    python -m tests.benchmarks.soak [--minutes 30] [--doc FILE | --no-doc]

A slope is fitted to the least value of each minute after the first fifth: the start fills caches, and a frame that
waits holds a piece of shared memory for a moment. Flat is a slope that adds up to less than 5 MB over the run.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import CDPSession

from tests.benchmarks import machine, report
from tests.benchmarks.model_loop import Job
from tests.benchmarks.notebooks import notebooks, tabs
from tests.benchmarks.peers import OURS
from tests.benchmarks.processes import groups_of, media_processes, memory_mb
from tests.benchmarks.record import FrameRecord
from tests.benchmarks.results import HD
from tests.benchmarks.table import markdown
from tests.support.lab import Lab

EVERY_S = 10.0
FLAT_MB = 5.0
_WARM_UP_SHARE = 0.2


@dataclass(frozen=True)
class Slope:
    """What one series did: at the end of the warm-up, at the end, and per hour by least squares."""

    name: str
    began: float
    ended: float
    per_hour: float


def slope(name: str, at_s: Sequence[float], values: Sequence[float]) -> Slope:
    """Of the least of each minute after the warm-up. Began and ended are medians of a tenth of it."""
    at_s, values = _least_of_each_minute(at_s, values)
    first = next(index for index, each in enumerate(at_s) if each >= at_s[0] + _WARM_UP_SHARE * (at_s[-1] - at_s[0]))
    hours, late = np.array(at_s[first:]) / 3600, np.array(values[first:])
    few = max(1, len(late) // 10)
    per_hour = float(np.polyfit(hours - hours[0], late, 1)[0]) if len(late) > 1 else 0.0
    return Slope(name, float(np.median(late[:few])), float(np.median(late[-few:])), per_hour)


def _least_of_each_minute(at_s: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    minutes: dict[int, float] = {}
    for at, value in zip(at_s, values, strict=True):
        minute = int((at - at_s[0]) // 60)
        minutes[minute] = min(value, minutes.get(minute, value))
    return [60.0 * minute for minute in minutes], list(minutes.values())


def table(slopes: Sequence[Slope], minutes: float) -> str:
    body = []
    for each in slopes:
        grown = each.per_hour * minutes / 60
        verdict = ("✓" if grown < FLAT_MB else "✗") if each.name.endswith("MB") else ""
        body.append([each.name, f"{each.began:.1f}", f"{each.ended:.1f}", f"{each.per_hour:+.1f} {verdict}".strip()])
    return markdown(["", "after the warm-up", "at the end", "per hour"], body)


def measure(lab: Lab, minutes: float, folder: Path) -> tuple[list[Slope], float]:
    """The slopes, and the painted frames per second over the whole run."""
    record = FrameRecord(folder / "frames.bin", is_new=True)
    job = Job(*HD, str(record.path))
    lab.open(
        [
            f"{OURS.prepare}\nfrom tests.benchmarks import kernel_side\nkernel_side.prepare({job.as_text()!r})",
            OURS.start,
        ]
    )
    lab.run(0)
    lab.run(1)
    if lab.text(0) or any(output["output_type"] == "error" for output in lab.outputs(1)):
        raise RuntimeError(lab.text(0) + lab.text(1))
    lab.wait_for_motion()
    devtools = lab.context.new_cdp_session(lab.page)
    devtools.send("Performance.enable")
    kernel_pid, painted = lab.kernel_pid(), lab.stats()["painted"]
    at_s: list[float] = []
    series: dict[str, list[float]] = {}
    while not at_s or at_s[-1] < minutes * 60:
        for name, value in _sample(kernel_pid, lab.server.pid, devtools).items():
            series.setdefault(name, []).append(value)
        at_s.append(EVERY_S * len(at_s))
        print(
            f"{at_s[-1]:6.0f} s  " + "  ".join(f"{name} {values[-1]:.0f}" for name, values in series.items()),
            flush=True,
        )
        lab.page.wait_for_timeout(EVERY_S * 1000)
    rate_fps = (lab.stats()["painted"] - painted) / (EVERY_S * len(at_s))
    return [slope(name, at_s, values) for name, values in series.items()], rate_fps


def _sample(kernel_pid: int, server_pid: int, devtools: CDPSession) -> dict[str, float]:
    kernel = psutil.Process(kernel_pid)
    devtools.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    media = media_processes(kernel_pid)
    return {
        "kernel, MB": memory_mb([kernel]),
        "media process, MB": memory_mb(media),
        "page's own heap, MB": metrics["JSHeapUsedSize"] / 1e6,
        "browser, all processes, MB": memory_mb(groups_of(kernel_pid, server_pid)["browser"]),
        "kernel, open files": float(kernel.num_fds()),
        "media process, open files": float(sum(process.num_fds() for process in media)),
        "kernel, threads": float(kernel.num_threads()),
        "page, DOM nodes": float(metrics["Nodes"]),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--doc", type=Path, default=report.DOCUMENT)
    parser.add_argument("--no-doc", dest="doc", action="store_const", const=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as folder, notebooks() as (server, browser):
        described = machine.describe(browser.version)
        with tabs(browser) as context:
            lab = Lab(server, context)
            try:
                slopes, rate_fps = measure(lab, arguments.minutes, Path(folder))
            finally:
                lab.close()
    command = shlex.join(["python", "-m", "tests.benchmarks.soak", *sys.argv[1:]])
    head = f"{described} {arguments.minutes:g} minutes, {rate_fps:.1f} frames painted a second. `{command}`"
    found = table(slopes, arguments.minutes)
    print(f"\n{head}\n\n{found}")
    if arguments.doc:
        report.write_section(arguments.doc, "soak", f"{head}\n\n{found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
