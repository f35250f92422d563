"""The Jupyter server that this kernel belongs to, and what its environment holds, as far as it is seen from here."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

_PROGRAMS: Final = ("jupyter-lab", "jupyter-notebook", "jupyter-nbclassic", "jupyter-server", "jupyterhub-singleuser")
_MODULES: Final = ("jupyterlab", "notebook", "nbclassic", "jupyter_server", "voila")

FRONT_ENDS: Final[Mapping[str, str]] = {
    "anywidget": "anywidget",
    "jupyterlab-manager": "@jupyter-widgets/jupyterlab-manager",
}
"""Name -> folder in labextensions: what draws the Viewer, and what draws ipywidgets."""

_HOSTS: Final[Sequence[tuple[str, str]]] = (
    ("COLAB_RELEASE_TAG", "Colab"),
    ("KAGGLE_KERNEL_RUN_TYPE", "Kaggle"),
    ("DATABRICKS_RUNTIME_VERSION", "Databricks"),
    ("BINDER_SERVICE_HOST", "Binder"),
    ("JUPYTERHUB_SERVICE_PREFIX", "JupyterHub"),
    ("CODESPACES", "Codespaces"),
    ("VSCODE_PID", "VS Code"),
    ("SSH_CONNECTION", "a machine reached by ssh"),
)


class Server(NamedTuple):
    """`program`: what was started. `prefix`: the environment that it was started from."""

    program: str
    prefix: Path

    @property
    def python(self) -> Path:
        return self.prefix / "bin" / "python"

    def versions(self, *names: str) -> dict[str, str]:
        """Of those packages that are installed there."""
        paths = [str(path) for path in self.prefix.glob("lib/python*/site-packages")]
        return _versions(names, metadata.distributions(path=paths)) if paths else {}


def server_of_kernel(environ: Mapping[str, str] = os.environ, processes: Path = Path("/proc")) -> Server | None:
    """The server that started this kernel; None where none did, or the system does not show it (only Linux does)."""
    for pid in (environ.get("JPY_PARENT_PID", ""), str(os.getppid())):
        try:
            words = (processes / pid / "cmdline").read_bytes().decode(errors="replace").split("\0") if pid else []
        except OSError:
            continue
        program = _program(words)
        started = _started(words, processes / pid) if program else None
        if started is not None:
            return Server(program, started.parent.parent)
    return None


def _started(words: Sequence[str], process: Path) -> Path | None:
    """The file in an environment that a command line starts: the executable itself is a link out of the environment.

    None where that is not seen from here.
    """
    try:
        folder = (process / "cwd").resolve(strict=True)
    except OSError:
        folder = Path(os.sep)
    for word in words[:2]:  # Python and its script, either of which may be found by PATH
        if os.sep in word and not word.startswith("-"):
            return folder / word
    found = shutil.which(words[0], path=_variable(process, "PATH"))
    return None if found is None else folder / found


def _variable(process: Path, name: str) -> str | None:
    """Of the environment of a process."""
    try:
        entries = (process / "environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    return next((entry.partition("=")[2] for entry in entries if entry.startswith(f"{name}=")), None)


def _program(words: Sequence[str]) -> str:
    """Which program of Jupyter's a command line starts; empty for another."""
    for word in words[:2]:
        name = Path(word).name
        if name in _PROGRAMS or name == "voila":
            return name
    for flag, module in pairwise(words):
        if flag == "-m" and module.split(".")[0] in _MODULES:
            return module
    return next((f"jupyter {verb}" for word, verb in pairwise(words) if Path(word).name == "jupyter"), "")


def front_ends(prefix: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Name of FRONT_ENDS -> version, of those that a server started from `prefix` finds."""
    found: dict[str, str] = {}
    for folder in _data_folders(prefix, environ):
        for name, place in FRONT_ENDS.items():
            package = folder / "labextensions" / place / "package.json"
            try:
                found.setdefault(name, str(json.loads(package.read_text(encoding="utf-8"))["version"]))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # not there, or not a package: it is then as good as missing
    return found


def _data_folders(prefix: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where Jupyter looks, best first: jupyter_core.paths.jupyter_path, which may be installed there and not here."""
    yield from (Path(path) for path in environ.get("JUPYTER_PATH", "").split(os.pathsep) if path)
    yield prefix / "share" / "jupyter"
    yield Path(environ.get("JUPYTER_DATA_DIR") or Path.home() / ".local" / "share" / "jupyter")
    yield from (Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter"))


def hosts(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Services and editors that this kernel seems to run in, by what they leave in its environment."""
    return [name for variable, name in _HOSTS if environ.get(variable)]


def own_environment() -> Path:
    return Path(sys.prefix)


def _versions(names: Sequence[str], installed: Iterable[metadata.Distribution]) -> dict[str, str]:
    known = {each.metadata["Name"].lower().replace("-", "_"): each.version for each in installed}
    return {name: known[name] for name in names if name in known}
