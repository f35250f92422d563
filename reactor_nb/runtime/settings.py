"""How a stream is encoded, from the environment."""

from __future__ import annotations

import math
import os

from reactor_nb.errors import ConfigError
from reactor_nb.media.link import StreamSettings

MAX_BITRATE = "REACTOR_NB_MAX_BITRATE"


def stream_settings(rate_fps: float) -> StreamSettings:
    """REACTOR_NB_MAX_BITRATE is the most that one encoder sends, in Mbit/s; 16 by default.

    Raises:
        ConfigError: it is no number above 0.
    """
    text = os.environ.get(MAX_BITRATE, "").strip()
    if not text:
        return StreamSettings(rate_fps=rate_fps)
    try:
        rate_mbps = float(text)
    except ValueError:
        rate_mbps = math.nan
    if not (math.isfinite(rate_mbps) and rate_mbps > 0):
        raise ConfigError(f"{MAX_BITRATE} is {text!r}; it needs Mbit/s above 0. Type: %env {MAX_BITRATE}=16")
    return StreamSettings(rate_fps=rate_fps, max_bitrate_bps=round(rate_mbps * 1_000_000))
