"""One command line run in this process, and what it printed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from reactor_nb.cli import main
from reactor_nb.core.alias import remove_alias
from tests.unit.core.projects import model_text, write
from tests.unit.core.projects import python_as_before as python_as_before


class Said(NamedTuple):
    """`status`: the exit status; `out` and `err` as they were printed."""

    status: int
    out: str
    err: str


Reactor = Callable[..., Said]


@pytest.fixture
def reactor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Reactor:
    """Runs `reactor WORDS...`; `orders` are lines of standard input, which is no terminal."""

    def run(*words: str, orders: str = "") -> Said:
        import io

        monkeypatch.setattr(sys, "stdin", io.StringIO(orders))
        capsys.readouterr()
        try:
            status = main(words)
        finally:
            remove_alias()
        return Said(status, *capsys.readouterr())

    return run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, which is the working directory as well."""
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, {"model.py": model_text("plasma")})
