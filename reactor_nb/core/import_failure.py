"""Failure: why a file could not be imported, in a line, with its mend."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Failure:
    """`line` of `file`, from 1, is what raised, or imported what did. `error`: `ValueError: text`, and where else."""

    file: Path
    line: int | None
    error: str
    mend: str
    traceback_text: str = ""
    cell: int | None = None

    def __str__(self) -> str:
        cell = f", cell {self.cell}" if self.cell is not None else ""
        line = f", line {self.line}" if self.line is not None else ""
        return f"{self.file.name}{cell}{line}: {self.error}{'. ' if self.mend else ''}{self.mend}"
