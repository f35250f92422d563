"""Fingerprints and folders of classes that are written in real cells, in files, and nowhere."""

from __future__ import annotations

import atexit
import importlib.util
import linecache
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ipykernel.compiler import XCachingCompiler
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from reactor_nb.core.source import class_text, fingerprint, folder_of, is_cell

PLASMA = """
from reactor_nb import VideoModel, model

@model(name="plasma")
class Plasma(VideoModel):
    def start_session(self):
        return 1
"""

Cell = Callable[[str], dict[str, Any]]


class Kernel(InteractiveShell):
    """The shell, with the names that ipykernel gives to cells."""

    compiler_class = XCachingCompiler


@pytest.fixture(params=[InteractiveShell, Kernel], ids=["ipython", "ipykernel"])
def cell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cell]:
    """Runs the text of one cell in a real shell and returns the user's namespace."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(sys, "displayhook", sys.displayhook)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    config = Config()
    config.HistoryManager.enabled = False
    shell = request.param(config=config)
    # As in a kernel, whose __main__ is no file.
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)

    def run(text: str) -> dict[str, Any]:
        shell.run_cell(textwrap.dedent(text), store_history=True).raise_error()
        namespace: dict[str, Any] = shell.user_ns
        return namespace

    with shell.builtin_trap:
        yield run
    shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)


def test_a_cell_that_is_run_again_has_the_same_fingerprint(cell: Cell) -> None:
    first = cell(PLASMA)["Plasma"]
    second = cell(PLASMA)["Plasma"]
    assert first is not second
    assert fingerprint(first) == fingerprint(second)


def test_the_text_of_a_cells_class_is_found_with_its_decorators(cell: Cell) -> None:
    text = class_text(cell(PLASMA)["Plasma"])
    assert text is not None
    assert text.startswith('@model(name="plasma")\nclass Plasma(VideoModel):')
    assert text.endswith("return 1")


def test_another_cell_with_the_same_class_has_the_same_fingerprint(cell: Cell) -> None:
    first = fingerprint(cell(PLASMA)["Plasma"])
    moved = cell(f"unrelated = 3\n\n{PLASMA}\n# %reactor run\n")["Plasma"]
    assert fingerprint(moved) == first


@pytest.mark.parametrize(
    ("old", "new"),
    [("return 1", "return 2"), ('"plasma")', '"plasma", config="a.yaml")'), ("    def", "    size = 3\n    def")],
)
def test_a_changed_class_has_another_fingerprint(cell: Cell, old: str, new: str) -> None:
    before = fingerprint(cell(PLASMA)["Plasma"])
    assert fingerprint(cell(PLASMA.replace(old, new))["Plasma"]) != before


def test_an_old_class_keeps_its_fingerprint_after_the_cell_changed(cell: Cell) -> None:
    old = cell(PLASMA)["Plasma"]
    before = fingerprint(old)
    cell(PLASMA.replace("return 1", "return 2"))
    assert fingerprint(old) == before


def test_changing_back_gives_the_first_fingerprint_again(cell: Cell) -> None:
    before = fingerprint(cell(PLASMA)["Plasma"])
    cell(PLASMA.replace("return 1", "return 2"))
    assert fingerprint(cell(PLASMA)["Plasma"]) == before


def test_a_base_class_in_another_cell_counts(cell: Cell) -> None:
    base = """
    from reactor_nb import VideoModel, model
    class Base(VideoModel):
        SIZE = 64
    """
    child = """
    @model(name="child")
    class Child(Base):
        def start_session(self): ...
    """
    cell(base)
    before = fingerprint(cell(child)["Child"])
    cell(base)
    assert fingerprint(cell(child)["Child"]) == before
    cell(base.replace("64", "65"))
    assert fingerprint(cell(child)["Child"]) != before


def test_a_mixin_that_is_no_video_model_counts(cell: Cell) -> None:
    mixin = """
    class Zooming:
        def zoom(self):
            return 2
    """
    child = """
    from reactor_nb import VideoModel
    class Child(Zooming, VideoModel):
        def start_session(self): ...
    """
    cell(mixin)
    before = fingerprint(cell(child)["Child"])
    cell(mixin.replace("return 2", "return 3"))
    assert fingerprint(cell(child)["Child"]) != before


def test_a_function_that_the_class_calls_does_not_count(cell: Cell) -> None:
    helper = "def paint():\n    return 1\n"
    cell(helper)
    before = fingerprint(cell(PLASMA.replace("return 1", "return paint()"))["Plasma"])
    cell(helper.replace("1", "2"))
    assert fingerprint(cell(PLASMA.replace("return 1", "return paint()"))["Plasma"]) == before


def test_of_two_classes_of_one_name_in_a_cell_each_has_its_own_text(cell: Cell) -> None:
    namespace = cell(f"{PLASMA}\nFirst = Plasma\n{PLASMA.replace('return 1', 'return 2')}")
    first, second = class_text(namespace["First"]), class_text(namespace["Plasma"])
    assert first is not None and first.endswith("return 1")
    assert second is not None and second.endswith("return 2")


def test_a_stack_of_decorators_belongs_to_the_text(cell: Cell) -> None:
    stacked = """
    from reactor_nb import VideoModel, model
    def tagged(tag):
        def mark(cls):
            cls.tag = tag
            return cls
        return mark

    @tagged(
        "a"
    )
    @model(
        name="stacked",
        author="me",
    )
    @tagged("c")
    class Stacked(VideoModel):
        def start_session(self): ...
    """
    cls = cell(stacked)["Stacked"]
    text = class_text(cls)
    assert text is not None and text.startswith('@tagged(\n    "a"\n)\n@model(') and '@tagged("c")' in text
    before = fingerprint(cls)
    assert fingerprint(cell(stacked)["Stacked"]) == before
    assert fingerprint(cell(stacked.replace('"a"', '"b"'))["Stacked"]) != before


def test_a_class_made_in_a_function_of_a_cell_is_found(cell: Cell) -> None:
    text = """
    from reactor_nb import VideoModel, model
    def make():
        @model(name="inner")
        class Inner(VideoModel):
            def start_session(self):
                return 1
        return Inner
    Inner = make()
    """
    first = cell(text)["Inner"]
    assert fingerprint(first) == fingerprint(cell(text)["Inner"])
    assert fingerprint(first) != fingerprint(cell(text.replace("return 1", "return 2"))["Inner"])


def test_the_folder_of_a_cells_class_is_the_working_directory(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder_of(cell(PLASMA)["Plasma"]) == tmp_path


def test_a_cell_that_a_debugger_wrote_to_disk_is_still_a_cell(cell: Cell, tmp_path: Path) -> None:
    cls = cell(PLASMA)["Plasma"]
    filename = cls.start_session.__code__.co_filename
    if not filename.startswith("<"):
        os.makedirs(os.path.dirname(filename), exist_ok=True)
        Path(filename).write_text(PLASMA)
    assert is_cell(filename)
    assert folder_of(cls) == Path.cwd()
    assert class_text(cls) is not None
    if not filename.startswith("<"):
        os.remove(filename)


def test_a_cell_that_times_itself_has_no_text_and_still_a_fingerprint(cell: Cell) -> None:
    timed = f"%%time\n{PLASMA}"
    first = cell(timed)["Plasma"]
    assert fingerprint(first) == fingerprint(cell(timed)["Plasma"])
    assert fingerprint(first) != fingerprint(cell(timed.replace("return 1", "return 2"))["Plasma"])


def imported(path: Path, text: str) -> Any:
    path.write_text(text)
    linecache.checkcache(str(path))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "plasma_on_disk", raising=False)
    return tmp_path / "models" / "plasma_on_disk.py"


def test_the_folder_of_a_class_in_a_file_is_the_files(file: Path) -> None:
    file.parent.mkdir()
    assert folder_of(imported(file, PLASMA).Plasma) == file.parent


def test_a_file_that_changed_gives_another_fingerprint(file: Path) -> None:
    file.parent.mkdir()
    before = fingerprint(imported(file, PLASMA).Plasma)
    assert fingerprint(imported(file, f"# a line above\n{PLASMA}").Plasma) == before
    assert fingerprint(imported(file, PLASMA.replace("return 1", "return 22")).Plasma) != before


def test_a_base_class_in_a_file_of_the_user_counts(file: Path, tmp_path: Path) -> None:
    file.parent.mkdir()
    base = imported(file, PLASMA).Plasma
    before = fingerprint(type("Child", (base,), {}))
    changed = imported(file, PLASMA.replace("return 1", "return 22")).Plasma
    assert fingerprint(type("Child", (changed,), {})) != before


def executed(text: str) -> Any:
    namespace: dict[str, Any] = {"__name__": "nowhere"}
    exec(compile(text, "<string>", "exec"), namespace)
    return namespace["Plasma"]


def test_a_class_without_source_is_told_apart_by_its_code() -> None:
    first = executed(PLASMA)
    assert class_text(first) is None
    assert fingerprint(first) == fingerprint(executed(PLASMA))
    assert fingerprint(first) == fingerprint(executed(f"\n\n{PLASMA}"))
    for old, new in (
        ("return 1", "return 2"),
        ("(self)", "(self, x=3)"),
        ("    def", "    size = 3\n    def"),
        ("return 1", "return [n for n in (1, 2)]"),
    ):
        assert fingerprint(executed(PLASMA.replace(old, new))) != fingerprint(first)


def test_a_class_without_source_that_has_commands_hashes_without_addresses() -> None:
    text = PLASMA.replace("import VideoModel", "import command, VideoModel") + textwrap.indent(
        textwrap.dedent("""
        @command("go")
        def go(self, speed=object(), points=[1]):
            return lambda: 3
        """),
        "    ",
    )
    assert fingerprint(executed(text)) == fingerprint(executed(text))
    assert fingerprint(executed(text)) != fingerprint(executed(text.replace("lambda: 3", "lambda: 4")))


def test_the_folder_of_a_class_without_source_is_the_working_directory() -> None:
    assert folder_of(executed(PLASMA)) == Path.cwd()
