"""docs/performance.md: what runs measured, each in its own section; the text around the sections is written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.plot import latency_plot
from tests.benchmarks.results import Results
from tests.benchmarks.table import LEGEND, colour_table, main_table, missed, stage_table

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "performance.md"
PLOT = Path("images", "performance.svg")
"""Beside the document."""

SECTIONS = ("comparison", "rungs", "slowdown", "soak", "rungs-soak", "startup")
EMPTY = "\n".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in SECTIONS)
"""A document that is made for a run: nothing but its sections."""


def write_comparison(document: Path, head: str, results: Results, notes: Sequence[str]) -> None:
    """The table, the plot beside it and the goals that were missed."""
    plot = document.parent / PLOT
    plot.parent.mkdir(parents=True, exist_ok=True)
    plot.write_text(latency_plot(results), encoding="utf-8")
    parts = [head, main_table(results), f"![Latencies and intervals]({PLOT.as_posix()})"]
    if late := missed(results):
        parts.append("Goals that were missed: " + "; ".join(row.label for row in late) + ".")
    if stages := stage_table(results):
        parts.append(f"Where the time of this project goes, by its own account (`session.stats()`):\n\n{stages}")
    parts += [colour_table(results), LEGEND, *notes]
    write_section(document, "comparison", "\n\n".join(part for part in parts if part))


def write_section(document: Path, name: str, body: str) -> None:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->`; the document is made if there is none."""
    text = document.read_text(encoding="utf-8") if document.exists() else EMPTY
    document.write_text(with_section(text, name, body), encoding="utf-8")


def with_section(text: str, name: str, body: str) -> str:
    """ValueError where the text has no such section."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the document has no section {name!r}; write {start} and {end} into it, a line each")
    return f"{before}{start}\n\n{body.strip()}\n\n{end}{after}"
