"""The table of the rungs: each road has one, a column for each rung, the same rows for each size."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks import timing
from tests.benchmarks.results import HD, VGA, Result, Window
from tests.benchmarks.table import markdown

SIZES = (VGA, HD)
LEGEND = """\
30 fps of the benchmark picture, each column held to its rung by `--carrier`. *Seen*: from right before the emit call to
the moment a 60 Hz sampler in the page finds the frame's number in the pixels, its phase (0 to 17 ms) included; the
windows are too short to meet every phase, so between the columns a few ms of it are chance. *Drawn*: the View's own
clock, right after the draw. CPU: % of one core, without what the model spends on its picture; the page's is that of the
whole browser. Mbit/s: all that the page received, JupyterLab's own messages included. A press of a slider counts until
its value or a later one is in the model's method. Relays are asked after 8 s in which no other way was found, which the
first frame of their column shows. *Sleeps*: a cell runs `time.sleep`; *spins*: `while ...: pass`."""

Starts = Sequence[Result]
"""The starts of one rung on one road."""


@dataclass(frozen=True)
class Row:
    label: str
    read: Callable[[Starts], str | None]


def rung_tables(results: Sequence[Result]) -> str:
    """Markdown. Roads and rungs in the order in which they were first measured."""
    roads = dict.fromkeys(result.road for result in results)
    parts = []
    for road in roads:
        here = [result for result in results if result.road == road]
        parts.append(f"{road}:\n\n{rung_table(here)}" if road else rung_table(here))
    return "\n\n".join(parts)


def rung_table(results: Sequence[Result]) -> str:
    """Of one road. Rows that nobody measured are left out."""
    columns = {name: [result for result in results if result.peer == name] for name in _names(results)}
    body = []
    for row in rows():
        cells = [row.read(starts) for starts in columns.values()]
        if any(cells):
            body.append([row.label, *(cell or "–" for cell in cells)])
    return markdown(["", *columns], body)


def rows() -> list[Row]:
    found = [row for size in SIZES for row in _rows_of(size)]
    found.append(Row("cell's first line to first frame, s", _first_frame))
    for words, state in (("idle", "idle"), ("a cell sleeps", "busy"), ("a cell spins", "spinning")):
        found.append(Row(f"slider, {words}: p50 / p95 ms", _controls(f"slider_{state}")))
        found.append(Row(f"call from the page, {words}: p50 / p95 ms", _controls(f"call_{state}")))
    return found


def _rows_of(size: tuple[int, int]) -> list[Row]:
    words = f"{size[0]}x{size[1]}: "
    return [
        Row(f"{words}codec", _codec(size)),
        Row(f"{words}seen fps", _median(size, lambda window: window.seen_fps)),
        Row(f"{words}seen p50 / p95 ms", _over(size, "seen_ms", 50, 95)),
        Row(f"{words}drawn p50 / p95 ms", _over(size, "drawn_ms", 50, 95)),
        Row(f"{words}interval p95 / p99 ms", _over(size, "interval_ms", 95, 99)),
        Row(f"{words}CPU of kernel / media / server / page, %", _cpu(size)),
        Row(f"{words}received, Mbit/s", _median(size, lambda window: window.mbps)),
        Row(f"{words}luma / 8x8-block RGB PSNR, dB", _psnr(size)),
    ]


def _names(results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(result.peer for result in results))


def _windows(starts: Starts, size: tuple[int, int]) -> list[Window]:
    return [window for start in starts if start.size == size for window in start.windows]


def _median(size: tuple[int, int], of: Callable[[Window], float]) -> Callable[[Starts], str | None]:
    def read(starts: Starts) -> str | None:
        values = [of(window) for window in _windows(starts, size)]
        return f"{statistics.median(values):.1f}" if values else None

    return read


def _over(size: tuple[int, int], name: str, *qs: float) -> Callable[[Starts], str | None]:
    """Percentiles over all windows together."""

    def read(starts: Starts) -> str | None:
        return _percentiles([value for window in _windows(starts, size) for value in getattr(window, name)], *qs)

    return read


def _cpu(size: tuple[int, int]) -> Callable[[Starts], str | None]:
    def read(starts: Starts) -> str | None:
        windows = _windows(starts, size)
        if not windows:
            return None
        groups = ("kernel", "media", "server", "browser")
        return " / ".join(f"{statistics.median(each.cpu_percent[group] for each in windows):.0f}" for group in groups)

    return read


def _codec(size: tuple[int, int]) -> Callable[[Starts], str | None]:
    def read(starts: Starts) -> str | None:
        found = dict.fromkeys(name for start in starts if start.size == size for name in start.fidelity.codecs)
        return ", ".join(found) or None

    return read


def _psnr(size: tuple[int, int]) -> Callable[[Starts], str | None]:
    def read(starts: Starts) -> str | None:
        found = [start.fidelity for start in starts if start.size == size]
        luma_db = [value for each in found for value in each.luma_db]
        block_db = [value for each in found for value in each.block_db]
        return f"{statistics.median(luma_db):.1f} / {statistics.median(block_db):.1f}" if luma_db else None

    return read


def _first_frame(starts: Starts) -> str | None:
    known = [start.first_frame_ms / 1000 for start in starts if start.first_frame_ms is not None]
    return f"{statistics.median(known):.2f}" if known else None


def _controls(name: str) -> Callable[[Starts], str | None]:
    def read(starts: Starts) -> str | None:
        return _percentiles([value for start in starts for value in start.controls_ms.get(name, [])], 50, 95)

    return read


def _percentiles(values: Sequence[float], *qs: float) -> str | None:
    found = timing.percentiles(values, *qs)
    return None if found is None else " / ".join(f"{value:.0f}" for value in found)
