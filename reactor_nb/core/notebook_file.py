"""A notebook file as Python: the text of its code cells, without their magics."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reactor_nb.errors import ModelNotFoundError

# Cell magics whose body is Python all the same; of the others the body is another language, or a file.
_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%python3", "%%debug")
_ESCAPED = re.compile(r"^(\s*)(?:[%!?].*|[\w.]+\?{1,2}\s*)$")
_ASSIGNED = re.compile(r"^(\s*[\w.,\s\[\]'\"]+=)\s*[%!].*$")


@dataclass(frozen=True)
class Cell:
    """A code cell. `number` counts the code cells from 1; `text` has a line for each line of the cell."""

    number: int
    text: str
    source: str

    def filename(self, notebook: Path) -> str:
        """What its code is compiled with; core/source.py finds the notebook's folder in it."""
        return f"{notebook}, cell {self.number}"


def read_cells(notebook: Path) -> list[Cell]:
    """The code cells of an .ipynb file, without IPython; lines of magics are empty statements.

    Raises:
        ModelNotFoundError: the file is no notebook.
    """
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        cells = content["cells"] if "cells" in content else content["worksheets"][0]["cells"]
        sources = [_text(cell) for cell in cells if cell.get("cell_type") == "code"]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelNotFoundError(
            f"{notebook} cannot be read as a notebook: {type(error).__name__}: {error}. It needs the JSON that Jupyter "
            "saves. Open it there and save it again."
        ) from error
    return [Cell(number, _without_magics(source), source) for number, source in enumerate(sources, 1)]


def _text(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    return source if isinstance(source, str) else "".join(source)


def _without_magics(source: str) -> str:
    lines = source.splitlines()
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].startswith("%%"):
        if lines[first].split()[0] not in _PYTHON_CELLS:
            return ""
        lines[first] = ""
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        pass
    else:
        return "\n".join(lines)  # no magic in it: what looks like one is inside a string
    lines = [_ESCAPED.sub(r"\1pass", _ASSIGNED.sub(r"\1 None", line)) for line in lines]
    return "\n".join(lines)
