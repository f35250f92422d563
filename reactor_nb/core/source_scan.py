"""What a Python file says of itself before it is run: whether it names the package, and which classes are models."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

PACKAGES = ("reactor_nb", "reactor_runtime")
_NAMED = r"\b(?:reactor_nb|reactor_runtime)\b"
_DECORATED = r"(?m)^\s*@\s*(?:[\w.]+\.)?model\s*\("


@dataclass(frozen=True)
class Scan:
    """`names_package`: it imports this package or the original. `model_classes`: decorated with its @model.

    `package_names`: what the package itself is called in it. A file that is no Python has `is_readable` False.
    """

    names_package: bool
    has_model: bool
    has_relative_import: bool
    model_classes: tuple[ast.ClassDef, ...] = ()
    package_names: frozenset[str] = frozenset()
    is_readable: bool = True

    @property
    def rank(self) -> int:
        """Which files are imported first: those with a model, those that name the package, the others."""
        return 0 if self.has_model else 1 if self.names_package else 2


def scan_text(text: str) -> Scan:
    """Read a file without running it. Of text that is no Python, what stands in it counts."""
    try:
        return scan_statements(ast.parse(text).body)
    except (SyntaxError, ValueError, RecursionError):
        names = re.search(_NAMED, text) is not None
        return Scan(names, names and re.search(_DECORATED, text) is not None, False, is_readable=False)


def scan_statements(body: Iterable[ast.stmt]) -> Scan:
    """As scan_text, of statements that were parsed already."""
    packages: set[str] = set()
    decorators: set[str] = set()
    names_package = has_relative_import = False
    classes: list[ast.ClassDef] = []
    for node in (node for statement in body for node in ast.walk(statement)):
        if isinstance(node, ast.ClassDef):
            classes.append(node)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in PACKAGES:
                    names_package = True
                    packages.add((alias.asname or alias.name).partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                has_relative_import = True
            elif (node.module or "").partition(".")[0] in PACKAGES:
                names_package = True
                decorators |= {alias.asname or alias.name for alias in node.names if alias.name == "model"}
                decorators |= {"model" for alias in node.names if alias.name == "*"}
    models = tuple(node for node in classes if _is_model(node, packages, decorators))
    return Scan(names_package, bool(models), has_relative_import, models, frozenset(packages))


def _is_model(node: ast.ClassDef, packages: set[str], decorators: set[str]) -> bool:
    for decorator in node.decorator_list:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        text = ast.unparse(function)
        if text in decorators or (text.endswith(".model") and text.partition(".")[0] in packages):
            return True
    return False
