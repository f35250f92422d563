"""Which server a kernel belongs to, and whether its pages can draw a View."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from reactor_nb.runtime import doctor_server
from reactor_nb.runtime.jupyter_server import FRONT_ENDS, Server, front_ends, hosts, server_of_kernel


def process(folder: Path, pid: int, *words: str) -> Path:
    (folder / str(pid)).mkdir(parents=True)
    (folder / str(pid) / "cmdline").write_bytes("\0".join([*words, ""]).encode())
    return folder


def environment(folder: Path, **versions: str) -> Path:
    """An environment with these front ends; `_` stands for a hyphen."""
    for name, version in versions.items():
        package = folder / "share" / "jupyter" / "labextensions" / FRONT_ENDS[name.replace("_", "-")]
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"version": version}))
    return folder


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No front end is found but in the environment of the test."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("JUPYTER_PATH", raising=False)


@pytest.mark.parametrize(
    ("words", "program"),
    [
        (("/opt/lab/bin/python3", "/opt/lab/bin/jupyter-lab", "--no-browser"), "jupyter-lab"),
        (("/opt/lab/bin/python", "-m", "jupyterlab"), "jupyterlab"),
        (("/opt/lab/bin/python", "/opt/lab/bin/jupyter", "notebook"), "jupyter notebook"),
        (("/opt/lab/bin/python", "/opt/lab/bin/voila", "a.ipynb"), "voila"),
        (("/opt/lab/bin/python", "/opt/lab/bin/jupyterhub-singleuser"), "jupyterhub-singleuser"),
    ],
)
def test_the_server_is_the_process_that_started_the_kernel(
    words: tuple[str, ...], program: str, tmp_path: Path
) -> None:
    processes = process(tmp_path, 71, *words)
    assert server_of_kernel({"JPY_PARENT_PID": "71"}, processes) == Server(program, Path("/opt/lab"))


@pytest.mark.parametrize("words", [("-m", "jupyterlab", "--notebook-dir=/home/me/books"), ("-m", "jupyter", "lab")])
def test_a_server_that_was_started_by_a_name_alone_is_found_by_its_own_path(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    processes = process(tmp_path, 71, "python", *words)
    python = tmp_path / "lab" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    (processes / "71" / "environ").write_bytes(f"A=1\0PATH=/nowhere:{python.parent}\0".encode())
    found = server_of_kernel({"JPY_PARENT_PID": "71"}, processes)
    assert found is not None
    assert found.prefix == tmp_path / "lab"


def test_a_server_whose_environment_is_not_seen_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    processes = process(tmp_path, 71, "python", "-m", "jupyterlab", "--notebook-dir=/home/me/books")
    assert server_of_kernel({"JPY_PARENT_PID": "71"}, processes) is None


def test_a_server_that_was_started_beside_its_environment_is_found_from_there(tmp_path: Path) -> None:
    processes = process(tmp_path, 71, ".venv/bin/python", "-m", "jupyterlab")
    (processes / "71" / "cwd").symlink_to(tmp_path)
    assert server_of_kernel({"JPY_PARENT_PID": "71"}, processes) == Server("jupyterlab", tmp_path / ".venv")


def test_a_kernel_that_another_program_started_has_none(tmp_path: Path) -> None:
    processes = process(tmp_path, 71, "/opt/lab/bin/python", "-m", "pytest", "tests")
    assert server_of_kernel({"JPY_PARENT_PID": "71"}, processes) is None
    assert server_of_kernel({}, tmp_path / "nowhere") is None


def test_what_the_environment_of_a_server_holds_is_read_from_it() -> None:
    here = Server("jupyter-lab", Path(sys.prefix))
    assert here.versions("numpy", "no_such_package").keys() == {"numpy"}


def test_front_ends_are_found_where_jupyter_looks(alone: None, tmp_path: Path) -> None:
    lab = environment(tmp_path / "lab", anywidget="0.11.0", jupyterlab_manager="5.0.16")
    assert front_ends(lab) == {"anywidget": "0.11.0", "jupyterlab-manager": "5.0.16"}
    other = environment(tmp_path / "other", anywidget="0.9.0")
    path = str(other / "share" / "jupyter")
    assert front_ends(lab, {"JUPYTER_PATH": path})["anywidget"] == "0.9.0", "what is named comes first"


def test_a_server_without_the_front_end_is_told_with_the_line_for_its_own_python(
    alone: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = environment(tmp_path / "lab", jupyterlab_manager="5.0.16")
    monkeypatch.setattr(doctor_server, "server_of_kernel", lambda: Server("jupyter-lab", lab))
    (line,) = (line for line in doctor_server.server_lines() if line[0] == "server")
    assert line[1] == "MISSING"
    assert "its pages have no front end of anywidget: a View stays empty" in line[2]
    assert f"Type: {lab}/bin/python -m pip install anywidget ipywidgets" in line[2]


@pytest.mark.parametrize(("version", "verdict"), [("0.9.0", "note"), ("", "ok")])
def test_a_front_end_of_another_version_is_a_note(
    version: str, verdict: str, alone: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import metadata

    lab = environment(tmp_path, anywidget=version or metadata.version("anywidget"), jupyterlab_manager="5.0.16")
    monkeypatch.setattr(doctor_server, "server_of_kernel", lambda: Server("jupyter-lab", lab))
    (line,) = (line for line in doctor_server.server_lines() if line[0] == "server")
    assert line[1] == verdict
    assert ("install the same in both" in line[2]) == (verdict == "note")


def test_without_a_server_it_is_said_what_this_environment_has(
    alone: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_server, "server_of_kernel", lambda: None)
    monkeypatch.setattr(doctor_server, "own_environment", lambda: tmp_path)
    (line,) = (line for line in doctor_server.server_lines() if line[0] == "server")
    assert line[1] == "note"
    assert "no front end of anywidget and jupyterlab-manager" in line[2]
    environment(tmp_path, anywidget="0.11.0", jupyterlab_manager="5.0.16")
    (line,) = (line for line in doctor_server.server_lines() if line[0] == "server")
    assert (line[1], "anywidget 0.11.0" in line[2]) == ("ok", True)


def test_services_are_known_by_what_they_leave_in_the_environment() -> None:
    assert hosts({"JUPYTERHUB_SERVICE_PREFIX": "/user/a/", "CODESPACES": "true", "VSCODE_PID": ""}) == [
        "JupyterHub",
        "Codespaces",
    ]
