"""Which roads the picture may take to a page: what the author chose, then the environment, then the best that works."""

from __future__ import annotations

import difflib
import os
from typing import Final

from reactor_nb.errors import ConfigError

CARRIERS: Final = ("auto", "webrtc", "comm", "jpeg")
"""auto: the best that works, beginning with what works at once. webrtc: that alone. comm: over Jupyter's own
connection, as video where the page can decode it. jpeg: the same as single pictures."""

CARRIER: Final = "REACTOR_NB_CARRIER"


def chosen_carrier(choice: str | None = None) -> str:
    """One of CARRIERS. REACTOR_NB_CARRIER is the carrier where none was chosen.

    Raises:
        ConfigError: it is none of them.
    """
    name, mend = "carrier", "%reactor run --carrier {}"
    if choice is None:
        choice = os.environ.get(CARRIER, "").strip().lower() or None
        name, mend = CARRIER, f"%env {CARRIER}={{}}"
    if choice is None:
        return "auto"
    if choice not in CARRIERS:
        near = difflib.get_close_matches(str(choice), CARRIERS, n=1) or ["auto"]
        raise ConfigError(
            f"{name} is {choice!r}; it is {', '.join(CARRIERS[:-1])} or {CARRIERS[-1]}. Type: {mend.format(near[0])}"
        )
    return choice
