"""What an author's error leaves behind: text to read. No frame, so no weights stay alive behind it."""

from __future__ import annotations

import copy
import sys
import threading
import traceback
from pathlib import Path
from typing import TypeVar

from reactor_nb.errors import ReactorError

_PACKAGE = str(Path(__file__).resolve().parent.parent)
Error = TypeVar("Error", bound=ReactorError)


def author_traceback(error: BaseException) -> str:
    """The traceback of `error` and of what caused it, without the frames of this package."""
    summary = traceback.TracebackException.from_exception(error, compact=True)
    seen: set[int] = set()
    chain: list[traceback.TracebackException | None] = [summary]
    while chain:
        link = chain.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        own = [frame for frame in link.stack if not _is_ours(frame.filename)]
        if own:
            link.stack[:] = own
        chain += [link.__cause__, link.__context__, *(getattr(link, "exceptions", None) or [])]
    return "".join(summary.format())


def in_a_line(error: BaseException) -> str:
    """`ValueError: text`, the first line of it."""
    try:
        text = str(error).strip()
    except Exception as broken:
        text = f"(its message cannot be read: {type(broken).__name__})"
    # Its full stop goes: the line is quoted within a sentence.
    first = text.splitlines()[0].rstrip(".") if text else ""
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def strip(error: BaseException) -> None:
    """Let go of everything that `error` and its causes keep alive: frames, and objects that Python attached."""
    links: list[BaseException | None] = [error]
    seen: set[int] = set()
    while links:
        link = links.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        links += [link.__cause__, link.__context__]
        # The author's code may hold this traceback elsewhere: its frames lose their locals too.
        traceback.clear_frames(link.__traceback__)
        link.__traceback__ = link.__context__ = link.__cause__ = None
        if isinstance(link, AttributeError):
            link.obj = None
        if isinstance(link, BaseExceptionGroup):
            links += link.exceptions


def fresh(error: Error) -> Error:
    """A copy to raise: raising one object twice would pile up the frames of those who caught it."""
    twin = copy.copy(error)
    twin.__cause__ = error.__cause__
    return twin


def stack_of(thread: threading.Thread) -> str:
    """Where a thread is now, in the author's code first; empty when it has ended."""
    frame = sys._current_frames().get(thread.ident or -1)
    if frame is None:
        return ""
    frames = traceback.extract_stack(frame)
    del frame
    own = [entry for entry in frames if not _is_ours(entry.filename) and entry.filename != threading.__file__]
    return "".join(traceback.format_list(own or frames))


def _is_ours(filename: str) -> bool:
    return filename.startswith(_PACKAGE)
