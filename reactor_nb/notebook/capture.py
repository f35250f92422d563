"""Sends what the model's threads print to the session's log, not into whichever cell runs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from reactor_nb.core.log import Log, log_of_thread

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class OutputCapture:
    """Routes writes and displays by the thread that makes them.

    It wraps the `write` of the stream objects themselves instead of replacing `sys.stdout`: logging
    handlers and progress bars keep the stream that they first saw, and must be routed as well.

    Threads: install and uninstall on the kernel's thread; the wrappers run on any.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._undo: list[Callable[[], None]] = []

    def install(self) -> None:
        if self._undo:
            return
        for stream in (sys.stdout, sys.stderr):
            self._wrap(stream, "write", _routed_write)
        self._wrap(self._shell.display_pub, "publish", _routed_publish)

    def uninstall(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _wrap(self, owner: Any, name: str, routed: Callable[..., Callable[..., Any]]) -> None:
        wrapper = routed(getattr(owner, name))
        try:
            setattr(owner, name, wrapper)
        except AttributeError:
            return  # a stream written in C, as in a terminal: there prints belong in the terminal

        def undo() -> None:
            # Somebody may have wrapped it again after us; then our layer stays and passes on.
            if vars(owner).get(name) is wrapper:
                delattr(owner, name)

        self._undo.append(undo)


def log_here() -> Log | None:
    """The log of the session that the calling thread works for; None on other threads.

    A thread that the author's code starts counts as the thread that started it, as far as the kernel
    remembers who that was (ipykernel notes it on the thread).
    """
    thread = threading.current_thread()
    log = log_of_thread(thread.ident or 0)
    if log is None:
        parent = getattr(thread, "_ipykernel_parent_thread_ident", None)
        log = log_of_thread(parent) if isinstance(parent, int) else None
    return log


def _routed_write(write: Callable[[str], int]) -> Callable[[str], int]:
    def routed(text: str) -> int:
        log = log_here()
        if log is None:
            return write(text)
        log.write(text)
        return len(text)

    return routed


def _routed_publish(publish: Callable[..., None]) -> Callable[..., None]:
    def routed(data: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        log = log_here()
        if log is None:
            publish(data, *args, **kwargs)
            return
        plain = data.get("text/plain")
        if plain:
            log.write(f"{plain}\n")
        view = data.get(_WIDGET_VIEW)
        if isinstance(view, dict):
            _follow_progress(view.get("model_id", ""), log)

    return routed


def _follow_progress(model_id: str, log: Log) -> None:
    """tqdm draws its notebook bar as widgets; the log shows the same bar as a line of text."""
    from ipywidgets import FloatProgress, IntProgress, Widget
    from ipywidgets.widgets.widget import _instances

    container: Widget | None = _instances.get(model_id)
    for child in getattr(container, "children", ()):
        if isinstance(child, FloatProgress | IntProgress):
            child.observe(lambda change: log.write(f"\r{container!r}"), names="value")  # noqa: ARG005
