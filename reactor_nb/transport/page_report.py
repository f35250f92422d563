"""What a page says of itself once a second, cut to what is plausible: it is kept, and told to whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_COUNT = 2**53
"""As far as a page can count."""

MAX_PAINTER_CHARACTERS = 64


def plausible_report(message: Mapping[str, Any]) -> dict[str, Any]:
    """The report of a `painted` message that protocol.parse has taken, without its frames: small, whatever came."""
    report = {
        "painted": int(_within(message["painted"])),
        "skipped": int(_within(message["skipped"])),
        "latency_ms": None if message["latency_ms"] is None else _within(message["latency_ms"], -MAX_COUNT),
        "rate_fps": _within(message["rate_fps"]),
    }
    if "painter" in message:
        report["painter"] = message["painter"][:MAX_PAINTER_CHARACTERS]
    return report


def _within(number: float, least: int = 0) -> float:
    return min(max(number, least), MAX_COUNT)
