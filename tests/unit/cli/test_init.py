"""A project that `reactor init` made runs as it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reactor_nb.cli.init import class_name
from tests.unit.cli.conftest import Reactor

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def made(reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert reactor("init", "my-model").status == 0
    return tmp_path / "my-model"


def test_the_project_has_its_files_and_says_what_to_type_next(reactor: Reactor, tmp_path: Path) -> None:
    said = reactor("init", str(tmp_path / "dunes"))
    files = ["configs/default.yaml", "demo.ipynb", "model.py", "requirements.txt", "test_model.py"]
    assert said.out.splitlines()[1:6] == [f"  {name}" for name in files]
    assert all((tmp_path / "dunes" / name).read_text().find("$") < 0 for name in files)
    assert "reactor run --for 3s --out clip.mp4" in said.out


def test_every_part_of_the_project_passes_its_check(reactor: Reactor, made: Path) -> None:
    said = reactor("check", "--path", str(made))
    assert said.status == 0, said.out


def test_the_project_plays_into_a_video_and_takes_an_override(reactor: Reactor, made: Path) -> None:
    said = reactor("run", "--path", str(made), "--frames", "5", "--out", "clip.mp4", "--model.width=64")
    assert said.out.startswith("clip.mp4: 5 frames, 64x288")


def test_the_test_of_the_project_passes(made: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=made,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=18,
    )
    assert answer.returncode == 0, answer.stdout


def test_the_notebook_of_the_project_runs_its_folder(made: Path) -> None:
    cells = json.loads((made / "demo.ipynb").read_text())["cells"]
    assert ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"] == [
        "%load_ext reactor_nb",
        "%reactor run --path .",
    ]


def test_a_folder_with_files_is_left_alone(reactor: Reactor, made: Path) -> None:
    said = reactor("init", "my-model")
    assert said.status == 2
    assert said.err == "Error: my-model is there and has files in it. Type: reactor init my-model-2\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("my-model", "MyModel"), ("none", "MyNone"), ("video-model", "MyVideoModel"), ("3d-world", "Model3dWorld")],
)
def test_the_class_has_a_name_that_python_takes(name: str, expected: str) -> None:
    assert class_name(name) == expected
