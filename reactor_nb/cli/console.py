"""What the command line prints, and in whose words."""

from __future__ import annotations

import re
import shutil
import sys
import threading
from typing import Any

from reactor_nb.errors import ReactorError

_MAGIC_RUN = r"%reactor run(?: (?!-)[A-Za-z0-9_-]+)?"
_SETTING = r"%env ([A-Z_]+=\S+)(?:  and then: %reload_ext reactor_nb)?"
_CELL = (
    ("run its cell again", "save its file"),
    ("run its cell first", "save its file"),
    ("%reload_ext reactor_nb  and then run the cells again", "reactor doctor"),  # each start makes the media anew
)


def in_shell(text: str) -> str:
    """A sentence that names a line to type in a notebook, as it is typed in a shell."""
    text = re.sub(_MAGIC_RUN, "reactor run", text).replace("%reactor ", "reactor ")
    text = re.sub(_SETTING, r"export \1", text)
    for cell, file in _CELL:
        text = text.replace(cell, file)
    return text


def say(text: str) -> None:
    """A line of the answer."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """A line beside the answer: a warning, a progress."""
    sys.stderr.write(f"{in_shell(text)}\n")
    sys.stderr.flush()


def show_error(error: ReactorError) -> None:
    """The author's own traceback first, then the sentence."""
    traceback_text: Any = getattr(error, "traceback_text", "")
    if traceback_text:
        sys.stderr.write(f"{traceback_text.rstrip()}\n\n")
    tell(f"Error: {error}")


class LiveLine:
    """One line on stderr that is written anew, where that is a terminal; lines above it stay. Threads: any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards what is on the screen
        self._text = ""
        self._is_shown = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if not self._is_shown:
            return
        with self._lock:
            width = shutil.get_terminal_size().columns - 1
            self._text = text[:width]
            sys.stderr.write(f"\r\x1b[K{self._text}")
            sys.stderr.flush()

    def above(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            clear, again = ("\r\x1b[K", self._text) if self._is_shown else ("", "")
            sys.stderr.write(f"{clear}{text}\n{again}")
            sys.stderr.flush()

    def close(self) -> None:
        """Take the line away. Idempotent."""
        with self._lock:
            if self._is_shown and self._text:
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
            self._text = ""
