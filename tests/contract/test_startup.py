"""What the command line loads. How long it takes is measured by `python -m tests.benchmarks.startup`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.startup import MODEL, Row, is_quick, table

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "omegaconf", "yaml", "asyncio", "av", "aiortc", "torch", "IPython", "prompt_toolkit", "fsspec"}


@pytest.mark.parametrize("words", ["schema", "capabilities", "--version", "help"])
def test_a_schema_is_told_without_what_only_a_run_needs(tmp_path: Path, words: str) -> None:
    (tmp_path / "small.py").write_text(MODEL)
    code = (
        "import sys; sys.argv[:] = ['reactor', *sys.argv[1:]]; from reactor_nb.cli import main; status = main();"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=15,
    )
    assert (done.returncode, done.stderr.strip()) == (0, "[]")


def test_the_table_of_the_bench_says_what_was_not_met() -> None:
    rows = [Row("bare", [0.1]), Row("schema", [0.2]), Row("import", [0.01])]
    assert not is_quick(rows[1], rows[0])
    assert table(rows).count("NOT MET") == 1
