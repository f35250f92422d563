"""How a stream is paced and encoded: what the author chose, then the environment, then the default."""

from __future__ import annotations

import difflib
import math
import os
import re
from dataclasses import dataclass

from reactor_nb.core.pacing import DEFAULT_SMOOTHNESS
from reactor_nb.errors import ConfigError
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.nvenc_switch import is_nvenc_off
from reactor_nb.media.quality import DEFAULT_QUALITY, GRADES, QUALITIES, Quality

MAX_BITRATE = "REACTOR_NB_MAX_BITRATE"
LEAST_MBPS, MOST_MBPS = 0.1, 1000.0

_RATE = re.compile(r"(\d+(?:\.\d+)?) ?([km]?)(?:bps|bit|bit/s)?", re.IGNORECASE)
_MBPS = {"k": 0.001, "m": 1.0, "": 1.0}


@dataclass(frozen=True, slots=True)
class StreamChoice:
    """What an author says of the stream, as it was typed; None leaves it to the default.

    `quality`: low, balanced, high or exact. `bitrate`: the most that one encoder sends, in Mbit/s, or "800k".
    `smoothness`: 0 (soonest) to 1 (most even). `carrier`: auto, webrtc, comm or jpeg, see carriers.py.
    """

    quality: str | None = None
    bitrate: str | float | None = None
    smoothness: str | float | None = None
    carrier: str | None = None


def stream_settings(rate_fps: float, choice: StreamChoice | None = None) -> StreamSettings:
    """The settings of a stream of `rate_fps`. REACTOR_NB_MAX_BITRATE (Mbit/s) is the bitrate where none was chosen.

    Raises:
        ConfigError: a value that cannot be used, of REACTOR_NB_NVENC as well.
    """
    choice = choice or StreamChoice()
    is_nvenc_off()  # the media reads it, and has nobody to tell that it is neither on nor off
    quality = DEFAULT_QUALITY if choice.quality is None else _quality(choice.quality)
    return StreamSettings(
        rate_fps=rate_fps,
        max_bitrate_bps=_cap_bps(choice.bitrate, quality),
        quality=quality,
        smoothness=DEFAULT_SMOOTHNESS if choice.smoothness is None else _smoothness(choice.smoothness),
    )


def refuse_bad_cap() -> None:
    """ConfigError where REACTOR_NB_MAX_BITRATE is none that can be used."""
    _cap_bps(None, DEFAULT_QUALITY)


def _quality(text: str) -> Quality:
    for quality in QUALITIES:
        if text == quality:
            return quality
    near = difflib.get_close_matches(str(text), QUALITIES, n=1) or ["high"]
    raise ConfigError(
        f"quality is {text!r}; it is {', '.join(QUALITIES[:-1])} or {QUALITIES[-1]}. "
        f"Type: %reactor run --quality {near[0]}"
    )


def _cap_bps(chosen: str | float | None, quality: Quality) -> int:
    name, mend = "bitrate", "%reactor run --bitrate 8M"
    if chosen is None:
        chosen = os.environ.get(MAX_BITRATE, "").strip() or None
        name, mend = MAX_BITRATE, f"%env {MAX_BITRATE}=16"
    if chosen is None:
        return GRADES[quality].cap_bps
    match = _RATE.fullmatch(str(chosen).strip())
    rate_mbps = float(match[1]) * _MBPS[match[2].lower()] if match else math.nan
    if not LEAST_MBPS <= rate_mbps <= MOST_MBPS:
        raise ConfigError(
            f"{name} is {chosen!r}; it is the most that is sent, in Mbit/s from {LEAST_MBPS:g} to {MOST_MBPS:g}, "
            f"such as 8, 8M or 800k. Type: {mend}"
        )
    return round(rate_mbps * 1_000_000)


def _smoothness(chosen: str | float) -> float:
    try:
        smoothness = float(chosen)
    except (TypeError, ValueError):
        smoothness = math.nan
    if not 0.0 <= smoothness <= 1.0:
        raise ConfigError(
            f"smoothness is {chosen!r}; it needs a number from 0 (soonest) to 1 (most even). "
            "Type: %reactor run --smoothness 0.5"
        )
    return smoothness
