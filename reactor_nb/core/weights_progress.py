"""A line that tells how far a fetch of weights is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from reactor_nb.core.memory import in_words

_REWRITE_EVERY_S = 0.2
_LINE_EVERY_S = 10.0


class Progress:
    """`reactor: vae 45 % (1.2 GB of 2.7 GB, 85 MB/s, 18 s left)` on standard error.

    Written anew in place where that can be read so (a terminal, a notebook, whose capture brings it to the model's
    log), and as a line every 10 s where standard error is a file.

    Args:
        total_bytes: None where the server does not say.
        done_bytes: what an earlier fetch has left.
        on_report: called as often as a line is written, at most five times a second.
    Threads: the fetching one.
    """

    def __init__(
        self, what: str, total_bytes: int | None, done_bytes: int = 0, on_report: Callable[[], None] | None = None
    ) -> None:
        self._what = what
        self._total = total_bytes
        self._begun_with = self._done = done_bytes
        self._on_report = on_report
        self._stream: TextIO | None = sys.stderr  # None in a program without a console
        # A kernel's stream says that it is no terminal, and rewrites lines all the same.
        self._is_rewriting = sys.stderr is not sys.__stderr__ or (sys.stderr is not None and sys.stderr.isatty())
        self._began_s = self._told_s = self._reported_s = time.monotonic()
        self._width = 0
        if done_bytes:
            self._tell()

    def add(self, count: int) -> None:
        """`count` more bytes are done; negative where a file had to be begun anew."""
        self._done += count
        now_s = time.monotonic()
        if now_s - self._reported_s >= _REWRITE_EVERY_S:
            self._reported_s = now_s
            if self._on_report is not None:
                self._on_report()
        if now_s - self._told_s >= (_REWRITE_EVERY_S if self._is_rewriting else _LINE_EVERY_S):
            self._told_s = now_s
            self._tell()

    def note(self, text: str) -> None:
        """A line of its own, which stays."""
        self._write(f"{self._what}: {text}", stays=True)

    def took_s(self) -> float:
        return time.monotonic() - self._began_s

    def _tell(self) -> None:
        rate = (self._done - self._begun_with) / max(1e-3, self.took_s())
        speed = f"{in_words(round(max(0.0, rate)))}/s"
        if not self._total:
            self._write(f"{self._what} {in_words(self._done)}, {speed}", stays=not self._is_rewriting)
            return
        left = f", {(self._total - self._done) / rate:.0f} s left" if rate > 0 else ""
        percent = min(100, 100 * self._done // self._total)
        self._write(
            f"{self._what} {percent} % ({in_words(self._done)} of {in_words(self._total)}, {speed}{left})",
            stays=not self._is_rewriting,
        )

    def _write(self, text: str, *, stays: bool) -> None:
        line = f"reactor: {text}"
        before, self._width = self._width, 0 if stays else len(line)
        start = "\r" if before else ""
        if self._stream is None:
            return
        self._stream.write(f"{start}{line.ljust(before)}" + ("\n" if stays else ""))
        self._stream.flush()
