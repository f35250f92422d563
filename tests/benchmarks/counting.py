"""What the statistics cost: `python -m tests.benchmarks.counting`, seconds. Each part alone, in a loop, without frames.

The share is of one core at 30 frames a second with one page, which is what the counting takes from a model or from the
media process; everything but `model's side` happens in the latter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import numpy as np

from reactor_nb.core.buffer import BufferedFrame
from reactor_nb.core.recent_blocks import RecentBlocks
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.timeline import Timeline

RATE_FPS = 30
ROUNDS = 9
FRAMES = 3000


def main() -> None:
    rows = costs_us()
    whole = sum(rows.values())
    print(f"{'part':<28}{'us a frame':>12}{'% of a core':>14}")
    for name, cost_us in [*rows.items(), ("all", whole)]:
        print(f"{name:<28}{cost_us:>12.2f}{share(cost_us):>14.4f}")


def share(cost_us: float) -> float:
    """Percent of one core at RATE_FPS."""
    return cost_us * RATE_FPS / 1e6 * 100


def costs_us(rounds: int = ROUNDS) -> dict[str, float]:
    """Part -> microseconds for each frame, the median of `rounds`."""
    pixels = np.zeros((2, 2, 3), np.uint8)
    shown = [BufferedFrame(pixels, number, number / 30, number / 30 + 0.001) for number in range(FRAMES)]
    plain = [
        EncodedFrame("H264", b"x" * 40_000, number * 3000, False, 1280, 720, 30.0, number) for number in range(FRAMES)
    ]
    encoded = [
        replace(frame, began_s=number / 30 + 0.002, encoded_s=number / 30 + 0.004) for number, frame in enumerate(plain)
    ]
    timeline = Timeline()
    recent = RecentBlocks()

    def emit() -> None:
        for number in range(FRAMES):
            recent.emitted(number, 1, number / 30, number / 30)
            recent.returned(time.monotonic())

    def show() -> None:
        for frame in shown:
            timeline.shown(frame, is_watched=True)

    def encode() -> None:
        for frame in plain:
            replace(frame, began_s=1.0, encoded_s=2.0)
        for frame in encoded:
            timeline.encoded(frame)

    def send() -> None:
        timeline.forget("page")
        for frame in encoded:
            timeline.sent("page", frame, 77, 1.0)

    def paint() -> None:
        for first in range(0, FRAMES, RATE_FPS):
            numbers = range(first, first + RATE_FPS)
            times = [value for number in numbers for value in (number * 3000 + 77, 1000.0, 1001.0, 1002.0)]
            timeline.painted("page", first + RATE_FPS, 0, times)

    parts: dict[str, Callable[[], None]] = {
        "model's side": emit,
        "clock": show,
        "encoder": encode,
        "sender": send,
        "page's report": paint,
    }
    return {name: 1e6 * median(_timed_s(part) for _ in range(rounds)) / FRAMES for name, part in parts.items()}


def _timed_s(part: Callable[[], None]) -> float:
    began_s = time.perf_counter()
    part()
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
