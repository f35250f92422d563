"""What a page says of itself once a second, cut to what is plausible: it is kept, and told to whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_COUNT = 2**53
"""As far as a page can count."""

MAX_PAINTER_CHARACTERS = 64
MAX_RUNGS, MAX_RUNG_CHARACTERS, MAX_REASON_CHARACTERS = 4, 32, 400
"""A page names its rungs, and says in a sentence or two why each is not used."""


def plausible_report(message: Mapping[str, Any]) -> dict[str, Any]:
    """The report of a `painted` message that protocol.parse has taken, without its frames: small, whatever came."""
    report: dict[str, Any] = {
        "painted": int(_within(message["painted"])),
        "skipped": int(_within(message["skipped"])),
        "latency_ms": None if message["latency_ms"] is None else _within(message["latency_ms"], -MAX_COUNT),
        "rate_fps": _within(message["rate_fps"]),
    }
    if "painter" in message:
        report["painter"] = message["painter"][:MAX_PAINTER_CHARACTERS]
    if "carrier" in message:
        report["carrier"] = message["carrier"][:MAX_RUNG_CHARACTERS]
    if "rungs" in message:
        named = list(message["rungs"].items())[:MAX_RUNGS]
        report["rungs"] = {_line(name, MAX_RUNG_CHARACTERS): _line(why, MAX_REASON_CHARACTERS) for name, why in named}
    return report


def _line(text: str, most: int) -> str:
    return " ".join(text[:most].split())


def _within(number: float, least: int = 0) -> float:
    return min(max(number, least), MAX_COUNT)
