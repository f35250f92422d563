"""How long the command line and the import take, beside the bare import of what they cannot do without.

    python -m tests.benchmarks.startup [--runs 11] [--json FILE] [--doc FILE]

Every run is a fresh process; the rows take turns, so that a busy moment hits all of them. The ratio is that of the
medians; `import reactor_nb` is timed inside its process, for the interpreter's own start is not ours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import report

ROOT = Path(__file__).resolve().parents[2]
BARE = "import pydantic, omegaconf, numpy"
MOST_RATIO = 1.5
MOST_IMPORT_S = 0.1

MODEL = """\
from pydantic import Field
from reactor_nb import VideoModel, command, get_ctx, model


@model(name="small")
class Small(VideoModel):
    @command("set_speed", description="How fast")
    def set_speed(self, speed: float = Field(0.5, ge=0, le=1)):
        self.speed = speed

    def start_session(self):
        while not get_ctx().should_stop():
            get_ctx().emit_block(None)
"""
_TIMED_IMPORT = (
    "import time; start = time.perf_counter(); import reactor_nb; print(time.perf_counter() - start, end='')"
)


class Row(NamedTuple):
    """`seconds`: one per run."""

    name: str
    seconds: list[float]

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)


def measure(runs: int) -> list[Row]:
    """The bare import, `reactor schema`, and `import reactor_nb`: `runs` fresh processes each, in turns."""
    rows = [Row(BARE, []), Row("reactor schema", []), Row("import reactor_nb", [])]
    with tempfile.TemporaryDirectory(prefix="reactor-startup-") as folder:
        Path(folder, "model.py").write_text(MODEL)
        _run(["-c", BARE], folder)  # not counted: it reads the libraries from disk and writes their bytecode
        _run(["-m", "reactor_nb", "schema"], folder)
        for _ in range(runs):
            rows[0].seconds.append(_timed(["-c", BARE], folder))
            rows[1].seconds.append(_timed(["-m", "reactor_nb", "schema"], folder))
            rows[2].seconds.append(float(_run(["-c", _TIMED_IMPORT], folder)))
    return rows


def table(rows: list[Row]) -> str:
    """A line per row: median, fastest and slowest in ms, the ratio to the bare import, and what is allowed."""
    bare, schema, package = rows
    lines = [f"{'':<36} {'median':>9} {'fastest':>9} {'slowest':>9}  ratio"]
    for row in rows:
        figures = " ".join(f"{each * 1000:6.0f} ms" for each in (row.median_s, min(row.seconds), max(row.seconds)))
        lines.append(f"{row.name:<36} {figures}  {row.median_s / bare.median_s:5.2f}")
    lines.append(f"reactor schema may take {MOST_RATIO} times the bare import: {_verdict(is_quick(schema, bare))}")
    lines.append(
        f"import reactor_nb may take {MOST_IMPORT_S * 1000:.0f} ms: {_verdict(package.median_s <= MOST_IMPORT_S)}"
    )
    return "\n".join(lines)


def is_quick(schema: Row, bare: Row) -> bool:
    return schema.median_s <= MOST_RATIO * bare.median_s


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "NOT MET"


def _timed(arguments: list[str], folder: str) -> float:
    start_s = time.perf_counter()
    _run(arguments, folder)
    return time.perf_counter() - start_s


def _run(arguments: list[str], folder: str) -> str:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.startup", description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--doc", type=Path, help="also write the section of this document")
    arguments = parser.parse_args()
    rows = measure(arguments.runs)
    head = f"Python {sys.version.split()[0]}, {arguments.runs} fresh processes each, {os.cpu_count()} cores"
    print(f"{head}\n\n{table(rows)}")
    if arguments.doc:
        command = "`python -m tests.benchmarks.startup`"
        report.write_section(arguments.doc, "startup", f"{head}. {command}\n\n```text\n{table(rows)}\n```")
    if arguments.json:
        arguments.json.write_text(json.dumps({row.name: row.seconds for row in rows}, indent=1))
    bare, schema, package = rows
    return 0 if is_quick(schema, bare) and package.median_s <= MOST_IMPORT_S else 1


if __name__ == "__main__":
    sys.exit(main())
