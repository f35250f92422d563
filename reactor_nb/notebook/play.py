"""`reactor_nb.run`: play a model from Python, in a notebook or outside."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from reactor_nb.core.model import VideoModel
from reactor_nb.core.session import Session
from reactor_nb.runtime.base import get_runtime
from reactor_nb.runtime.ice import read_ice_servers
from reactor_nb.runtime.settings import StreamChoice


def play(
    model: type[VideoModel],
    config: str | None = None,
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    poster: bool = True,
    quality: str | None = None,
    bitrate: str | float | None = None,
    smoothness: str | float | None = None,
    carrier: str | None = None,
) -> Session:
    """Start a session of a model and return at once; the model loads and runs on a thread of its own.

    A running session of the same model name is stopped first. The loaded instance is kept when neither
    its source nor its configuration changed, else it is freed before the new one loads. In a notebook
    the returned Session, as the last line of a cell, shows its View; elsewhere there is no View, and
    the session's threads end when the program does.

    Args:
        model: a class decorated with @model.
        config: a YAML file instead of the one that the decorator names; relative to the working folder.
        overrides: configuration values on top: {"fps": 60, "net.depth": 4}, or strings such as "fps=60".
        poster: whether the notebook keeps a small picture of the session beside the View.
        quality: "low", "balanced" (the default), "high", or "exact": in motion as balanced, and what stands still
            is shown without loss.
        bitrate: the most that is sent, in Mbit/s, or as text such as "800k"; by default what the quality needs.
        smoothness: 0 shows frames as soon as it can, 1 as evenly as it can; 0.5 by default.
        carrier: the road to the pages. "auto", the default, begins with what works at once and moves to the best
            that does; "webrtc", "comm" (video over the notebook's own connection) or "jpeg" is that alone.
    Raises:
        ModelDefinitionError: the class is not decorated, or no VideoModel.
        ConfigError: a file that cannot be read, or a value that is refused; nothing was stopped.
        ModelStuckError: the old session did not end; the next run abandons it.
    Threads: the kernel's, or any one at a time.
    """
    panels = _panels()
    # What is wrong with them is told here, where somebody reads it.
    warning = read_ice_servers().warning if panels is not None else ""
    choice = StreamChoice(quality, bitrate, smoothness, carrier)
    session = get_runtime().run(model, config, overrides, stream=choice)
    if warning:
        session.log.note(warning)
    if panels is not None and not poster:
        panels.without_poster(session)
    elif panels is None and _is_marimo():
        from reactor_nb.notebook.marimo_view import follow

        follow(session, get_runtime())
    return session


def _panels() -> Any:
    """The panels of the kernel in which this runs; loading the extension if nobody has. None elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return None
    from reactor_nb.notebook.extension import load

    return load(shell).panels


def _is_marimo() -> bool:
    """Whether a cell of marimo runs this: whoever does so has imported it."""
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())
