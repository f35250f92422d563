"""The board: a page of shared memory where the media process counts what it has played.

So the kernel knows the counts at once, also of a process that is stopped or was killed, and no message is needed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from reactor_nb.transport.process.segments import map_sealed, sealed_memory

SLOTS = 2048
"""How many streams, so how many model names, a kernel may have at a time."""

_WORDS = 4
_WORD_BYTES = 8
BOARD_BYTES = SLOTS * _WORDS * _WORD_BYTES


@dataclass(frozen=True, slots=True)
class Tally:
    """Frames of one session that the media process has `played`, and `skipped` because they were overdue.

    `next_number`: one more than the number of the newest frame that was played.
    """

    played: int = 0
    skipped: int = 0
    next_number: int = 0


class Board:
    """Counts by stream: each word is written whole, by one thread of the media process.

    Args:
        fd: of a board that another process made; without it a new one is made.
    Raises:
        OSError: there is no memory, or `fd` is none of that size.
    Threads: any may read; one writes a slot.
    """

    def __init__(self, fd: int | None = None) -> None:
        self.fd = sealed_memory("reactor-nb-board", BOARD_BYTES) if fd is None else -1
        memory = map_sealed(self.fd if fd is None else fd, BOARD_BYTES)
        self._words = memoryview(memory).cast("Q")

    def write(self, stream_id: int, session_no: int, tally: Tally) -> None:
        at = stream_id * _WORDS
        self._words[at + 1] = tally.played
        self._words[at + 2] = tally.skipped
        self._words[at + 3] = tally.next_number
        self._words[at] = session_no

    def read(self, stream_id: int, session_no: int) -> Tally | None:
        """What was written for that session last; None if that was another one."""
        at = stream_id * _WORDS
        found, played, skipped, next_number = self._words[at : at + _WORDS]
        return Tally(played, skipped, next_number) if found == session_no else None

    def close(self) -> None:
        """The descriptor goes now, the memory with the last reader. Idempotent."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)
