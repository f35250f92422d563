"""Importing one file of somebody's project, whatever it does; and what to type where it fails."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from reactor_nb.core.import_failure import Failure
from reactor_nb.core.search_path import package_of, put_on_path
from reactor_nb.core.time_limit import time_limit

TIMEOUT = "REACTOR_IMPORT_TIMEOUT_S"
DEFAULT_TIMEOUT_S = 60.0

_own: dict[str, str] = {}
"""Module name -> file, of what discoveries have imported from the folders of projects."""


def import_timeout_s() -> float:
    """How long one file may take to import: REACTOR_IMPORT_TIMEOUT_S, 60 s by default."""
    try:
        limit_s = float(os.environ.get(TIMEOUT, "") or DEFAULT_TIMEOUT_S)
    except ValueError:
        return DEFAULT_TIMEOUT_S
    return limit_s if limit_s > 0 else DEFAULT_TIMEOUT_S


def import_file(file: Path, *, is_relative: bool, timeout_s: float) -> dict[str, Any] | Failure:
    """Run a .py file as the module that its neighbours would import it as. Its namespace, or why there is none.

    Args:
        file: absolute.
        is_relative: it has relative imports, so it is run as part of the package that its folder is.
    """
    name = _module_name(file, is_relative=is_relative)
    module = sys.modules.get(name)
    if module is not None and _own.get(name) == str(file):
        return vars(module)  # a neighbour has imported it
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None:
        return Failure(file, None, "it is no Python file", "")
    module = importlib.util.module_from_spec(spec)
    with _attempt(module, file) as failures, time_limit(timeout_s):
        # Compiled here: a .pyc is told by seconds and size, and a file may be saved twice in a second.
        exec(compile(file.read_bytes(), str(file), "exec", dont_inherit=True), vars(module))
    return failures[0] if failures else vars(module)


def import_notebook(notebook: Path, *, timeout_s: float) -> dict[str, Any] | Failure:
    """Run what the models of an .ipynb file need: see needed_pieces.

    Raises:
        ModelNotFoundError: the file is no notebook.
    """
    from reactor_nb.core.notebook_file import read_cells
    from reactor_nb.core.notebook_slice import needed_pieces

    cells = read_cells(notebook)
    module = ModuleType(_module_name(notebook, is_relative=False))
    module.__dict__.update(__file__=str(notebook), __builtins__=__builtins__)
    with _attempt(module, notebook) as failures, time_limit(timeout_s):
        for piece in needed_pieces(cells):
            filename = piece.cell.filename(notebook)
            lines = piece.cell.source.splitlines(keepends=True)
            linecache.cache[filename] = (len(piece.cell.source), None, lines, filename)
            exec(_compiled(piece.body, filename), vars(module))
    return failures[0] if failures else vars(module)


def _compiled(body: list[ast.stmt], filename: str) -> CodeType:
    return compile(ast.Module(body, []), filename, "exec", dont_inherit=True)


def forget(folder: Path) -> None:
    """What was imported from this folder before is imported anew, and nothing of another folder is taken for it."""
    names = {entry.stem for entry in folder.iterdir()}
    for name, file in list(_own.items()):
        if Path(file).is_relative_to(folder) or name.partition(".")[0] in names:
            sys.modules.pop(name, None)
            del _own[name]
    importlib.invalidate_caches()


@contextmanager
def _attempt(module: ModuleType, file: Path) -> Iterator[list[Failure]]:
    """Runs the body as the import of `module`; what it raises becomes a Failure. Ctrl-C passes."""
    failures: list[Failure] = []
    name = module.__name__
    before = set(sys.modules)
    arguments = sys.argv
    put_on_path(file.parent)
    sys.modules[name] = module
    # A file that reads its own command line must not read ours.
    sys.argv = [str(file)]
    try:
        yield failures
    except KeyboardInterrupt:
        sys.modules.pop(name, None)
        raise
    except BaseException as error:
        sys.modules.pop(name, None)
        from reactor_nb.core.import_mend import failure_of

        failures.append(failure_of(error, file))
        traceback.clear_frames(error.__traceback__)
    finally:
        sys.argv = arguments
        for each in {*sys.modules} - before:
            origin = getattr(sys.modules[each], "__file__", None)
            if origin is not None and _is_of_project(Path(origin), file.parent):
                _own[each] = origin


def _is_of_project(origin: Path, folder: Path) -> bool:
    """In its folder, and not installed into an environment that lies in there."""
    return origin.is_relative_to(folder) and not {"site-packages", "dist-packages"}.intersection(origin.parts)


def _module_name(file: Path, *, is_relative: bool) -> str:
    if is_relative:
        return f"{package_of(file.parent)}.{file.stem}"
    stem = file.stem
    taken = sys.modules.get(stem)
    is_free = taken is None or _own.get(stem) == str(file)
    # Nobody may take queue.py for the queue of the standard library, which others will still import.
    if stem.isidentifier() and stem not in sys.stdlib_module_names and is_free:
        return stem
    return "reactor_file_" + "".join(sign if sign.isalnum() else "_" for sign in stem)
