"""LogLines: what a session notes, as lines of the prompt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reactor_nb.core.log import Log

_START = "reactor: "
_LOADED = " loaded in "


class HeldNotes:
    """Notes that wait to be shown."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def drop(self, text: str) -> None:
        """Of what waits, leave out what tells of `text`."""
        self.notes = [note for note in self.notes if text not in note]


class LogLines:
    """Shows each note of a log as one [WARN], and what a model prints into it as it is.

    Threads: any; the log tells on the thread that writes.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = threading.Lock()  # guards everything below
        self._unsubscribe: Callable[[], None] = lambda: None
        self._shown = ""
        self._held: HeldNotes | None = None

    def follow(self, log: Log) -> None:
        """Show what stands in the log, and what comes."""
        self.close()
        with self._lock:
            self._shown = ""
        self._unsubscribe = log.subscribe(lambda: self._take(log))
        self._take(log)

    def close(self) -> None:
        """Show no more of it. Idempotent."""
        self._unsubscribe()
        self._unsubscribe = lambda: None

    @contextmanager
    def held(self) -> Iterator[HeldNotes]:
        """While this is open notes wait; then those that were not dropped are shown."""
        held = HeldNotes()
        with self._lock:
            self._held = held
        try:
            yield held
        finally:
            with self._lock:
                self._held = None
            for note in held.notes:
                self._say(note)

    def _take(self, log: Log) -> None:
        with self._lock:
            text = log.text()
            whole = text[: text.rfind("\n") + 1]
            # The oldest lines fall out of a full log.
            new = whole[len(self._shown) :] if whole.startswith(self._shown) else whole[whole.find(_START) :]
            self._shown = whole
            notes = [f"[WARN] {note.rstrip()}" for note in new.split(_START) if note.strip() and _LOADED not in note]
            if self._held is not None:
                self._held.notes += notes
                notes = []
        for note in notes:
            self._say(note)
