"""Memory over a long run: kernel, media process, page and browser, while 720p at 30 fps is watched.

    python -m tests.benchmarks.soak [--minutes 30] [--doc FILE | --no-doc]
    python -m tests.benchmarks.soak --rungs [NAME ...] [--one-by-one] [--minutes 10] [--seed 5]

A slope is fitted to the least value of each minute after the first fifth: the start fills caches, and a frame that
waits holds a piece of shared memory for a moment. Flat is a slope that adds up to less than 5 MB over the run.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil
from playwright.sync_api import CDPSession

from tests.benchmarks import machine, report, soak_rungs
from tests.benchmarks.model_loop import Job
from tests.benchmarks.notebooks import notebooks, tabs
from tests.benchmarks.peers import OURS
from tests.benchmarks.processes import groups_of, media_processes, memory_mb
from tests.benchmarks.record import FrameRecord
from tests.benchmarks.results import HD
from tests.benchmarks.slopes import Slope, slope
from tests.benchmarks.table import markdown
from tests.support.lab import Lab

EVERY_S = 10.0
FLAT_MB = 5.0


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
    arguments = _arguments()
    command = shlex.join(["python", "-m", "tests.benchmarks.soak", *sys.argv[1:]])
    if arguments.rungs is not None:
        return soak_rungs.main(arguments, command)
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as folder, notebooks() as (server, browser):
        described = machine.describe(browser.version)
        with tabs(browser) as context:
            lab = Lab(server, context)
            try:
                slopes, rate_fps = measure(lab, arguments.minutes, Path(folder))
            finally:
                lab.close()
    head = f"{described} {arguments.minutes:g} minutes, {rate_fps:.1f} frames painted a second. `{command}`"
    found = table(slopes, arguments.minutes)
    print(f"\n{head}\n\n{found}")
    if arguments.doc:
        report.write_section(arguments.doc, "soak", f"{head}\n\n{found}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, help="how long; 30, and 10 with --rungs")
    parser.add_argument("--rungs", nargs="*", metavar="NAME", help="with reloads and cuts, over these rungs or all")
    parser.add_argument("--one-by-one", action="store_true", help="one rung after another, each as long")
    parser.add_argument("--seed", type=int, default=5, help="of the reloads and cuts")
    parser.add_argument("--quick", action="store_true", help="a glance: a minute and a half; writes no file")
    parser.add_argument("--doc", type=Path, default=report.DOCUMENT)
    parser.add_argument("--no-doc", dest="doc", action="store_const", const=None)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.doc = None
    usual = 1.5 if arguments.quick else 30.0 if arguments.rungs is None else 10.0
    arguments.minutes = arguments.minutes or usual
    return arguments


if __name__ == "__main__":
    sys.exit(main())
