"""The clock of one session: takes each frame from its source when it is due and shows it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reactor_nb.core.frame_queue import BufferedFrame, FrameSource


class Clock:
    """Plays one FrameSource on the thread `reactor-clock-<name>` until it is over or closed.

    Args:
        show: called with each frame on this thread; must not wait.

    Threads: close() from any but the clock's own.
    """

    def __init__(self, name: str, source: FrameSource, show: Callable[[BufferedFrame], None]) -> None:
        self.source = source
        self._show = show
        self._thread = threading.Thread(target=self._run, name=f"reactor-clock-{name}", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the last frame was shown, or the source is closed; whether it is so."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def close(self, timeout_s: float) -> bool:
        """Close the source, wait for the thread; whether it is gone. Idempotent."""
        self.source.close()
        return self.wait(timeout_s)

    def _run(self) -> None:
        while (frame := self.source.take()) is not None:
            self._show(frame)
