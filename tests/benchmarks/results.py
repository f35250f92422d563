"""What was measured, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.benchmarks import timing
from tests.benchmarks.record import Emitted
from tests.benchmarks.timing import Seen

HD = (1280, 720)
VGA = (640, 480)
FULL_HD = (1920, 1080)


@dataclass
class Window:
    """One span of watching. CPU in % of one core by the name of the process group; rates per second."""

    duration_s: float
    seen_fps: float = 0.0
    emitted_fps: float = 0.0
    skipped: int = 0
    doubled: int = 0
    sampled_hz: float = 0.0
    mbps: float = 0.0
    seen_ms: list[float] = field(default_factory=list)
    drawn_ms: list[float] = field(default_factory=list)
    drawn_fps: float = 0.0
    interval_ms: list[float] = field(default_factory=list)
    held_ms: list[float] = field(default_factory=list)
    cpu_percent: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        span_s: tuple[float, float],
        seen: Sequence[Seen],
        drawn: Sequence[tuple[float, float]],
        samples_ms: Sequence[float],
        emitted: Emitted,
        period_s: float,
    ) -> Window:
        """What the page noted within a span of the wall clock, beside what the model noted.

        `emitted` begins earlier than the span, for a frame may have been under way when it began.
        """
        began_ms, ended_ms = span_s[0] * 1000, span_s[1] * 1000
        duration_s = span_s[1] - span_s[0]
        here = timing.within(seen, began_ms, ended_ms)
        drawn_ms = [latency_ms for at_ms, latency_ms in drawn if began_ms <= at_ms <= ended_ms]
        inside = (emitted.at_s >= span_s[0]) & (emitted.at_s <= span_s[1])
        return cls(
            duration_s=duration_s,
            seen_fps=timing.rate_fps(here, duration_s),
            emitted_fps=float(inside.sum()) / duration_s,
            skipped=timing.skipped(here),
            doubled=timing.doubled(here, period_s * 1000),
            sampled_hz=sum(began_ms <= at_ms <= ended_ms for at_ms in samples_ms) / duration_s,
            seen_ms=timing.latencies_ms(here, emitted.at_ms()),
            drawn_ms=drawn_ms,
            drawn_fps=len(drawn_ms) / duration_s,
            interval_ms=timing.intervals_ms(here),
            held_ms=emitted.held_ms[inside].tolist(),
        )


@dataclass
class Fidelity:
    """Decoded canvas pixels beside the emitted array. `colour_percent`: of flat patches."""

    codecs: list[str] = field(default_factory=list)
    luma_db: list[float] = field(default_factory=list)
    block_db: list[float] = field(default_factory=list)
    colour_percent: list[float] = field(default_factory=list)


@dataclass
class Result:
    """One start of one peer in a notebook of its own."""

    peer: str
    size: tuple[int, int]
    rate_fps: float
    windows: list[Window] = field(default_factory=list)
    spinning: Window | None = None
    burning: Window | None = None
    first_frame_ms: float | None = None
    ready_to_first_ms: float | None = None
    fidelity: Fidelity = field(default_factory=Fidelity)
    controls_ms: dict[str, list[float]] = field(default_factory=dict)
    """Press to method: slider_idle, call_idle; _busy in a cell that sleeps, _spinning in one that spins."""
    stages_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    """This project's own account of its last 300 frames: stage -> p50 and p95."""
    codec: str = ""
    """Forced upon the page; empty is what the two agree on by themselves."""
    road: str = ""
    """Between the browser and the server, in words; empty where there was no choice."""
    rung: str = ""
    """What this project's View said that it was carried by, after the first window."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Results:
    """Every start of a run, and how to find them again."""

    all: tuple[Result, ...]

    def of(self, peer: str, size: tuple[int, int] | None = None, rate_fps: float = 30.0) -> list[Result]:
        """As the two agree on the codec; of every size without `size`."""
        return [
            result
            for result in self.all
            if result.peer == peer
            and result.rate_fps == rate_fps
            and not result.fidelity.colour_percent
            and (size is None or result.size == size)
        ]

    def windows(self, peer: str, size: tuple[int, int], rate_fps: float = 30.0) -> list[Window]:
        return [window for result in self.of(peer, size, rate_fps) for window in result.windows]

    def patches(self) -> list[Result]:
        return [result for result in self.all if result.fidelity.colour_percent]
