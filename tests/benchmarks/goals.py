"""The rows of the table: what is measured, what it should be, and how it is read from the results."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.benchmarks import timing
from tests.benchmarks.peers import OURS
from tests.benchmarks.plan import SLOW_FPS
from tests.benchmarks.results import FULL_HD, HD, VGA, Results, Window

Values = tuple[float | None, ...]


@dataclass(frozen=True)
class Goal:
    """One figure's. `limit` None: it is told, and has no goal."""

    limit: float | None = None
    sense: Literal["at most", "at least"] = "at most"
    digits: int = 0

    def is_met(self, value: float) -> bool:
        """As it is printed: 29.97 is 30.0."""
        if self.limit is None:
            return True
        shown = round(value, self.digits)
        return shown <= self.limit if self.sense == "at most" else shown >= self.limit

    def text(self, value: float | None) -> str:
        return "–" if value is None else f"{value:.{self.digits}f}"


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Args:
        read: the figures of a peer by its name, as many as `goals`; None where it has none.
        is_ours_only: nothing to compare with.
    """

    label: str
    goals: tuple[Goal, ...]
    read: Callable[[Results, str], Values | None]

    def cell(self, results: Results, peer: str) -> str:
        """The figures; for this project with the verdict."""
        values = self.read(results, peer)
        if values is None or all(value is None for value in values):
            return "–"
        text = " / ".join(goal.text(value) for goal, value in zip(self.goals, values, strict=True))
        if peer != OURS.name or not self.has_goal:
            return text
        return f"{text} {'✓' if self.is_met(values) else '✗'}"

    def is_met(self, values: Values) -> bool:
        pairs = zip(self.goals, values, strict=True)
        return all(value is not None and goal.is_met(value) for goal, value in pairs if goal.limit is not None)

    @property
    def has_goal(self) -> bool:
        return any(goal.limit is not None for goal in self.goals)

    @property
    def goal_text(self) -> str:
        if not self.has_goal:
            return ""
        return " / ".join(goal.text(goal.limit) for goal in self.goals)


def rows() -> list[Row]:
    ms, fps = _at_most, _at_least
    return [
        Row("seen p50 / p95 ms, 640x480", ms(14, 24), _over(VGA, "seen_ms", 50, 95)),
        Row("seen p50 / p95 ms, 1280x720", ms(15, 24), _over(HD, "seen_ms", 50, 95)),
        Row("drawn p50 / p95 ms, 640x480", ms(8, 14), _over(VGA, "drawn_ms", 50, 95)),
        Row("drawn p50 / p95 ms, 1280x720", ms(9, 14), _over(HD, "drawn_ms", 50, 95)),
        Row("seen fps, 720p", fps(30.0), _median(HD, lambda window: window.seen_fps)),
        Row("skipped + doubled in 20 s, 720p", ms(3), _median(HD, _lost_in_20_s)),
        Row("interval p50 / p95 / p99 ms, 720p", ms(33, 37, 50), _over(HD, "interval_ms", 50, 95, 99)),
        Row("720p60: fps", fps(59.5), _median(HD, lambda window: window.drawn_fps, 60)),
        Row("720p60: drawn p50 / p95 ms", ms(10, 15), _over(HD, "drawn_ms", 50, 95, rate_fps=60)),
        Row("1080p30: fps", fps(30.0), _median(FULL_HD, lambda window: window.drawn_fps)),
        Row("1080p30: drawn p50 / p95 ms", ms(16, 23), _over(FULL_HD, "drawn_ms", 50, 95)),
        Row("CPU of the model's process itself, 720p, %", ms(2), _cpu("kernel")),
        Row("CPU of what it started for the media, 720p, %", ms(15), _cpu("media")),
        Row("CPU of the browser, 720p, %", _told(1), _cpu("browser")),
        Row("animation frames that the page kept, 720p, Hz", _told(1), _median(HD, lambda window: window.sampled_hz)),
        Row("emit holds the model p50 / p95 ms, 720p", _at_most(0.15, 0.3, digits=2), _held),
        Row("a cell spins: seen / emitted fps", fps(29.8) + _told(1, digits=1), _disturbed("spinning", _both_fps)),
        Row("a cell spins: drawn p50 / p95 ms", ms(11, 17), _disturbed("spinning", _drawn)),
        Row("a cell spins: seen p50 / p95 ms", _told(2), _disturbed("spinning", _seen)),
        Row(
            "that, and the model burns 25 ms: seen / emitted fps",
            fps(28.0) + _told(1, digits=1),
            _disturbed("burning", _both_fps),
        ),
        Row("that, and the model burns 25 ms: drawn p50 / p95 ms", ms(11, 18), _disturbed("burning", _drawn)),
        Row("that, and the model burns 25 ms: seen p50 / p95 ms", _told(2), _disturbed("burning", _seen)),
        Row("luma / 8x8-block RGB PSNR, 720p, dB", _at_least(36, 39, digits=1), _psnr),
        Row("rate on the wire, 720p, Mbit/s", _told(1, digits=1), _median(HD, lambda window: window.mbps)),
        Row("colour error of flat patches, worst codec, %", _at_most(1.0, digits=1), _colour),
        Row("view ready to first frame, s", _at_most(0.2, digits=2), _first("ready_to_first_ms")),
        Row("cell's first line to first frame, s", _told(1, digits=2), _first("first_frame_ms")),
        Row("slider, kernel idle p50 / p95 ms", _told(2), _controls("slider_idle")),
        Row("slider, in a sleeping cell p50 / p95 ms", _told(2), _controls("slider_busy")),
        Row("slider, in a spinning cell p50 / p95 ms", _told(2), _controls("slider_spinning")),
        Row("call from the page, idle p50 / p95 ms", _told(2), _controls("call_idle")),
        Row("call from the page, in a sleeping cell p50 / p95 ms", _told(2), _controls("call_busy")),
        Row("call from the page, in a spinning cell p50 / p95 ms", _told(2), _controls("call_spinning")),
    ]


def _at_most(*limits: float, digits: int = 0) -> tuple[Goal, ...]:
    return tuple(Goal(limit, "at most", digits) for limit in limits)


def _at_least(*limits: float, digits: int = 1) -> tuple[Goal, ...]:
    return tuple(Goal(limit, "at least", digits) for limit in limits)


def _told(count: int, digits: int = 0) -> tuple[Goal, ...]:
    return (Goal(digits=digits),) * count


def _over(
    size: tuple[int, int], name: str, *qs: float, rate_fps: float = 30
) -> Callable[[Results, str], Values | None]:
    """Percentiles over all windows together."""

    def read(results: Results, peer: str) -> Values | None:
        windows = results.windows(peer, size, rate_fps)
        return timing.percentiles([value for window in windows for value in getattr(window, name)], *qs)

    return read


def _median(
    size: tuple[int, int], of: Callable[[Window], float], rate_fps: float = 30
) -> Callable[[Results, str], Values | None]:
    """The median of the windows."""

    def read(results: Results, peer: str) -> Values | None:
        values = [of(window) for window in results.windows(peer, size, rate_fps)]
        return (statistics.median(values),) if values else None

    return read


def _held(results: Results, peer: str) -> Values | None:
    """Of a model that is slower than the cap, where there is a cap: nothing but the cost of the call."""
    for rate_fps in (SLOW_FPS, 30):
        if values := _over(HD, "held_ms", 50, 95, rate_fps=rate_fps)(results, peer):
            return values
    return None


def _lost_in_20_s(window: Window) -> float:
    return (window.skipped + window.doubled) * 20 / window.duration_s


def _cpu(group: str) -> Callable[[Results, str], Values | None]:
    return _median(HD, lambda window: window.cpu_percent[group])


def _disturbed(
    name: Literal["spinning", "burning"], of: Callable[[Window], Values | None]
) -> Callable[[Results, str], Values | None]:
    def read(results: Results, peer: str) -> Values | None:
        found = [getattr(result, name) for result in results.of(peer, HD)]
        return next((of(window) for window in found if window is not None), None)

    return read


def _both_fps(window: Window) -> Values:
    """Seen, and emitted: a model that shares the interpreter with a spinning cell is slower by itself."""
    return window.seen_fps, window.emitted_fps


def _seen(window: Window) -> Values | None:
    return timing.percentiles(window.seen_ms, 50, 95)


def _drawn(window: Window) -> Values | None:
    return timing.percentiles(window.drawn_ms, 50, 95)


def _psnr(results: Results, peer: str) -> Values | None:
    found = [result.fidelity for result in results.of(peer, HD) if result.fidelity.luma_db]
    luma_db = [value for each in found for value in each.luma_db]
    block_db = [value for each in found for value in each.block_db]
    return (statistics.median(luma_db), statistics.median(block_db)) if luma_db else None


def _colour(results: Results, peer: str) -> Values | None:
    worst = _largest(statistics.mean(each.fidelity.colour_percent) for each in results.patches() if each.peer == peer)
    return None if worst is None else (worst,)


def _first(name: str) -> Callable[[Results, str], Values | None]:
    """The median of all starts, whatever the size."""

    def read(results: Results, peer: str) -> Values | None:
        values = [getattr(result, name) for result in results.all if result.peer == peer and result.rate_fps == 30]
        known = [value / 1000 for value in values if value is not None]
        return (statistics.median(known),) if known else None

    return read


def _controls(name: str) -> Callable[[Results, str], Values | None]:
    def read(results: Results, peer: str) -> Values | None:
        found: Sequence[Sequence[float]] = [result.controls_ms.get(name, []) for result in results.of(peer)]
        return timing.percentiles([value for values in found for value in values], 50, 95)

    return read


def _largest(values: Iterable[float]) -> float | None:
    return max(values, default=None)
