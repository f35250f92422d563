"""Keeps the messages of our widgets on the front end's subshell, so that they pass a busy cell."""

from __future__ import annotations

from typing import Any

from ipywidgets import Widget


def keep_subshell(widget: Widget) -> None:
    """Let `widget` and all widgets in it be heard while a cell runs.

    ipykernel 7.4 sends a comm's next message to the shell that last published on the comm. A widget
    that a cell created, or that a thread sends to, would so lose the subshell on which the front end
    speaks, and wait for the running cell (measured: 2 s instead of 2 ms). Older kernels have no such
    routing and need nothing.
    """
    for each in _family(widget):
        comm = getattr(each, "comm", None)
        if comm is not None and hasattr(comm, "_reply_subshell_for"):
            comm._reply_subshell_for = _as_addressed


def _as_addressed(data: Any, default: str | None) -> str | None:
    return default


def _family(widget: Widget) -> list[Widget]:
    found = [widget]
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, Widget):
            found.append(part)
    for child in getattr(widget, "children", ()):
        found.extend(_family(child))
    return found
