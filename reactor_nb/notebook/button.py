"""PressButton: a button whose presses a page can tell by any road."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from reactor_nb.notebook.built import built
from reactor_nb.notebook.control_moves import Move

MOST_AT_ONCE = 100
"""No person presses more often than that while a cell runs."""


class PressButton(anywidget.AnyWidget):
    """Looks and behaves as ipywidgets' Button.

    That one tells the kernel of a press by a message alone, which nobody else in the page hears. This one counts
    its presses in a synced value, so that the View beside it hears of each and sends it by the data channel.

    Threads: made on the thread that runs the model; `on_press` is called on the kernel's thread or the front end's
    subshell, and must return at once.
    """

    _esm = built("button.js")

    description = traitlets.Unicode("").tag(sync=True)
    icon = traitlets.Unicode("").tag(sync=True)
    presses = traitlets.Int(0).tag(sync=True)

    def __init__(self, description: str, on_press: Callable[[], None], *, tooltip: str = "", icon: str = "") -> None:
        self._on_press = on_press
        super().__init__(description=description, tooltip=tooltip, icon=icon)
        self.layout.width = "auto"

    def click(self) -> None:
        """Press it from Python."""
        self.presses += 1
        self._on_press()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """A page's message. A press that the page tells of by itself is only counted here.

        While a cell runs ipywidgets keeps the newest state alone: then one message stands for several presses.
        """
        before = self.presses
        super().set_state(sync_data)
        if "presses" in sync_data and Move.of(sync_data) is None:
            for _ in range(min(max(self.presses - before, 1), MOST_AT_ONCE)):
                self._on_press()
