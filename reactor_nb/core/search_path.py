"""Where Python looks for the neighbours of a model's file."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path
from types import ModuleType


def put_on_path(folder: Path) -> None:
    """Let the files beside a model be imported: after the standard library, before installed packages.

    So a file of the folder named queue.py or types.py breaks nobody, and `import pipeline` finds the neighbour.
    It stays there: a model may import while it runs, and its processes inherit the path.
    """
    text = str(folder)
    if text in sys.path:
        sys.path.remove(text)
    paths = sysconfig.get_paths()
    library = [
        position
        for position, entry in enumerate(sys.path)
        if entry in (paths["stdlib"], paths["platstdlib"]) or entry.endswith("lib-dynload")
    ]
    sys.path.insert(library[-1] + 1 if library else 0, text)


def package_of(folder: Path) -> str:
    """The dotted name by which relative imports of the files in `folder` work, ready to be imported from.

    With __init__.py files it is the real package; without one, the folder becomes a package of its own name.
    """
    if not (folder / "__init__.py").is_file():
        return _made_package(folder)
    parts = [folder.name]
    root = folder.parent
    while (root / "__init__.py").is_file():
        parts.append(root.name)
        root = root.parent
    put_on_path(root)
    return ".".join(reversed(parts))


def _made_package(folder: Path) -> str:
    name = re.sub(r"\W", "_", folder.name) or "project"
    taken = sys.modules.get(name)
    is_own = taken is not None and list(getattr(taken, "__path__", [])) == [str(folder)]
    if not is_own and (taken is not None or name[0].isdigit() or name in sys.stdlib_module_names):
        name = f"reactor_folder_{name}"
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    return name
