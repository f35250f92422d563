"""The poster: an ordinary image output beside the view, for where no kernel runs."""

from __future__ import annotations

import base64
import threading
import uuid
from collections.abc import Callable
from typing import Any

from reactor_nb.core.still import Still

POSTER_WIDTH_PX = 640

# publish(data, transient, is_update): the kernel's display channel, past the output capture.
Publish = Callable[[dict[str, Any], dict[str, Any], bool], None]


class Poster:
    """One output of one cell that always holds the newest still.

    It is displayed empty beside the view and filled at the first frame, at the stop and by
    `session.snapshot()`. A live page hides it (viewer.css); a saved notebook shows it.

    Threads: `display` on the thread that displays the session, `show` on any.
    """

    def __init__(self, title: str, publish: Publish) -> None:
        self.title = title
        self._publish = publish
        self._display_id = uuid.uuid4().hex
        self._order = threading.Lock()

    def display(self, newest: Callable[[], Still | None]) -> None:
        """Put the output into the cell that runs now, with what `newest` gives."""
        # Asked for under the lock: a frame that comes meanwhile is shown after, and not before.
        with self._order:
            self._publish(self._bundle(newest()), {"display_id": self._display_id}, False)

    def show(self, still: Still) -> None:
        with self._order:
            self._publish(self._bundle(still), {"display_id": self._display_id}, True)

    def _bundle(self, still: Still | None) -> dict[str, Any]:
        if still is None:
            return {"text/plain": ""}
        small = still.scaled(POSTER_WIDTH_PX)
        return {"text/plain": self.title, "image/png": base64.b64encode(small.png()).decode("ascii")}
