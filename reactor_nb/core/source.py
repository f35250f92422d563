"""Where a class was written, and whether it was written differently since.

inspect.getsource finds no class of a notebook: `__main__` has no file there. The code of a cell does have a file
name, and linecache holds the cell's text under it; so the place of a class is noted when the class is made.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import sys
import sysconfig
import textwrap
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

_PLACE = "__reactor_place__"
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_OWN_PACKAGE = __name__.partition(".")[0]


class Place(NamedTuple):
    """The file name that the code was compiled with (a cell's is no file) and a line of the class in it, from 1."""

    filename: str
    line: int


def frame_of_class(cls: type) -> FrameType | None:
    """The frame that executes the `class` statement of `cls`, while it is being made."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        is_hook = frame.f_code.co_name in ("__init_subclass__", "__new__", "__call__")
        if not is_hook and frame.f_globals.get("__name__") == cls.__module__:
            return frame
        frame = frame.f_back
    return None


def note_place(cls: type, frame: FrameType | None) -> None:
    """Remember where `cls` is written. Without a frame its methods tell."""
    if frame is not None:
        setattr(cls, _PLACE, Place(frame.f_code.co_filename, frame.f_lineno))


def share_place(cls: type, original: type) -> None:
    """Say that `cls`, which was made by a program, is written where `original` is."""
    setattr(cls, _PLACE, place_of(original))


def fingerprint(cls: type) -> str:
    """A hash of the source of `cls` and of its base classes that are the user's own.

    Equal text gives an equal hash, in whichever cell or class object; the functions that the class calls do not
    count. A class whose text is nowhere (exec, `%%time`) is hashed by its code.
    """
    # Here, for OpenSSL takes 2 ms to load, and the schema of a model needs none.
    import hashlib

    total = hashlib.sha256()
    for part in cls.__mro__:
        if part is cls or _is_users_own(part):
            text = class_text(part)
            total.update((_ADDRESS.sub("", "\n".join(_code_lines(part))) if text is None else text).encode())
            total.update(b"\0")
    return total.hexdigest()


def class_text(cls: type) -> str | None:
    """The text of the class statement with its decorators, indented by nothing, or None where it is nowhere."""
    place = place_of(cls)
    if place is None:
        return None
    if not is_cell(place.filename):
        linecache.checkcache(place.filename)
    lines = linecache.getlines(place.filename)
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        return None
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == cls.__name__]
    if not found:
        return None
    around = [node for node in found if _first_line(node) <= place.line <= (node.end_lineno or node.lineno)]
    # A file that was changed since the class was made has it at other lines.
    node = around[-1] if around else found[-1]
    text = textwrap.dedent("".join(lines[_first_line(node) - 1 : node.end_lineno]))
    return "\n".join(line.rstrip() for line in text.splitlines())


def folder_of(cls: type) -> Path:
    """The folder of the file that holds the class; of a cell or a prompt, the working directory. Absolute."""
    file = file_of(cls)
    return Path.cwd() if file is None else file.parent


def file_of(cls: type) -> Path | None:
    """The file that holds the class, absolute; a notebook's where it was found in one. None for a live cell."""
    place = place_of(cls)
    if place is None:
        return None
    notebook, comma, _ = place.filename.rpartition(", cell ")
    if is_cell(place.filename) and not comma:
        return None
    file = Path(notebook or place.filename).absolute()
    return file if file.is_file() else None


def is_cell(filename: str) -> bool:
    """Whether that is a cell's name: text that stands in linecache and is no file.

    A debugger of JupyterLab writes the cells out as files, so the disk cannot tell.
    """
    if filename.startswith("<"):
        return True
    entry = linecache.cache.get(filename)
    return entry is not None and len(entry) == 4 and entry[1] is None


def _first_line(node: ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def place_of(cls: type) -> Place | None:
    """Where the class statement is, as it was noted when the class was made, or as its methods tell."""
    place = vars(cls).get(_PLACE)
    if isinstance(place, Place):
        return place
    for function in _functions(cls):
        if function.__module__ == cls.__module__ and function.__qualname__.startswith(f"{cls.__qualname__}."):
            return Place(function.__code__.co_filename, function.__code__.co_firstlineno)
    return None


def _functions(cls: type) -> Iterable[FunctionType]:
    for value in vars(cls).values():
        value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        inner = inspect.unwrap(value) if callable(value) else None
        if isinstance(inner, FunctionType):
            yield inner


def _is_users_own(cls: type) -> bool:
    """Neither Python's, nor an installed package's, nor ours."""
    if cls.__module__ == "builtins" or cls.__module__.partition(".")[0] == _OWN_PACKAGE:
        return False
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if file is None:
        return cls.__module__ == "__main__" or place_of(cls) is not None
    paths = sysconfig.get_paths()
    installed = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    return not any(Path(file).is_relative_to(folder) for folder in installed)


def _code_lines(cls: type) -> list[str]:
    """What a class is without its text: names, plain values and byte code; no addresses, no line numbers."""
    lines = [cls.__qualname__]
    for name, value in sorted(vars(cls).items()):
        if name in (_PLACE, "__dict__", "__weakref__", "__module__", "__doc__", "__firstlineno__"):
            continue
        if isinstance(value, (str, int, float, bool, bytes, type(None), tuple, list)):
            lines.append(f"{name} = {value!r}")
        else:
            lines.append(f"{name}: {type(value).__qualname__}")
    for function in _functions(cls):
        lines.append(f"{function.__name__}{function.__defaults__!r}{function.__kwdefaults__!r}")
        lines.extend(_of_code(function.__code__))
    return lines


def _of_code(code: CodeType) -> Iterable[str]:
    constants: list[Any] = [part for part in code.co_consts if not isinstance(part, CodeType)]
    yield f"{code.co_name} {code.co_code.hex()} {constants!r} {code.co_names!r} {code.co_varnames!r}"
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _of_code(part)
