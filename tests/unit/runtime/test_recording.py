"""Frames on disk: exact pictures or a clip, all of them, and an early word where they cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from reactor_nb.errors import MediaFileError
from reactor_nb.media.input_file import open_frames
from reactor_nb.runtime import recording as recording_file
from reactor_nb.runtime.recording import Recording, check_out


def _noise(number: int) -> NDArray[np.uint8]:
    return np.random.default_rng(number).integers(0, 256, (20, 30, 3), np.uint8)


def test_a_folder_gets_every_frame_as_an_exact_picture(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "deep" / "frames", 30)
    for number in range(5):
        recording.add(_noise(number))
    folder = recording.close()
    assert folder == recording.close() == tmp_path / "deep" / "frames"
    assert sorted(path.name for path in folder.iterdir()) == [f"frame_{number:06d}.png" for number in range(5)]
    for number in range(5):
        assert np.array_equal(np.asarray(Image.open(folder / f"frame_{number:06d}.png")), _noise(number))


def test_the_frames_of_an_earlier_longer_run_do_not_stay_behind(tmp_path: Path) -> None:
    (tmp_path / "frame_notes.png").write_text("of the user")
    for count in (6, 2):
        recording = Recording(tmp_path, 30)
        for number in range(count):
            recording.add(_noise(number))
        recording.close()
    assert sorted(os.listdir(tmp_path)) == ["frame_000000.png", "frame_000001.png", "frame_notes.png"]


def test_a_run_without_a_frame_takes_nothing_away(tmp_path: Path) -> None:
    (tmp_path / "frame_000000.png").write_text("of an earlier run")
    assert Recording(tmp_path, 30).close() is None
    assert os.listdir(tmp_path) == ["frame_000000.png"]


def test_a_name_with_a_suffix_becomes_a_clip(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "clip.mp4", 30)
    for number in range(4):
        recording.add(np.full((32, 32, 3), 60 * number, np.uint8), number / 15)
    path = recording.close()
    assert path == tmp_path / "clip.mp4"
    assert [round(float(frame.mean()) / 60) for frame in open_frames(path)] == [0, 1, 2, 3]


def test_a_folder_may_have_a_dot_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "run.1").mkdir()
    for out in (tmp_path / "run.1", f"{tmp_path}/run.2/"):
        recording = Recording(out, 30)
        recording.add(_noise(1))
        assert recording.close() == Path(out)


def test_what_waits_is_bounded_and_all_of_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_file, "MOST_WAITING_BYTES", 4000)
    recording = Recording(tmp_path, 30)
    for number in range(30):
        recording.add(_noise(number))
    recording.close()
    assert len(os.listdir(tmp_path)) == 30


def test_a_disk_that_refuses_is_told_of_at_the_next_frame_and_at_the_end(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "frames", 30)
    (tmp_path / "frames").rmdir()
    (tmp_path / "frames").write_text("in the way")
    with pytest.raises(MediaFileError, match=r"frame_000000\.png cannot be written: Not a directory\. Name another"):
        for number in range(10_000):
            recording.add(_noise(number % 4))
    (tmp_path / "frames").unlink()
    (tmp_path / "frames").mkdir()
    with pytest.raises(MediaFileError, match="Not a directory"):
        recording.close()


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        (
            "clip.gif",
            r"clip\.gif cannot be written: .*\.mp4, \.m4v, \.mov, \.mkv.*PNG pictures\. Type: --out clip\.mp4",
        ),
        ("taken", r"taken is a file\. Name a folder, or a video: --out taken\.mp4"),
    ],
)
def test_a_place_that_cannot_be_is_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("")
    with pytest.raises(MediaFileError, match=sentence):
        check_out(out)
    assert os.listdir(tmp_path) == ["taken"]
