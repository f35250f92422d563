"""The Viewer: the anywidget of one model, whose Views paint its stream in a page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from reactor_nb.notebook.built import built
from reactor_nb.notebook.subshell import keep_subshell


class Viewer(anywidget.AnyWidget):
    """What a page knows of a model: its state, error and log as traits, the rest as messages.

    Threads: made on the thread that runs the model (a cell, or a start button's); `show` may come from
    any thread. Messages of the page arrive on the kernel's thread or on the front end's subshell and
    are handed to `on_page_message`, which must return at once.
    """

    _esm = built("viewer.js")
    _css = built("viewer.css")

    model_name = traitlets.Unicode().tag(sync=True)
    state = traitlets.Unicode("idle").tag(sync=True)
    session_id = traitlets.Int(0).tag(sync=True)
    loading_since_ms = traitlets.Float(0.0).tag(sync=True)
    error = traitlets.Dict(None, allow_none=True).tag(sync=True)
    log = traitlets.Unicode("").tag(sync=True)
    has_poster = traitlets.Bool(False).tag(sync=True)
    carrier = traitlets.Unicode("auto").tag(sync=True)
    """Which roads a View may take: see runtime/carriers.py."""
    controls: Any = traitlets.List().tag(sync=True)
    """The widgets whose changes a View sends by its own road: see Controls.addresses."""

    def __init__(self, model_name: str, on_page_message: Callable[[dict[str, Any]], None]) -> None:
        self._on_page_message = on_page_message
        #: One writer at a time: traits notify on the thread that sets them, and two threads that set
        # the same trait would otherwise send it in the wrong order.
        self.writing = threading.RLock()
        super().__init__(model_name=model_name)
        keep_subshell(self)
        self.on_msg(self._receive)

    def show(self, **values: Any) -> None:
        """Set several traits at once; the page gets them in one message."""
        with self.writing, self.hold_sync():
            for name, value in values.items():
                setattr(self, name, value)

    def tell(self, message: dict[str, Any], payload: bytes = b"") -> None:
        """Send one message, and bytes with it, to every View in every tab. Returns at once."""
        if self.comm is not None:
            self.send(message, [payload] if payload else None)

    def _receive(self, widget: Viewer, content: Any, buffers: Any) -> None:
        if isinstance(content, dict):
            self._on_page_message(content)
