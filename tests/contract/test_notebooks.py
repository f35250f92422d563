"""The committed notebooks: clean in the repository, and they run whole."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from tests.support.documents import ROOT, run_cells

NOTEBOOKS = sorted(path for path in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
MACHINE_PATH = re.compile(r"(?<![\w.])(?:/home/|/root/|/Users/|/tmp/|/work/|/private/|/var/folders/|[A-Z]:\\\\)[\w.-]+")


def _name(path: Path) -> str:
    return path.relative_to(ROOT / "notebooks").as_posix()


def test_the_quickstart_is_there() -> None:
    assert "01_quickstart.ipynb" in map(_name, NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_a_notebook_is_valid_and_holds_no_path_of_a_machine_and_no_error(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    found = [line.strip() for line in path.read_text().splitlines() if MACHINE_PATH.search(line)]
    assert not found, f"{_name(path)} holds paths of a machine: {found[:3]}"
    errors = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if output["output_type"] == "error"
    ]
    assert not errors
    assert notebook.metadata["kernelspec"]["name"] == "python3"


@pytest.mark.timeout(120, func_only=True)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_a_notebook_runs_whole(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = nbformat.read(path, as_version=4)
    run_cells(notebook, tmp_path, monkeypatch, cell_timeout_s=60)
