"""Every block of the README and of docs/ that a reader could run is run, as it is written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import nbformat
import pytest

from tests.support.documents import (
    KERNEL_LANGUAGES,
    ROOT,
    SHELL_LANGUAGES,
    SHOWN_LANGUAGES,
    CodeBlock,
    code_blocks,
    documents,
    run_cells,
)

BLOCKS = [block for path in documents() for block in code_blocks(path)]
WITH_CODE = [path for path in documents() if any(block.runs_in_kernel for block in code_blocks(path))]
SHELL_WORDS = {"cd", "git", "make", "pip", "python", "python3", "reactor", "reactor-nb", "jupyter", "sudo"}


def _where(value: object) -> str:
    if isinstance(value, CodeBlock):
        return f"{value.document}:{value.line}"
    return value.relative_to(ROOT).as_posix() if isinstance(value, Path) else str(value)


@pytest.mark.timeout(120, func_only=True)
@pytest.mark.parametrize("path", WITH_CODE, ids=_where)
def test_the_blocks_of_a_document_run_top_to_bottom_in_one_kernel(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = nbformat.v4.new_notebook()
    blocks = [block for block in code_blocks(path) if block.runs_in_kernel]
    notebook.cells = [nbformat.v4.new_code_cell(block.code) for block in blocks]
    run_cells(notebook, tmp_path, monkeypatch, cell_timeout_s=60)


@pytest.mark.parametrize("path", WITH_CODE, ids=_where)
def test_a_profile_is_taken_of_what_a_page_shows(path: Path) -> None:
    """Without a picture it has no stages of the page."""
    shown = False
    for block in code_blocks(path):
        if "%reactor profile" in block.code and block.language in KERNEL_LANGUAGES:
            assert shown, f"{_where(block)}: no cell before it shows the session"
        shown = shown or block.code.rstrip().splitlines()[-1] in ("session", "%reactor run")


@pytest.mark.parametrize("block", BLOCKS, ids=_where)
def test_a_block_says_what_it_is(block: CodeBlock) -> None:
    known = KERNEL_LANGUAGES | SHELL_LANGUAGES | SHOWN_LANGUAGES
    assert block.runs_in_kernel or block.language in known, (
        f"{_where(block)}: a block is python or ipython (and is run), bash (its make targets are checked), or "
        f"one of {', '.join(sorted(SHOWN_LANGUAGES))}; this one is {block.language or 'without a language'}"
    )


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in SHELL_LANGUAGES], ids=_where)
def test_the_lines_of_a_shell_block_name_things_that_exist(block: CodeBlock) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.M))
    for line in filter(None, map(str.strip, block.code.splitlines())):
        words = shlex.split(line, comments=True)
        if not words:
            continue
        assert words[0] in SHELL_WORDS, f"{_where(block)}: {line}"
        if words[0] == "make":
            named = {word for word in words[1:] if "=" not in word and not word.startswith("-")}
            assert named <= targets, f"{_where(block)}: the Makefile has no {', '.join(named - targets)}"


def test_the_readme_names_the_two_commands() -> None:
    text = "".join(block.code for block in BLOCKS if block.document == "README.md")
    assert "make demo" in text
    assert "make test" in text
