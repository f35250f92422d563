"""Pieces of an SVG: texts, numbers, scales, grids."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape

WIDTH: Final = 920
MARGIN: Final = 24
LEFT: Final = 66
"""Where the columns begin; left of it stand the numbers of their scale."""
RIGHT: Final = WIDTH - MARGIN

_NICE: Final = (1.0, 2.0, 5.0, 10.0)


def text(x: float, y: float, words: str, classes: str) -> str:
    return f'<text x="{number(x)}" y="{number(y)}" class="{classes}">{escape(words)}</text>'


def quoted(words: str) -> str:
    """For an attribute."""
    return escape(words, {'"': "&quot;"})


def ms(value: float) -> str:
    return f"{value:.2f} ms" if value < 1 else f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"


def bit_rate(bits_per_s: float) -> str:
    return f"{bits_per_s / 1e6:.1f} Mbit/s" if bits_per_s >= 1e6 else f"{bits_per_s / 1e3:.0f} kbit/s"


def number(value: float) -> str:
    """One digit, without a zero that says nothing: a picture has thousands."""
    shown = f"{value:.1f}".removesuffix(".0")
    return "0" if shown == "-0" else shown


def nice_ceiling(value: float) -> float:
    """The least of 1, 2, 5, 10, 20 ... (and 0.5, 0.2 ...) that is not below."""
    if value <= 0:
        return 1.0
    tens = 10.0 ** math.floor(math.log10(value))
    return next(step * tens for step in _NICE if step * tens >= value * 0.999)


def ticks(value: float) -> list[float]:
    """Round numbers from 0 on, some six of them; the last is not far above `value`, and at least 1."""
    least = max(value, 1.0)
    step = nice_ceiling(least / 5)
    return [index * step for index in range(math.ceil(least / step - 0.001) + 1)]


class Scale:
    """Milliseconds upwards, from `bottom` to `top` in the picture. What is longer is cut."""

    def __init__(self, top: float, height: float, most_ms: float) -> None:
        self.top = top
        self.bottom = top + height
        self.height = height
        self.ticks = ticks(most_ms)
        self.most_ms = self.ticks[-1]

    def y(self, value_ms: float) -> float:
        return self.bottom - min(value_ms, self.most_ms) / self.most_ms * self.height

    def grid(self, values: Iterable[float]) -> Iterable[str]:
        """Lines across the picture at these values, each with its number; the highest has the unit."""
        shown = list(values)
        for value in shown:
            y = self.y(value)
            yield f'<path class="{"grid" if value else "base"}" d="M{LEFT} {number(y)}H{RIGHT}"/>'
            yield text(LEFT - 8, y + 3.5, f"{value:g} ms" if value == shown[-1] else f"{value:g}", "soft small end")

    def level(self, value_ms: float, words: str) -> Iterable[str]:
        """A dashed line at a value, with what it means."""
        if value_ms <= self.most_ms:
            y = self.y(value_ms)
            yield f'<path class="level" d="M{LEFT} {number(y)}H{RIGHT}"/>'
            yield text(RIGHT - 4, y - 4, words, "level-text end")
