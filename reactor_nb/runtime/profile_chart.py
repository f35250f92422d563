"""The three charts of a profile, a column for each frame: its way to the screen, the model, the rhythm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from reactor_nb.core.stages import Row, spans
from reactor_nb.runtime.profile_marks import LEFT, MARGIN, RIGHT, Scale, ms, nice_ceiling, number, text

if TYPE_CHECKING:
    from reactor_nb.runtime.profile import Profile

CHART_HEIGHT: Final = 190
BAND_HEIGHT: Final = 54

_MOST_COLUMN_PX: Final = 10.0
_MOST_SHARE: Final = 0.97
"""One hiccup must not press all other frames flat: of the longest few a scale shows the beginning."""


class Columns:
    """Where the column of each frame stands."""

    def __init__(self, count: int) -> None:
        self._step = min((RIGHT - LEFT) / max(count, 1), _MOST_COLUMN_PX)
        # Narrow columns touch, and a little more, as the gaps of rounding would be seen.
        self.width = self._step * 0.82 if self._step > 4 else self._step + 0.15

    def x(self, place: int) -> float:
        """The middle of the column of the row at `place`."""
        return LEFT + (place + 0.5) * self._step

    def bars(self, classes: str, bars: Iterable[tuple[int, float, float]]) -> str:
        """A path of upright bars: (place, from y, to y)."""
        lines = "".join(f"M{number(self.x(place))} {number(low)}V{number(high)}" for place, low, high in bars)
        return f'<path class="bars {classes}" stroke-width="{self.width:.2f}" d="{lines}"/>' if lines else ""


def way_chart(profile: Profile, top: float) -> Iterable[str]:
    """Each frame as a column of its stages, in ms after emit_block."""
    columns = Columns(len(profile.rows))
    ways = [spans(row) for row in profile.rows]
    scale = Scale(top, CHART_HEIGHT, 1.15 * _most(way[-1].ends_ms for way in ways if way))
    yield text(LEFT, top - 12, "each frame, from emit_block on", "title")
    yield from scale.grid(scale.ticks)
    bars: dict[str, list[tuple[int, float, float]]] = {}
    for place, way in enumerate(ways):
        for span in way:
            low, high = scale.y(span.begins_ms), scale.y(span.ends_ms)
            if low - high >= 0.05:
                bars.setdefault(span.name, []).append((place, low, high))
    for name, found in bars.items():
        yield columns.bars(f"s-{name}", found)
    cut = [place for place, way in enumerate(ways) if way and way[-1].ends_ms > scale.most_ms]
    yield columns.bars("mark", ((place, top - 4, top - 1) for place in cut))
    skipped = [place for place, row in enumerate(profile.rows) if row["skipped"] is not None]
    yield columns.bars("mark", ((place, scale.bottom + 8, scale.bottom + 3) for place in skipped))
    words = ", ".join(f"{count} by the {reason}" for reason, count in profile.skipped.items())
    if words:
        yield text(RIGHT, top - 12, f"skipped: {words}", "skipped end")
    latency = profile.latency_ms
    if latency is not None:
        for name in ("p95", "p50"):
            yield from scale.level(latency[name], f"{name} {ms(latency[name])}")


def model_chart(profile: Profile, top: float) -> Iterable[str]:
    """What the model took for each frame and how long it was held, beside the time that the rate leaves it."""
    budget_ms = 1000 / profile.max_fps
    columns = Columns(len(profile.rows))
    made = [(place, row["model_ms"] or 0.0, row["held_ms"] or 0.0) for place, row in enumerate(profile.rows)]
    scale = Scale(top, BAND_HEIGHT, 1.1 * max(_most(model_ms for _, model_ms, _ in made), budget_ms))
    yield text(LEFT, top - 12, "the model, and in pale how long emit_block held it to the rate", "title")
    yield from scale.grid((0.0, scale.most_ms))
    held = [(place, scale.y(model_ms), scale.y(model_ms + held_ms)) for place, model_ms, held_ms in made]
    yield columns.bars("s-held", ((place, low, high) for place, low, high in held if low - high >= 0.05))
    yield columns.bars("s-model", ((place, scale.bottom, scale.y(model_ms)) for place, model_ms, _ in made))
    yield from scale.level(budget_ms, f"{ms(budget_ms)} a frame at {profile.max_fps:g} fps")


def rhythm_chart(profile: Profile, top: float) -> Iterable[str]:
    """How evenly the frames came: a dot for each, at the time since the one before."""
    columns = Columns(len(profile.rows))
    intervals = profile.intervals_ms()
    scale = Scale(top, BAND_HEIGHT, 1.25 * _most(intervals.values()))
    where = "on the screen" if profile.latency_ms is not None else "as played"
    yield text(LEFT, top - 12, f"time since the frame before, {where}", "title")
    yield from scale.grid((0.0, scale.most_ms / 2, scale.most_ms))
    dots = (f"M{number(columns.x(place))} {number(scale.y(each_ms))}h0" for place, each_ms in intervals.items())
    yield f'<path class="dots" d="{"".join(dots)}"/>'


def frame_axis(rows: Sequence[Row], y: float) -> Iterable[str]:
    """The numbers of the frames."""
    columns = Columns(len(rows))
    step = max(1, int(nice_ceiling(len(rows) / 6)))
    yield text(MARGIN, y + 17, "frame", "soft small")
    for place, row in enumerate(rows):
        if row["number"] % step == 0:
            x = columns.x(place)
            yield f'<path class="grid" d="M{number(x)} {number(y)}v4"/>'
            yield text(x, y + 17, str(row["number"]), "soft small middle")


def _most(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[round(_MOST_SHARE * (len(ordered) - 1))] if ordered else 1.0
