"""Listing where weights are looked for, adding a folder of them, and folders that have come in part."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from reactor_nb.core.command import command
from reactor_nb.core.context import get_ctx
from reactor_nb.core.model import ModelSpec, VideoModel, model
from reactor_nb.core.weights import WeightPlace, add_weights, find_weights, list_weights
from reactor_nb.errors import WeightsError
from tests.unit.core.stage import staged

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder of this test."""
    monkeypatch.delenv("REACTOR_WEIGHTS_PATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    return tmp_path / "xdg" / "reactor"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model's folder: a class of a test is made as one in a cell is, so it is the working directory."""
    folder = tmp_path / "model"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def dream(folder: Path) -> type[VideoModel]:
    namespace: dict[str, object] = {"VideoModel": VideoModel, "model": model, "__name__": "__main__"}
    text = "@model('dream', weights=['vae'])\nclass Dream(VideoModel):\n    def start_session(self): pass\n"
    exec(compile(text, "<cell>", "exec"), namespace)
    cls = namespace["Dream"]
    assert isinstance(cls, type) and issubclass(cls, VideoModel)
    return cls


def written(path: Path, text: str = "weights") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path.parent


def rows(cls: type[VideoModel]) -> list[tuple[str, str, Path | None]]:
    return [(place.origin, place.state, place.path) for place in list_weights(cls)]


def test_every_place_is_listed_in_the_order_of_look_up(
    dream: type[VideoModel], folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert rows(dream) == [
        ("REACTOR_WEIGHTS_PATH", "missing", None),
        ("beside the model", "missing", folder / "weights" / "vae"),
        ("cache", "missing", cache / "vae"),
        ("weights.yaml", "missing", None),
    ]
    written(cache / "vae" / "model.bin")
    written(folder / "weights" / "vae" / "model.bin")
    monkeypatch.setenv("REACTOR_WEIGHTS_PATH", str(tmp_path / "named"))
    assert rows(dream) == [
        ("REACTOR_WEIGHTS_PATH", "missing", tmp_path / "named" / "vae"),
        ("beside the model", "used", folder / "weights" / "vae"),
        ("cache", "hidden", cache / "vae"),
        ("weights.yaml", "missing", None),
    ]
    assert [place.is_found for place in list_weights(dream)] == [False, True, True, False]
    assert dream.weights("vae") == folder / "weights" / "vae"


def test_a_url_is_listed_before_and_after_it_is_fetched(dream: type[VideoModel], folder: Path, cache: Path) -> None:
    written(folder / "from" / "model.bin")
    written(folder / "weights.yaml", "vae: from/model.bin\n")
    before = list_weights(dream)[-1]
    assert (before.state, before.note, before.path.exists() if before.path else None) == (
        "url",
        str(folder / "from" / "model.bin"),
        False,
    )
    found = dream.weights("vae")
    assert (found.is_relative_to(cache), found.name, (found / "model.bin").read_text()) == (True, "vae", "weights")
    after = list_weights(dream)[-1]
    assert (after.state, after.path, after.note) == ("used", found, f"1 file, 0.007 kB, from {folder}/from/model.bin")
    (found / "model.bin").unlink()
    assert list_weights(dream)[-1].state == "broken"
    with pytest.raises(WeightsError, match=r"is missing, and had 7 bytes"):
        dream.weights("vae")


def test_an_entry_that_cannot_be_read_is_listed_as_broken(dream: type[VideoModel], folder: Path) -> None:
    written(folder / "weights.yaml", "vae: 3\n")
    last = list_weights(dream)[-1]
    assert last.state == "broken" and "vae is 3; it needs a URL" in last.note


def test_a_name_of_the_file_that_is_nearly_the_declared_one_is_asked_about(folder: Path) -> None:
    written(folder / "weights.yaml", "vea: from/model.bin\n")
    with pytest.raises(WeightsError, match=r"weights\.yaml has vea; is vae meant\?"):
        find_weights(ModelSpec("dream", weights=("vae",)), "vae", folder)


def test_a_place_is_a_line_for_people() -> None:
    place = WeightPlace("vae", "cache", Path("/c/vae"), "used", "1 file, 3 kB")
    assert str(place) == f"vae  used     cache: {Path('/c/vae')} (1 file, 3 kB)"
    assert str(WeightPlace("vae", "cache", None, "missing")) == "vae  missing  cache: -"


@pytest.mark.parametrize("name", ["model.safetensors.part", "unet/x.incomplete", "a.crdownload", "a.aria2"])
def test_a_folder_with_an_unfinished_download_is_an_error(name: str, dream: type[VideoModel], folder: Path) -> None:
    file = folder / "weights" / "vae" / name
    written(file)
    with pytest.raises(WeightsError, match=r"is the unfinished file of a download, so .* is not whole\.") as half:
        dream.weights("vae")
    assert str(half.value).endswith(f"rm {file}")
    assert list_weights(dream)[1].state == "broken"


def test_a_stand_in_of_git_is_an_error(dream: type[VideoModel], folder: Path) -> None:
    written(folder / "weights" / "vae" / "model.bin", POINTER)
    with pytest.raises(WeightsError, match=r"model\.bin is git's stand-in .* Type in its repository: git lfs pull"):
        dream.weights("vae")


def test_a_hidden_folder_of_a_tool_does_not_matter(dream: type[VideoModel], folder: Path) -> None:
    written(folder / "weights" / "vae" / ".cache" / "model.bin.incomplete")
    assert dream.weights("vae") == folder / "weights" / "vae"


def test_an_added_folder_is_found_and_stands_for_itself(dream: type[VideoModel], cache: Path, tmp_path: Path) -> None:
    source = written(tmp_path / "download" / "model.bin")
    written(source / "unet" / "b.bin", "b")
    (source / "link.bin").symlink_to("model.bin")
    target = add_weights("vae", source, dream)
    assert target == cache / "vae" == dream.weights("vae")
    assert list(cache.iterdir()) == [target]
    for path in (source / "model.bin", source / "unet" / "b.bin", source / "link.bin"):
        path.unlink()
    assert (target / "model.bin").read_text() == (target / "link.bin").read_text() == "weights"
    assert (target / "unet" / "b.bin").read_text() == "b"


def test_adding_over_what_is_there_is_refused(dream: type[VideoModel], cache: Path, tmp_path: Path) -> None:
    source = written(tmp_path / "download" / "model.bin")
    add_weights("vae", source, dream)
    with pytest.raises(WeightsError, match=r"is there already\. To replace it, type: rm -r .*vae$"):
        add_weights("vae", source, dream)


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("../vae", "download", "has letters, digits, underscores and hyphens"),
        ("vea", "download", r'Did you mean weights\("vae"\)'),
        ("vae", "nowhere", r"is not there; it needs a folder\. Type: reactor weights add vae FOLDER"),
        ("vae", "download/model.bin", "is a file; it needs a folder"),
        ("vae", "half", "is the unfinished file of a download"),
        ("vae", "xdg", "holds the cache folder .*; name the folder of vae alone"),
    ],
)
def test_what_cannot_be_added_is_refused_and_leaves_nothing(
    name: str, source: str, said: str, dream: type[VideoModel], cache: Path, tmp_path: Path
) -> None:
    cache.mkdir(parents=True)
    written(tmp_path / "download" / "model.bin")
    written(tmp_path / "half" / "model.bin.part")
    with pytest.raises(WeightsError, match=said):
        add_weights(name, tmp_path / source, dream)
    assert list(cache.iterdir()) == []


