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

    The stream objects themselves are changed, and `sys.stdout` is left alone: logging handlers and
    progress bars keep the stream that they first saw, and must be routed as well.

    Threads: install and uninstall on the kernel's thread; what they put in place runs on any.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._streams: list[tuple[Any, type]] = []
        self._routed: Callable[..., None] | None = None

    def install(self) -> None:
        if self._routed is not None:
            return
        streams: tuple[Any, ...] = (sys.stdout, sys.stderr)
        for stream in streams:
            plain = type(stream)
            try:
                write = stream.write
                stream.__class__ = _routed_class(plain)
            except TypeError:
                continue  # a stream written in C, as in a terminal: there prints belong in the terminal
            stream.write = write
            self._streams.append((stream, plain))
        self._routed = _routed_publish(self._shell.display_pub.publish)
        vars(self._shell.display_pub)["publish"] = self._routed

    def uninstall(self) -> None:
        while self._streams:
            stream, plain = self._streams.pop()
            write = vars(stream).pop(_PASSED_ON)
            stream.__class__ = plain
            stream.write = write
        own = vars(self._shell.display_pub)
        # Somebody may have wrapped it again after us; then our layer stays and passes on.
        if own.get("publish") is self._routed:
            del own["publish"]
        self._routed = None


_PASSED_ON = "_reactor_passes_on_to"


def _routed_class(plain: type) -> type:
    """A subclass of a stream's class whose `write` routes.

    A property and no plain method: IPython puts a `write` of its own on the stream for each cell, and
    takes back what it found when the cell ends. As data descriptor the property sees both.
    """

    def get(stream: Any) -> Callable[[str], int]:
        return _RoutedWrite(vars(stream)[_PASSED_ON])

    def put(stream: Any, write: Callable[[str], int]) -> None:
        vars(stream)[_PASSED_ON] = write.passes_on_to if isinstance(write, _RoutedWrite) else write

    return type(plain.__name__, (plain,), {"write": property(get, put), "__module__": plain.__module__})


class _RoutedWrite:
    """The `write` of a stream: into the log of the calling thread, else on to the stream."""

    __slots__ = ("passes_on_to",)

    def __init__(self, passes_on_to: Callable[[str], int]) -> None:
        self.passes_on_to = passes_on_to

    def __call__(self, text: str) -> int:
        log = log_here()
        if log is None:
            return self.passes_on_to(text)
        log.write(text)
        return len(text)


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
            child.observe(lambda change: log.write(f"\r{container!r}"), names="value")
