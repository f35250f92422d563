"""What a model under measurement notes of its frames, in a file that the benchmark reads.

A memory map: writing to it neither gives up the interpreter's lock nor asks the kernel for a turn, so that the
notes cost the same with a cell that spins; and the record of a model in another process is read the same way.
numpy only: a peer's own environment runs it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CAPACITY = 200_000
"""Frames: half an hour at 60 fps and some more. The file is sparse."""

_COLUMNS = 3


@dataclass(frozen=True)
class Emitted:
    """The frames of one window. Arrays of equal length, in the order of emission.

    number: painted into the picture. at_s: wall clock, right before the emit call. held_ms: how long that call took.
    cpu_s: CPU time that the model spent on the picture itself, which is not the stream's.
    """

    number: NDArray[np.int64]
    at_s: NDArray[np.float64]
    held_ms: NDArray[np.float64]
    cpu_s: NDArray[np.float64]

    def at_ms(self) -> dict[int, float]:
        """number -> wall clock in ms."""
        return dict(zip(self.number.tolist(), (self.at_s * 1000).tolist(), strict=True))


class FrameRecord:
    """One file of notes. Written by one model, read by anybody; a number that was not emitted yet reads as 0."""

    def __init__(self, path: Path, *, is_new: bool = False) -> None:
        shape = (CAPACITY, _COLUMNS)
        if is_new:
            with path.open("wb") as file:
                file.truncate(CAPACITY * _COLUMNS * 8)
        self.path = path
        self._rows = np.memmap(path, np.float64, "r+", shape=shape)

    def emit(self, number: int, at_s: float, cpu_s: float) -> None:
        """Note a frame right before its emit call."""
        row = self._rows[number]
        row[0], row[2] = at_s, cpu_s

    def held(self, number: int, held_ms: float) -> None:
        """Note how long its emit call took."""
        self._rows[number, 1] = held_ms

    def between(self, began_s: float, ended_s: float) -> Emitted:
        """The frames that were emitted in a span of the wall clock."""
        at_s = np.asarray(self._rows[:, 0])
        number = np.flatnonzero((at_s >= began_s) & (at_s <= ended_s) & (at_s > 0))
        rows = np.asarray(self._rows[number])
        return Emitted(number, rows[:, 0], rows[:, 1], rows[:, 2])
