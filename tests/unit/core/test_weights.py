"""Where a named weight folder is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactor_nb.core.model import ModelSpec
from reactor_nb.core.weights import find_weights
from reactor_nb.errors import WeightsError

SPEC = ModelSpec("dream", weights=("dream-weights", "vae"))


@pytest.fixture(autouse=True)
def an_own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REACTOR_WEIGHTS_PATH", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_the_named_folder_comes_first_then_the_models_then_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = made(tmp_path / "home" / ".cache" / "reactor" / "vae")
    assert find_weights(SPEC, "vae", tmp_path) == cache
    beside = made(tmp_path / "weights" / "vae")
    assert find_weights(SPEC, "vae", tmp_path) == beside
    named = made(tmp_path / "named" / "vae")
    monkeypatch.setenv("REACTOR_WEIGHTS_PATH", str(tmp_path / "named"))
    assert find_weights(SPEC, "vae", tmp_path) == named


def test_the_cache_folder_of_the_desktop_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path / "home" / ".cache" / "reactor" / "vae")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    cache = made(tmp_path / "xdg" / "reactor" / "vae")
    assert find_weights(SPEC, "vae", tmp_path) == cache


def test_a_relative_cache_folder_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = made(tmp_path / "home" / ".cache" / "reactor" / "vae")
    monkeypatch.setenv("XDG_CACHE_HOME", "xdg")
    assert find_weights(SPEC, "vae", tmp_path) == cache


def test_the_path_is_absolute_and_a_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = made(tmp_path / "home" / "mine" / "vae")
    monkeypatch.setenv("REACTOR_WEIGHTS_PATH", "~/mine")
    assert find_weights(SPEC, "vae", tmp_path) == named
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REACTOR_WEIGHTS_PATH", "home/mine")
    assert find_weights(SPEC, "vae", tmp_path) == named


def test_a_file_of_that_name_is_no_folder(tmp_path: Path) -> None:
    made(tmp_path / "weights")
    (tmp_path / "weights" / "vae").write_text("")
    with pytest.raises(WeightsError, match="no such folder"):
        find_weights(SPEC, "vae", tmp_path)


def test_weights_that_are_nowhere_say_where_they_were_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REACTOR_WEIGHTS_PATH", str(tmp_path / "named"))
    with pytest.raises(WeightsError, match="no such folder") as missing:
        find_weights(SPEC, "vae", tmp_path)
    for place in ("named/vae", "weights/vae", "home/.cache/reactor/vae"):
        assert str(tmp_path / place) in str(missing.value)
    assert "set REACTOR_WEIGHTS_PATH to the folder that holds vae/" in str(missing.value)
    assert isinstance(missing.value, ValueError)


def test_undeclared_weights_name_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r'only dream-weights, vae\. Did you mean weights\("dream-weights"\)\?'):
        find_weights(SPEC, "dream-weight", tmp_path)


def test_undeclared_weights_say_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r'Write @model\(name="dream", weights=\["dream-weights", "vae", "clip"\]\)'):
        find_weights(SPEC, "clip", tmp_path)
    with pytest.raises(WeightsError, match=r'only none\. Write @model\(name="bare", weights=\["clip"\]\)'):
        find_weights(ModelSpec("bare"), "clip", tmp_path)


@pytest.mark.parametrize("name", ["../vae", "", "a b", "/etc", "vae\n", 3])
def test_what_is_no_folder_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="has letters, digits, underscores and hyphens"):
        find_weights(SPEC, name, tmp_path)
