"""Carries a session's log to the page: at most a few times a second, however much is printed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from reactor_nb.core.log import Log

INTERVAL_S = 0.2
MAX_CHARS = 16_000


class PageLog:
    """Calls `show(text)` with the tail of the log: at once, then not again within INTERVAL_S.

    Jupyter drops all messages of a kernel that sends too many (iopub limits), the picture's answers
    among them, so a model that prints in its loop must not become a message a line.

    Threads: `follow` and `close` on any; `show` is called on the printing thread or on a timer's.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._lock = threading.Lock()
        self._log: Log | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._timer: threading.Timer | None = None
        self._shown_s = 0.0

    def follow(self, log: Log) -> None:
        """Show this log from now on, instead of the one before."""
        self.close()
        unsubscribe = log.subscribe(self._written)
        with self._lock:
            self._log, self._unsubscribe = log, unsubscribe
        self._push()

    def close(self) -> None:
        with self._lock:
            unsubscribe, self._unsubscribe = self._unsubscribe, lambda: None
            self._log = None
            timer, self._timer = self._timer, None
        unsubscribe()
        if timer is not None:
            timer.cancel()
            if timer is not threading.current_thread():
                timer.join(1.0)

    def _written(self) -> None:
        with self._lock:
            if self._log is None or self._timer is not None:
                return
            wait_s = self._shown_s + INTERVAL_S - time.monotonic()
            if wait_s > 0:
                self._timer = threading.Timer(wait_s, self._push)
                self._timer.name = "reactor-page-log"
                self._timer.daemon = True
                self._timer.start()
                return
        self._push()

    def _push(self) -> None:
        with self._lock:
            self._timer = None
            self._shown_s = time.monotonic()
            log = self._log
        if log is not None:
            self._show(log.text(MAX_CHARS))
