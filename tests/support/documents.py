"""The code blocks of the README and of docs/, and a kernel that runs them or a notebook whole."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.jupyterlab import jupyter_environment

ROOT = Path(__file__).resolve().parents[2]
KERNEL_LANGUAGES = {"python", "ipython"}
SHELL_LANGUAGES = {"bash", "sh", "shell"}
SHOWN_LANGUAGES = {"text", "console", "yaml", "json", "toml", "css", "ts"}
_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>[\w-]*)[^\n]*\n(?P<code>.*?)^(?P=fence)\s*$", re.M | re.S)


@dataclass(frozen=True)
class CodeBlock:
    document: str
    line: int
    language: str
    code: str

    @property
    def runs_in_kernel(self) -> bool:
        """A block without a language that starts with a magic is one for the kernel."""
        return self.language in KERNEL_LANGUAGES or (not self.language and self.code.lstrip().startswith("%"))


def documents() -> list[Path]:
    return [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if path.exists()]


def code_blocks(path: Path) -> list[CodeBlock]:
    text = path.read_text()
    return [
        CodeBlock(
            document=path.relative_to(ROOT).as_posix(),
            line=text.count("\n", 0, match.start()) + 1,
            language=match["language"],
            code=match["code"],
        )
        for match in _FENCE.finditer(text)
    ]


def run_cells(
    notebook: nbformat.NotebookNode, folder: Path, monkeypatch: pytest.MonkeyPatch, *, cell_timeout_s: int
) -> nbformat.NotebookNode:
    """Run every cell in a real kernel of this environment, in `folder`; an error of a cell is raised.

    Args:
        folder: becomes a copy of notebooks/, so that paths relative to a notebook hold.
    """
    work = folder / "notebooks"
    shutil.copytree(ROOT / "notebooks", work, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for name, value in jupyter_environment(folder / "jupyter").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # zmq asks for a selector loop on Windows; nothing else of the platform matters here.
    assert sys.platform != "win32"
    client = NotebookClient(
        notebook, timeout=cell_timeout_s, kernel_name="python3", resources={"metadata": {"path": str(work)}}
    )
    executed: nbformat.NotebookNode = client.execute()
    return executed
