"""Verbs, options and exit statuses of the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.unit.cli.conftest import Reactor
from tests.unit.core.projects import model_text, write, write_notebook

ROOT = Path(__file__).resolve().parents[3]


def module(*words: str, cwd: Path, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """`python -m reactor_nb WORDS...` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "reactor_nb", *words],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_without_a_verb_the_page_of_verbs_is_shown(reactor: Reactor) -> None:
    said = reactor()
    assert said.status == 2
    assert said.out == reactor("--help").out == reactor("help").out
    assert reactor("help").status == 0
    for verb in ("run", "init", "schema", "check", "weights"):
        assert f"\n  {verb}" in said.out


@pytest.mark.parametrize("verb", ["run", "init", "schema", "capabilities", "check", "weights"])
def test_each_verb_has_a_page_of_its_own(reactor: Reactor, verb: str) -> None:
    said = reactor(verb, "--help")
    assert said.status == 0
    assert said.out.startswith(f"reactor {verb} ")


def test_the_version_is_told(reactor: Reactor) -> None:
    from reactor_nb import __version__

    assert reactor("--version") == (0, f"reactor_nb {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rnu"], "reactor has no verb 'rnu'; it has run, init, schema, check, doctor, weights. Type: reactor run"),
        (["--runtime"], "reactor has no option '--runtime'"),
        (["run", "--fro", "3s"], "reactor run has no option '--fro'. Did you mean --for?"),
        (["run", "--modle.x=1"], "reactor run has no option '--modle.x'. Did you mean --model.KEY=VALUE?"),
        (["run", "--for"], "--for needs a value after it. Type: reactor run --for 3s"),
        (["run", "--for", "--frames", "3"], "--for needs a value after it"),
        (
            ["run", "--for", "soon"],
            "--for got 'soon'; it needs a time above zero such as 10s, 500ms or 2m. Type: reactor",
        ),
        (["run", "--frames=0"], "--frames got '0'; it needs a whole number above zero"),
        (["run", "--runtime", "htp"], "--runtime got 'htp'; it takes headless, http. Type: reactor run --runtime http"),
        (["run", "--verbose=3"], "--verbose is a switch and takes no value, got '3'"),
        (["run", "plasma"], "reactor run got 'plasma'. Type: reactor run [--path DIR|FILE]"),
        (["run", "--runtime", "http"], "the http runtime is not there yet"),
        (["schema", "--format", "yaml"], "--format got 'yaml'; it takes reactor, openapi, json-schema"),
        (["init"], "reactor init got nothing. Type: reactor init NAME"),
        (
            ["init", "My Model"],
            "reactor init got 'My Model'; a model's name has lowercase letters, digits and hyphens.",
        ),
        (["weights", "lst"], "reactor weights has no verb 'lst'; it has list, path, add. Type: reactor weights list"),
        (["weights", "add", "lamps"], "reactor weights add got lamps. Type: reactor weights add NAME FOLDER"),
    ],
)
def test_a_command_line_that_cannot_be_read_ends_with_2_and_the_line_to_type(
    reactor: Reactor, project: Path, words: list[str], told: str
) -> None:
    said = reactor(*words)
    assert said.status == 2
    assert said.out == ""
    assert said.err.startswith(f"Error: {told}")
    assert "Type: " in said.err


def test_an_error_of_the_project_ends_with_1_and_the_words_of_the_page(reactor: Reactor, tmp_path: Path) -> None:
    said = reactor("run", "--path", str(tmp_path), "--frames", "1")
    assert said.status == 1
    assert said.err.startswith("Error: No @model decorated class found in project.")


def test_the_schema_is_json_whatever_the_project_prints(reactor: Reactor, project: Path) -> None:
    write(project, {"model.py": "print('hello')\n" + model_text("plasma")})
    said = reactor("schema")
    assert json.loads(said.out)["model"] == {
        "name": "plasma", "config": None, "weights": [], "metadata": {"author": "tests"}
    }  # fmt: skip
    assert said.err == "hello\n"
    assert reactor("capabilities").out == said.out
    assert json.loads(reactor("schema", "--format=openapi").out)["openapi"] == "3.1.0"


def test_the_schema_of_a_notebook_is_shown(reactor: Reactor, tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "my demo.ipynb", "%load_ext reactor_nb", model_text("plasma"))
    assert json.loads(reactor("schema", "--path", str(notebook)).out)["model"]["name"] == "plasma"


def test_a_file_of_the_original_package_is_found_unchanged(reactor: Reactor, project: Path) -> None:
    write(project, {"model.py": model_text("plasma", package="reactor_runtime")})
    assert list(json.loads(reactor("schema").out)["commands"]) == ["set_level", "fail"]


def test_check_ends_with_1_when_a_line_failed(reactor: Reactor, project: Path) -> None:
    said = reactor("check")
    assert said.status == 0
    assert [line.split()[:2] for line in said.out.splitlines()] == [
        ["ok", name] for name in ("imports", "decorator", "configuration", "weights", "schema", "frames")
    ]
    assert reactor("check", "--model.fps=fast").status == 1
    write(project, {"model.py": "import reactor_nb, cv2xyz"})
    said = reactor("check")
    assert said.status == 1
    assert said.out.startswith("FAILED  imports        No @model decorated class found in project.")


def test_a_file_that_should_hold_a_model_and_does_not_import_is_warned_of(reactor: Reactor, project: Path) -> None:
    write(project, {"broken.py": model_text("tunnel") + "\n1 / 0\n"})
    said = reactor("schema")
    assert said.status == 0
    assert said.err.startswith("[WARN] broken.py, line 23: ZeroDivisionError")


def test_weights_are_listed_named_and_added(
    reactor: Reactor, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert reactor("weights", "list").out == "This model declares no weights.\n"
    write(project, {"model.py": model_text("plasma").replace('"plasma",', '"plasma", weights=["lamps"],'),
                    "elsewhere/lamp.bin": "1"})  # fmt: skip
    assert reactor("weights", "path", "lamps").status == 1
    added = reactor("weights", "add", "lamps", "elsewhere")
    assert added.status == 0
    assert (Path(added.out.strip()) / "lamp.bin").read_text() == "1"
    assert reactor("weights", "path", "lamps").out == added.out
    assert "lamps  used" in reactor("weights", "list").out


def test_the_doctor_looks_at_the_machine_without_a_project(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REACTOR_NB_MEDIA", "threads")
    said = reactor("doctor")
    assert said.status == 0
    assert "H264" in said.out
    assert "Type: export REACTOR_NB_MEDIA=process" in said.out
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_with_130(reactor: Reactor, project: Path) -> None:
    write(project, {"model.py": "import reactor_nb\nraise KeyboardInterrupt"})
    assert reactor("schema").status == 130


def test_python_m_does_the_same_and_a_queue_py_beside_the_model_breaks_nothing(project: Path) -> None:
    write(project, {"queue.py": "1 / 0"})
    with module("schema", cwd=project) as process:
        out, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out)["model"]["name"] == "plasma"


def test_a_reader_that_goes_away_ends_it_quietly(project: Path) -> None:
    reading, writing = os.pipe()
    process = module("schema", cwd=project, stdout=writing)
    os.close(writing)
    os.close(reading)
    _, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (141, "")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_and_finishes_what_it_wrote(project: Path, number: int, status: int) -> None:
    with module("run", "--for", "1h", "--out", "frames", cwd=project) as process:
        eventually(lambda: (project / "frames" / "frame_000003.png").exists(), timeout_s=15)
        process.send_signal(number)
        _, err = process.communicate(timeout=15)
    assert process.returncode == status, err
    assert "Traceback" not in err
