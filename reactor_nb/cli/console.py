"""What the command line prints, and in whose words."""

from __future__ import annotations

import re
import sys
from typing import Any

from reactor_nb.errors import ReactorError

_MAGIC_RUN = re.compile(r"%reactor run(?: (?!-)[A-Za-z0-9_-]+)?")
_CELL = (("run its cell again", "save its file"), ("run its cell first", "save its file"))


def in_shell(text: str) -> str:
    """A sentence that names a line to type in a notebook, as it is typed in a shell."""
    text = _MAGIC_RUN.sub("reactor run", text).replace("%reactor ", "reactor ")
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