@pytest.fixture
def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """As between two file systems."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)


@pytest.mark.usefixtures("without_links")
def test_where_nothing_can_be_linked_it_is_copied(dream: type[VideoModel], tmp_path: Path) -> None:
    source = written(tmp_path / "download" / "model.bin")
    target = add_weights("vae", source, dream)
    assert (target / "model.bin").read_text() == "weights"
    assert (target / "model.bin").stat().st_nlink == 1


@pytest.mark.usefixtures("without_links")
def test_a_copy_without_room_is_not_begun(
    dream: type[VideoModel], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(tmp_path / "download" / "model.bin")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=3))
    with pytest.raises(WeightsError, match=r"takes 0\.007 kB, and 0\.003 kB are free in .*Set REACTOR_WEIGHTS_PATH to"):
        add_weights("vae", source, dream)
    assert list(cache.iterdir()) == []


def test_a_cache_folder_that_cannot_be_made_is_told(dream: type[VideoModel], cache: Path, tmp_path: Path) -> None:
    source = written(tmp_path / "download" / "model.bin")
    written(cache, "a file")
    with pytest.raises(WeightsError, match=r"cannot be written: File exists\. Set REACTOR_WEIGHTS_PATH"):
        add_weights("vae", source, dream)


def test_a_copy_that_fails_leaves_nothing(dream: type[VideoModel], cache: Path, tmp_path: Path) -> None:
    source = written(tmp_path / "download" / "model.bin")
    (source / "gone.bin").symlink_to("nowhere")
    with pytest.raises(WeightsError, match=r"cannot be copied to"):
        add_weights("vae", source, dream)
    assert list(cache.iterdir()) == []


def test_weights_may_be_asked_for_while_the_model_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REACTOR_WEIGHTS_PATH", str(tmp_path))
    vae = written(tmp_path / "vae" / "model.bin")
    found: list[Path] = []

    @model("late", weights=["vae"])
    class Late(VideoModel):
        @command("reload")
        def reload(self) -> None:
            found.append(VideoModel.weights("vae"))

        def start_session(self) -> None:
            found.append(VideoModel.weights("vae"))
            thread = threading.Thread(target=self.reload)
            thread.start()
            thread.join(5)
            while not get_ctx().should_stop():
                get_ctx().emit_block(np.zeros((4, 6, 3), np.uint8))

    with staged(Late) as stage:
        session = stage.play()
        assert session.wait(5, 1)
        session.send("reload", 5)
    assert found == [vae] * 3


def test_a_class_without_model_has_no_weights_to_list() -> None:
    class Bare(VideoModel):
        def start_session(self) -> None: ...

    with pytest.raises(
        WeightsError, match=r'Bare has no @model that names its weights\. Write @model\(name="my-model"'
    ):
        list_weights(Bare)
