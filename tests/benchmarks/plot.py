"""The plot of a run, as SVG that reads on light and dark pages: latency ranges, and how even the picture is."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tests.benchmarks import timing
from tests.benchmarks.peers import OURS, PEERS
from tests.benchmarks.results import HD, VGA, Results

WIDTH_PX = 860
_LEFT_PX, _RIGHT_PX = 150, 40
_ROW_PX, _HEAD_PX, _FOOT_PX = 26, 44, 40
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #333 } .axis { stroke: #999; stroke-width: 1 }
.title { font-weight: 600 } .ours { fill: #0a6cd6 } .other { fill: #8a8f98 } .tick { font-size: 11px }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .axis { stroke: #666 } .ours { fill: #5aa9ff } .other { fill: #9aa0a8 }
}
"""


def latency_plot(results: Results) -> str:
    """Three panels: seen latency at 480p and at 720p, and the interval between frames at 720p.

    A bar goes from the 5th to the 95th percentile; the line in it is the median.
    """
    panels = [
        ("Emit to seen, 640x480, ms", _ranges(results, VGA, "seen_ms")),
        ("Emit to seen, 1280x720, ms", _ranges(results, HD, "seen_ms")),
        ("Between one frame and the next, 1280x720, ms", _ranges(results, HD, "interval_ms")),
    ]
    drawn: list[str] = []
    top_px = 0
    for title, ranges in panels:
        if ranges:
            drawn.append(_panel(title, ranges, top_px))
            top_px += _HEAD_PX + _ROW_PX * len(ranges) + _FOOT_PX
    size = f'width="{WIDTH_PX}" height="{top_px}" viewBox="0 0 {WIDTH_PX} {top_px}"'
    label = "Bars from the 5th to the 95th percentile with the median, for each way to show frames"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">'
    return "\n".join([head, f"<style>{_STYLE}</style>", *drawn, "</svg>"]) + "\n"


Range = tuple[str, float, float, float]


def _ranges(results: Results, size: tuple[int, int], name: str) -> list[Range]:
    found: list[Range] = []
    for peer in PEERS:
        values = [value for window in results.windows(peer.name, size) for value in getattr(window, name)]
        if low_middle_high := timing.percentiles(values, 5, 50, 95):
            low, middle, high = low_middle_high
            found.append((peer.name, low, middle, high))
    return found


def _panel(title: str, ranges: Sequence[Range], top_px: int) -> str:
    most = max(high for *_, high in ranges)
    step = next(step for step in (5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10**9) if most / step <= 8)
    end = step * (int(most / step) + 1)
    scale = (WIDTH_PX - _LEFT_PX - _RIGHT_PX) / end
    parts = [f'<text class="title" x="8" y="{top_px + 26}">{escape(title)}</text>']
    floor_px = top_px + _HEAD_PX + _ROW_PX * len(ranges)
    for tick in range(0, end + 1, step):
        x = _LEFT_PX + tick * scale
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{floor_px}" y2="{floor_px + 5}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{floor_px + 20}" text-anchor="middle">{tick}</text>')
    parts.append(f'<line class="axis" x1="{_LEFT_PX}" x2="{WIDTH_PX - _RIGHT_PX}" y1="{floor_px}" y2="{floor_px}"/>')
    for index, (name, low, middle, high) in enumerate(ranges):
        y = top_px + _HEAD_PX + index * _ROW_PX
        kind = "ours" if name == OURS.name else "other"
        left, right, mark = (_LEFT_PX + value * scale for value in (low, high, middle))
        parts.append(f'<text x="{_LEFT_PX - 10}" y="{y + 14}" text-anchor="end">{escape(name)}</text>')
        box = f'x="{left:.1f}" y="{y + 4}" width="{max(right - left, 1):.1f}" height="12" rx="3"'
        parts.append(f'<rect class="{kind}" opacity="0.45" {box}/>')
        parts.append(f'<rect class="{kind}" x="{mark - 1.5:.1f}" y="{y + 1}" width="3" height="18"/>')
    return "\n".join(parts)
