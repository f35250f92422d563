"""Model files written for the original package: reactor_runtime means reactor_nb, unless it is installed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import pytest

import reactor_nb
from reactor_nb.core.alias import install_alias, remove_alias

PACKAGE = "reactor_runtime"


@pytest.fixture(autouse=True)
def nothing_of_it_stays() -> Iterator[None]:
    """These tests are about a process that has not imported the original."""
    if importlib.util.find_spec(PACKAGE) is not None:
        pytest.skip(f"{PACKAGE} is installed here")
    finders = list(sys.meta_path)
    yield
    remove_alias()
    assert sys.meta_path == finders
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """On the search path."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def original() -> Any:
    return importlib.import_module(PACKAGE)


def test_without_the_alias_there_is_no_such_package() -> None:
    with pytest.raises(ModuleNotFoundError):
        original()


def test_the_names_of_the_original_are_ours() -> None:
    install_alias()
    module = original()
    for name in ("VideoModel", "model", "command", "get_ctx"):
        assert getattr(module, name) is getattr(reactor_nb, name)
    assert module.__all__ == ["VideoModel", "model", "command", "get_ctx"]
    assert importlib.import_module(f"{PACKAGE}.model_api").VideoModel is reactor_nb.VideoModel
    assert importlib.import_module(f"{PACKAGE}.context_api").get_ctx is reactor_nb.get_ctx


def test_what_the_original_has_beside_its_public_names_is_not_there() -> None:
    install_alias()
    with pytest.raises(ModuleNotFoundError, match=f"{PACKAGE}.runtimes"):
        importlib.import_module(f"{PACKAGE}.runtimes")
    assert not hasattr(original(), "MODEL_REGISTRY")


def test_an_installed_package_is_never_shadowed(folder: Path) -> None:
    (folder / PACKAGE).mkdir()
    (folder / PACKAGE / "__init__.py").write_text("mine = 1\n")
    install_alias()
    assert original().mine == 1
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"{PACKAGE}.model_api")


def test_a_finder_that_comes_later_is_asked_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere.py").write_text("mine = 2\n")

    class Later(MetaPathFinder):
        def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
            if fullname == PACKAGE:
                return importlib.util.spec_from_file_location(PACKAGE, folder / "elsewhere.py")
            return None

    install_alias()
    later = Later()
    sys.meta_path.append(later)
    try:
        assert original().mine == 2
    finally:
        sys.meta_path.remove(later)


def test_installing_it_twice_is_installing_it_once() -> None:
    before = len(sys.meta_path)
    install_alias()
    install_alias()
    assert len(sys.meta_path) == before + 1
    remove_alias()
    remove_alias()
    assert len(sys.meta_path) == before


def test_taken_back_the_package_is_gone() -> None:
    install_alias()
    original()
    remove_alias()
    with pytest.raises(ModuleNotFoundError):
        original()
