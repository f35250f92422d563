"""Which statements of a notebook have to run to make its models."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from reactor_nb.core.notebook_file import Cell
from reactor_nb.core.source_scan import scan_statements

_SETTINGS = ("sys.path", "os.environ")


@dataclass(frozen=True)
class Piece:
    """Statements of one cell to run."""

    cell: Cell
    body: list[ast.stmt]


def needed_pieces(cells: list[Cell]) -> Iterator[Piece]:
    """What has to run to make the notebook's models: their classes, and the statements whose names they use.

    So finding a model starts no session, loads no weights and draws nothing that other cells would.

    Raises:
        SyntaxError: a cell is no Python; its filename is the cell's number.
    """
    parsed = [(cell, ast.parse(cell.text, f"cell {cell.number}").body) for cell in cells]
    statements = [statement for _, body in parsed for statement in body]
    scan = scan_statements(statements)
    wanted: list[ast.stmt] = list(scan.model_classes)
    not_called = {*(node.name for node in scan.model_classes), *scan.package_names}
    chosen: set[int] = set()
    needed: set[str] = set()
    while wanted:
        chosen |= {id(statement) for statement in wanted}
        needed |= {name for statement in wanted for name in _used(statement)}
        rest = [statement for statement in statements if id(statement) not in chosen]
        wanted = [statement for statement in rest if _is_needed(statement, needed, not_called)]
    for cell, body in parsed:
        piece = [statement for statement in body if id(statement) in chosen]
        if piece:
            yield Piece(cell, piece)


def _used(statement: ast.stmt) -> set[str]:
    """Every name that it reads, at once or when it is called; in quoted annotations as well."""
    names: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            names.add(node.value)
    return names


def _is_needed(statement: ast.stmt, needed: set[str], not_called: set[str]) -> bool:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        bound = {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
        return bool(bound & needed) or "*" in bound
    if isinstance(statement, ast.Expr):
        # A call that changes something: `palette.append(...)`, `sys.path.insert(0, "src")`.
        target = _changed(statement.value)
        root = target.partition(".")[0]
        return target.startswith(_SETTINGS) or (root in needed and root not in not_called and "." in target)
    if isinstance(statement, ast.Assign | ast.AugAssign) and ast.unparse(statement).startswith(_SETTINGS):
        return True
    return bool(_bound(statement) & needed)


def _changed(call: ast.expr) -> str:
    """`a.b.append` of the call `a.b.append(...)`; else nothing."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return ""
    text = ast.unparse(call.func)
    return text if re.fullmatch(r"[\w.]+", text) else ""


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value to, or a part of whose value it changes."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    names: set[str] = set()
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            while not isinstance(node, ast.Name) and isinstance(node, ast.Attribute | ast.Subscript):
                node = node.value
            if isinstance(node, ast.Name):
                names.add(node.id)
        stack.extend(ast.iter_child_nodes(node))
    return names
