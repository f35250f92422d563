"""What is handed to users: a wheel and an sdist, both with the built viewer."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VIEWER = ("reactor_nb/static/viewer.js", "reactor_nb/static/viewer.css", "reactor_nb/static/button.js")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a wheel that was built from the sdist, as an index would serve them."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(distributions.glob("*.whl")))


@pytest.fixture(scope="module")
def sdist_names(distributions: Path) -> set[str]:
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_the_wheel_holds_the_built_viewer_and_the_protocol(wheel: zipfile.ZipFile) -> None:
    assert {*VIEWER, "reactor_nb/transport/protocol.json"} <= set(wheel.namelist())
    assert wheel.getinfo(VIEWER[0]).file_size > 1000


def test_the_wheel_holds_nothing_but_the_package(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"reactor_nb"}


def test_both_console_scripts_run_the_same_function(wheel: zipfile.ZipFile) -> None:
    entries = ConfigParser()
    entries.read_string(wheel.read(_of_metadata(wheel, "entry_points.txt")).decode())
    assert dict(entries["console_scripts"]) == {"reactor": "reactor_nb.cli:main", "reactor-nb": "reactor_nb.cli:main"}


def test_torch_is_asked_for_by_an_extra_only(wheel: zipfile.ZipFile) -> None:
    metadata = Parser().parsestr(wheel.read(_of_metadata(wheel, "METADATA")).decode())
    torch = [line for line in metadata.get_all("Requires-Dist", []) if line.startswith("torch")]
    assert torch
    assert all("extra ==" in line for line in torch)
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_sdist_holds_the_built_viewer_and_what_rebuilds_it(sdist_names: set[str]) -> None:
    needed = {*VIEWER, "js/hatch_build.py", "pyproject.toml", "LICENSE", "README.md", "Makefile"}
    assert needed | {"js/package.json", "js/package-lock.json", "js/.npmrc"} <= sdist_names
    assert any(name.startswith("js/src/") for name in sdist_names)
    assert any(name.startswith("notebooks/") for name in sdist_names)


def test_the_sdist_holds_nothing_that_was_installed_or_cached(sdist_names: set[str]) -> None:
    unwanted = ("node_modules", "__pycache__", ".venv", ".ipynb_checkpoints")
    assert not [name for name in sdist_names if any(word in name for word in unwanted)]


def test_the_lock_file_names_no_registry() -> None:
    # npm writes "resolved" addresses unless .npmrc says otherwise.
    assert '"resolved"' not in (ROOT / "js" / "package-lock.json").read_text()


def _of_metadata(wheel: zipfile.ZipFile, name: str) -> str:
    return next(path for path in wheel.namelist() if path.endswith(f".dist-info/{name}"))
