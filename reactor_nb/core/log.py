"""Log: the last lines of what a model prints, and which thread prints into which log."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_MAX_LINE_CHARS = 2_000
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class Log:
    """Bounded text. A carriage return writes the last line anew, as a progress bar wants it.

    Threads: any; listeners are called on the writing thread, without a lock held, and must be quick.
    """

    def __init__(self, max_lines: int = 500) -> None:
        self._lock = threading.Lock()
        self._lines: deque[str] = deque(maxlen=max_lines)
        self._last = ""
        self._is_rewriting = False
        self._listeners: list[Callable[[], None]] = []

    def write(self, text: str) -> None:
        """Append text as a terminal would show it; colours are left out."""
        if not text:
            return
        text = _ESCAPES.sub("", text)
        with self._lock:
            for piece in re.split(r"(\r\n|\r|\n)", text):
                if piece in ("\n", "\r\n"):
                    self._lines.append(self._last)
                    self._last, self._is_rewriting = "", False
                elif piece == "\r":
                    self._is_rewriting = True
                elif piece:
                    # The old line stays to be read until there is something to write over it.
                    kept = "" if self._is_rewriting else self._last
                    self._is_rewriting = False
                    self._last = (kept + piece)[-_MAX_LINE_CHARS:]
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def note(self, text: str) -> None:
        """A line of ours, on a line of its own."""
        with self._lock:
            start = "\n" if self._last else ""
        self.write(f"{start}reactor: {text}\n")

    def text(self, max_chars: int | None = None) -> str:
        """The log, or the end of it; whole lines where there is room for one."""
        with self._lock:
            text = "\n".join([*self._lines, self._last])
        if max_chars is None or len(text) <= max_chars:
            return text
        tail = text[-max_chars:] if max_chars > 0 else ""
        _, newline, whole = tail.partition("\n")
        return whole if newline and whole else tail

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each write; the returned function ends that."""
        with self._lock:
            self._listeners.append(callback)

        def unsubscribe() -> None:
            with self._lock:
                if callback in self._listeners:
                    self._listeners.remove(callback)

        return unsubscribe


_logs: dict[int, Log] = {}
_logs_lock = threading.Lock()


@contextmanager
def bind_log(log: Log) -> Iterator[None]:
    """While this is open, the current thread's prints belong to `log`."""
    ident = threading.get_ident()
    with _logs_lock:
        before = _logs.get(ident)
        _logs[ident] = log
    try:
        yield
    finally:
        with _logs_lock:
            if before is None:
                _logs.pop(ident, None)
            else:
                _logs[ident] = before


def log_of_thread(ident: int) -> Log | None:
    """The log that a thread's prints belong to; None for a thread that is not ours."""
    with _logs_lock:
        return _logs.get(ident)
