"""Imports go one way: errors <- core <- media <- transport <- runtime <- notebook | cli."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "reactor_nb"

# What each layer may import of this package, apart from itself.
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "core": {"errors"},
    "media": {"errors", "core"},
    "transport": {"errors", "core", "media"},
    "runtime": {"errors", "core", "media", "transport"},
    "notebook": {"errors", "core", "media", "transport", "runtime"},
    "cli": {"errors", "core", "media", "transport", "runtime"},
    "__main__": {"cli"},
}
CORE_MAY_IMPORT = {"numpy", "pydantic", "pydantic_core", "omegaconf", "yaml"}
"""yaml comes with omegaconf: its errors carry line and column. torch is recognised, never imported."""

IMPORTED_WHEN_USED = {"fsspec", "aiohttp", "platformdirs", "filelock"}
"""What fetching weights needs; importing core loads none of it."""

ONLY_IN: dict[str, tuple[str, ...] | str] = {
    **dict.fromkeys(IMPORTED_WHEN_USED, "core/weights"),
    "platformdirs": ("core/weights", "runtime/prompt.py", "runtime/ice.py"),
    "prompt_toolkit": "runtime/prompt.py",
    "av": "media/",
    "simplejpeg": "media/jpeg.py",
    "aiortc": "transport/webrtc.py",
    "aioice": ("transport/webrtc.py", "transport/gathering.py"),
    "IPython": "notebook/",
    "ipykernel": "notebook/",
    "ipywidgets": "notebook/",
    "anywidget": "notebook/",
    "traitlets": "notebook/",
    "comm": "notebook/",
    "torch": "nowhere",
}
NOT_LOADED_BY_CORE = (
    "torch",
    "aiortc",
    "av",
    "ipywidgets",
    "anywidget",
    "IPython",
    "ipykernel",
    "jupyterlab",
    *IMPORTED_WHEN_USED,
)

# The package's own __init__ is the front of all layers and lazy; what it loads is tested below.
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every import, those inside functions and under TYPE_CHECKING included."""
    package = ("reactor_nb", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            if module == "reactor_nb":
                # `from reactor_nb import core` names a layer, `from reactor_nb import run` the public front.
                yield from ((node.lineno, f"reactor_nb.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module


def _layer(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_file_imports_only_its_own_layer_and_those_below(path: Path) -> None:
    layer = _layer(path)
    assert layer in LAYERS, f"{_name(path)} belongs to no layer; the map is in docs/design.md"
    allowed = LAYERS[layer] | {layer, "__version__"}
    wrong = [
        f"{_name(path)}:{line} imports {module}"
        for line, module in _imports(path)
        if module.split(".")[0] == "reactor_nb" and [*module.split("."), ""][1] not in allowed
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_library_is_imported_only_where_it_belongs(path: Path) -> None:
    wrong = []
    for line, module in _imports(path):
        top = module.split(".")[0]
        if top in ONLY_IN and not _name(path).startswith(ONLY_IN[top]):
            wrong.append(f"{_name(path)}:{line} imports {module}, which belongs in {ONLY_IN[top]}")
        if _layer(path) == "core" and top not in CORE_MAY_IMPORT | IMPORTED_WHEN_USED | sys.stdlib_module_names | {
            "reactor_nb"
        }:
            wrong.append(f"{_name(path)}:{line} imports {module}; core is numpy, pydantic, omegaconf and the library")
    assert not wrong, "\n".join(wrong)


def _loaded_after(statement: str) -> tuple[set[str], float]:
    """Top-level modules in a fresh process after `statement`, and how long it took in seconds."""
    script = (
        "import json, sys, time\nbegan_s = time.perf_counter()\n"
        f"{statement}\n"
        "took_s = time.perf_counter() - began_s\n"
        "print(json.dumps([sorted({name.split('.')[0] for name in sys.modules}), took_s]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=PACKAGE.parent, capture_output=True, text=True, timeout=20
    )
    assert answer.returncode == 0, answer.stderr
    modules, took_s = json.loads(answer.stdout)
    return set(modules), took_s


@pytest.mark.parametrize(
    "statement",
    ["import reactor_nb", "import reactor_nb.core", "from reactor_nb import VideoModel, model, command, get_ctx"],
)
def test_importing_it_loads_no_heavy_library(statement: str, record_property: Callable[[str, object], None]) -> None:
    modules, took_s = _loaded_after(statement)
    record_property("import_ms", round(took_s * 1000))
    assert not modules.intersection(NOT_LOADED_BY_CORE)


def test_all_of_core_loads_no_heavy_library() -> None:
    names = sorted(
        f"reactor_nb.core.{path.stem}" for path in (PACKAGE / "core").glob("*.py") if path.stem != "__init__"
    )
    modules, _ = _loaded_after("import " + ", ".join(["reactor_nb.core", *names]))
    assert not modules.intersection(NOT_LOADED_BY_CORE)
