"""Whether the encoder of an NVIDIA card is to be left alone, as the environment says."""

from __future__ import annotations

import os

from reactor_nb.errors import ConfigError

SWITCH = "REACTOR_NB_NVENC"
"""on, which is the default, or off."""

_ON, _OFF = ("", "on", "1"), ("off", "0")


def is_nvenc_off() -> bool:
    """Whether no encoder of a card is to be tried.

    Raises:
        ConfigError: REACTOR_NB_NVENC is neither on nor off.
    """
    chosen = os.environ.get(SWITCH, "").strip()
    if chosen.lower() not in _ON + _OFF:
        raise ConfigError(
            f"{SWITCH} is {chosen!r}; it is on or off. Type: %env {SWITCH}=off  and then: %reload_ext reactor_nb"
        )
    return chosen.lower() in _OFF
