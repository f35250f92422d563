"""The picture of a Profile: an SVG of a frame's typical way, of each frame, and of the table of stages.

Everything is drawn from plain rows; nothing is looked up, no font is loaded, no script runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reactor_nb.core.stages import KEPT_FRAMES, UNKNOWN
from reactor_nb.runtime.profile import ABOUTS, MODEL, TOTAL, Profile
from reactor_nb.runtime.profile_chart import (
    BAND_HEIGHT,
    CHART_HEIGHT,
    frame_axis,
    model_chart,
    rhythm_chart,
    way_chart,
)
from reactor_nb.runtime.profile_marks import MARGIN, RIGHT, WIDTH, bit_rate, ms, number, quoted, text
from reactor_nb.runtime.profile_style import STYLE

_FIGURES_Y: Final = 62
_BAR_Y: Final = 118
_CHART_Y: Final = 190
_MODEL_Y: Final = _CHART_Y + CHART_HEIGHT + 48
_RHYTHM_Y: Final = _MODEL_Y + BAND_HEIGHT + 44
_AXIS_Y: Final = _RHYTHM_Y + BAND_HEIGHT
_TABLE_Y: Final = _AXIS_Y + 56

_ROW_PX: Final = 21
_P50_X: Final = 566
_P95_X: Final = 644
_BARS_X: Final = 668
_LETTER_PX: Final = 6.4
"""The width of a letter of the labels, about."""


def picture(profile: Profile) -> str:
    """The SVG document."""
    table, height = _table(profile, _TABLE_Y)
    parts = [
        *_head(profile),
        *_figures(profile),
        *_typical(profile),
        *way_chart(profile, _CHART_Y),
        *model_chart(profile, _MODEL_Y),
        *rhythm_chart(profile, _RHYTHM_Y),
        *frame_axis(profile.rows, _AXIS_Y),
        *table,
    ]
    about = quoted(f"{profile.name}: where the time of the last {len(profile.rows)} frames went")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="reactor-profile" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" aria-label="{about}"><style>{STYLE}</style>'
        f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>{"".join(parts)}</svg>'
    )


def _head(profile: Profile) -> Iterable[str]:
    count = len(profile.rows)
    which = "one frame" if count == 1 else f"the last {count} frames" if count >= KEPT_FRAMES else f"{count} frames"
    known = (profile.facts.get(key) for key in ("size", "codec", "painter", "media"))
    yield text(MARGIN, 34, profile.name, "name")
    yield text(RIGHT, 34, " · ".join([which, f"{profile.span_s:.1f} s", *filter(None, known)]), "soft end")


def _figures(profile: Profile) -> Iterable[str]:
    latency = profile.latency_ms
    bits_per_s = profile.facts.get("bits_per_s")
    figures = (
        ("emit to paint, p50", ms(latency["p50"]) if latency is not None else "–"),
        ("emit to paint, p95", ms(latency["p95"]) if latency is not None else "–"),
        ("emitted", f"{profile.facts.get('rate_fps') or 0.0:.1f} fps"),
        ("encoded", bit_rate(bits_per_s) if bits_per_s else "–"),
        ("skipped of these", str(sum(profile.skipped.values()))),
    )
    for place, (label, value) in enumerate(figures):
        x = MARGIN + place * 180
        yield text(x, _FIGURES_Y, label, "soft small")
        yield text(x, _FIGURES_Y + 22, value, "figure")


def _typical(profile: Profile) -> Iterable[str]:
    """The medians of the stages, side by side: what a typical frame goes through."""
    shares = [(name, stage["p50"]) for name, stage in profile.stages.items() if name != MODEL]
    whole_ms = sum(share_ms for _, share_ms in shares)
    if whole_ms <= 0:
        return
    yield text(MARGIN, _BAR_Y - 8, "a typical frame: the median of each stage", "soft small")
    x = float(MARGIN)
    for name, share_ms in shares:
        part = share_ms / whole_ms * (RIGHT - MARGIN)
        if part < 0.3:
            continue
        yield (
            f'<rect class="s-{name}" x="{number(x)}" y="{_BAR_Y}" width="{number(max(part - 1.5, 0.5))}" height="26" '
            'rx="3"/>'
        )
        for words in (f"{name} {ms(share_ms)}", name):
            if len(words) * _LETTER_PX + 12 < part:
                yield text(x + 7, _BAR_Y + 17, words, "strong" if name == UNKNOWN else "within")
                break
        x += part


def _table(profile: Profile, top: float) -> tuple[list[str], int]:
    """The stages with their times, and where the picture ends."""
    stages = profile.stages
    most_ms = max((shares["p95"] for name, shares in stages.items() if name != MODEL), default=1.0)
    scale = (RIGHT - _BARS_X) / max(most_ms, 0.1)
    parts = [
        text(MARGIN + 20, top, "stage", "soft small"),
        text(_P50_X, top, "p50", "soft small end"),
        text(_P95_X, top, "p95", "soft small end"),
        _rule(top + 8),
    ]
    y = top + 26
    for name, shares in stages.items():
        parts.append(f'<rect class="s-{name}" x="{MARGIN}" y="{number(y - 10)}" width="11" height="11" rx="2.5"/>')
        parts += _entry(y, name, ABOUTS[name], shares)
        if name != MODEL:
            for classes, share in ((f"s-{name} faint", "p95"), (f"s-{name}", "p50")):
                width = number(max(shares[share] * scale, 1.0))
                box = f'x="{_BARS_X}" y="{number(y - 9)}" width="{width}" height="9" rx="2"'
                parts.append(f'<rect class="{classes}" {box}/>')
        y += _ROW_PX
    if profile.latency_ms is not None:
        parts += [_rule(y - 14), *_entry(y + 4, TOTAL, ABOUTS[TOTAL], profile.latency_ms)]
        y += _ROW_PX + 4
    return parts, int(y + 4)


def _entry(y: float, name: str, about: str, shares: dict[str, float]) -> Iterable[str]:
    yield text(MARGIN + 20, y, name, "strong")
    yield text(MARGIN + 116, y, about, "soft")
    yield text(_P50_X, y, ms(shares["p50"]), "strong end")
    yield text(_P95_X, y, ms(shares["p95"]), "strong end")


def _rule(y: float) -> str:
    return f'<path class="rule" d="M{MARGIN} {number(y)}H{RIGHT}"/>'
