"""The lines of `reactor check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reactor_nb.core.check import CheckLine, check_project
from reactor_nb.core.context import get_ctx
from reactor_nb.core.model import VideoModel, model
from tests.unit.core.projects import model_text, write
from tests.unit.core.projects import python_as_before as python_as_before


def lines(project: Any, **options: Any) -> dict[str, CheckLine]:
    return {line.name: line for line in check_project(project, **options)}


def test_a_model_that_works_has_a_line_for_each_part(tmp_path: Path) -> None:
    checked = lines(write(tmp_path, {"model.py": model_text("plasma")}))
    assert list(checked) == ["imports", "decorator", "configuration", "weights", "schema", "frames"]
    assert all(line.is_ok for line in checked.values())
    assert checked["frames"].text.startswith("3 frames of 16x8")
    assert checked["schema"].text == "2 commands: set_level, fail"


def test_a_project_that_cannot_be_imported_has_one_line(tmp_path: Path) -> None:
    checked = lines(write(tmp_path, {"model.py": "import reactor_nb, cv2xyz"}))
    assert list(checked) == ["imports"]
    assert not checked["imports"].is_ok
    assert "pip install cv2xyz" in checked["imports"].text


def test_a_configuration_that_cannot_be_read_leaves_the_frames_untried(tmp_path: Path) -> None:
    text = model_text("plasma").replace('"plasma",', '"plasma", config="no.yaml",')
    checked = lines(write(tmp_path, {"model.py": text}))
    assert not checked["configuration"].is_ok
    assert checked["schema"].is_ok
    assert checked["frames"].text == "not tried: the configuration failed, see above"


def test_weights_that_are_nowhere_are_told_with_the_line_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = model_text("plasma").replace('"plasma",', '"plasma", weights=["lamps"],')
    folder = write(tmp_path / "project", {"model.py": text})
    assert lines(folder)["weights"].text == "lamps is nowhere. Put it there: reactor weights add lamps FOLDER"
    (folder / "weights" / "lamps").mkdir(parents=True)
    (folder / "weights" / "lamps" / "lamp.bin").write_bytes(b"1")
    checked = lines(folder)
    assert checked["weights"].is_ok
    assert checked["frames"].is_ok


def test_overrides_reach_the_dry_session(tmp_path: Path) -> None:
    text = model_text("plasma").replace("self.level = config", "assert config.level == 3\n        self.level = config")
    folder = write(tmp_path, {"model.py": text})
    assert not lines(folder)["frames"].is_ok
    assert lines(folder, overrides=["level=3"])["frames"].is_ok


def test_an_error_of_the_author_is_told_with_its_traceback(tmp_path: Path) -> None:
    text = model_text("plasma").replace(
        "        self.level = config", "        raise OSError('no disk')\n        config"
    )
    frames = lines(write(tmp_path, {"model.py": text}))["frames"]
    assert not frames.is_ok
    assert "__init__ of plasma raised OSError: no disk" in frames.text
    assert 'model.py", line' in frames.text


def test_a_model_that_emits_nothing_is_told_where_it_was(tmp_path: Path) -> None:
    text = model_text("plasma").replace("get_ctx().emit_block(", "print(").replace("print(np", "(np")
    frames = lines(write(tmp_path, {"model.py": text}), frames_timeout_s=0.3)["frames"]
    assert not frames.is_ok
    assert frames.text.startswith("0 of 3 frames came, within 0.3 s; it was here:")
    assert "in start_session" in frames.text


def test_a_model_that_returns_too_early_is_told_so() -> None:
    @model("brief")
    class Brief(VideoModel):
        def start_session(self) -> None:
            get_ctx().emit_block(np.zeros((8, 8, 3), np.uint8))

    assert lines(Brief)["frames"].text == "1 of 3 frames came, start_session returned"


def test_a_model_that_waits_for_a_camera_is_shown_frames() -> None:
    @model("mirror")
    class Mirror(VideoModel):
        newest: Any = None

        def on_frame(self, frame: Any) -> None:
            self.newest = frame

        def start_session(self) -> None:
            while not get_ctx().should_stop():
                frame, self.newest = self.newest, None
                if frame is not None:
                    get_ctx().emit_block(frame)

    assert lines(Mirror)["frames"].text.startswith("3 frames of 640x480")


def test_an_undecorated_class_is_told_what_to_write() -> None:
    checked = lines(type("Plain", (VideoModel,), {"start_session": lambda self: None}))
    assert checked["decorator"].text == 'no @model. Write @model(name="my-model") above class Plain.'


def test_a_line_says_ok_or_failed_and_indents_what_follows() -> None:
    assert str(CheckLine("frames", True, "fine")) == "ok      frames         fine"
    assert str(CheckLine("weights", False, "one\ntwo")) == "FAILED  weights        one\n" + " " * 23 + "two"
