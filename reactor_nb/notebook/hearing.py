"""Whether pages can be heard now: where a front end has no subshell, a cell that runs keeps their messages waiting."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from reactor_nb.errors import ClosedError


class Hearing:
    """Tells the media when a cell begins and ends, where the pages' messages come on the thread that runs cells.

    A page that is silent meanwhile has not gone: its acknowledgements wait in the kernel's socket.

    Args:
        events: the shell's, of which `pre_run_cell` and `post_run_cell` are used. The other two are of no use:
            ipykernel has them around each message of a comm as well.
        deafen: MediaLink.deafen.
    Threads: `came` on whichever thread a message came; the rest on the kernel's.
    """

    def __init__(self, events: Any, deafen: Callable[[bool], None]) -> None:
        self._events = events
        self._deafen = deafen
        self._is_with_cells: bool | None = None
        self._cells = 0  # that run now: a cell may run another
        self._is_deaf = False
        events.register("pre_run_cell", self._begin)
        events.register("post_run_cell", self._end)

    @property
    def is_with_cells(self) -> bool | None:
        """Whether pages speak where cells run, and wait for them; None before any page spoke."""
        return self._is_with_cells

    def came(self) -> None:
        """A message of a page came, on this thread."""
        self._is_with_cells = threading.current_thread() is threading.main_thread()

    def close(self) -> None:
        self._events.unregister("pre_run_cell", self._begin)
        self._events.unregister("post_run_cell", self._end)

    def _begin(self, *_: Any) -> None:
        self._cells += 1
        if self._is_with_cells and not self._is_deaf:
            self._tell(True)

    def _end(self, *_: Any) -> None:
        # The cell that loads the extension ends without having begun.
        self._cells = max(self._cells - 1, 0)
        if self._is_deaf and not self._cells:
            self._tell(False)

    def _tell(self, is_deaf: bool) -> None:
        self._is_deaf = is_deaf
        with contextlib.suppress(ClosedError):
            self._deafen(is_deaf)
