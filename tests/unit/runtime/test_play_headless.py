"""A shell run without a prompt: it plays in real time, ends by itself, and leaves what was asked for."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb import VideoModel, get_ctx, model
from reactor_nb.core.session import Session
from reactor_nb.core.still import Still
from reactor_nb.errors import (
    ConfigError,
    MediaFileError,
    ModelFailedError,
    ModelLoadError,
    ModelStuckError,
    UsageError,
)
from reactor_nb.media.input_file import open_frames
from reactor_nb.media.video_file import VideoWriter
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.input_feed import InputFeed
from reactor_nb.runtime.pageless import PagelessLink
from reactor_nb.runtime.play import play_headless
from reactor_nb.runtime.shown import HeadlessProgress
from tests.support.eventually import eventually


@model(name="count")
class Count(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.most: int = config.get("most", 1 << 30)
        self.block: int = config.get("block", 1)

    def start_session(self) -> None:
        number = 0
        while not get_ctx().should_stop() and number < self.most:
            get_ctx().emit_block(np.full((self.block, 32, 32, 3), 3 * number % 256, np.uint8))
            number += 1


@model(name="mirror")
class Mirror(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.newest: NDArray[np.uint8] = np.zeros((32, 32, 3), np.uint8)
        self.seen = 0

    def on_frame(self, frame: NDArray[np.uint8]) -> None:
        self.newest = frame
        self.seen += 1

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(self.newest)


def _clip(path: Path, count: int) -> Path:
    writer = VideoWriter(path, 50)
    for number in range(count):
        writer.write(np.full((32, 32, 3), 8 * number, np.uint8))
    writer.close()
    return path


def test_so_many_frames_end_in_a_folder(tmp_path: Path) -> None:
    summary = play_headless(Count, frames=9, out=tmp_path / "frames", overrides={"fps": 200})
    assert (summary.name, summary.frames, summary.width_px, summary.height_px) == ("count", 9, 32, 32)
    assert summary.path == tmp_path / "frames"
    assert [int(frame[0, 0, 0]) for frame in open_frames(summary.path)] == [3 * number for number in range(9)]
    assert summary.stats["state"] == "ended"


def test_so_many_seconds_end_in_a_clip_of_that_length(tmp_path: Path) -> None:
    summary = play_headless(Count, duration_s=0.6, out=tmp_path / "clip.mp4", overrides={"fps": 50})
    assert 27 <= summary.frames <= 30
    assert 40 < summary.rate_fps < 55
    assert summary.path == tmp_path / "clip.mp4"
    clip = open_frames(summary.path)
    assert len(list(clip)) == summary.frames


def test_a_block_is_cut_at_the_last_frame() -> None:
    summary = play_headless(Count, frames=5, overrides={"fps": 200, "block": 8})
    assert (summary.frames, summary.path) == (5, None)


def test_a_model_that_returns_ends_the_run_when_all_was_played(tmp_path: Path) -> None:
    summary = play_headless(Count, out=tmp_path, overrides={"fps": 100, "most": 2, "block": 6})
    assert summary.frames == 12
    assert len(os.listdir(tmp_path)) == 12


def test_a_time_limit_holds_where_no_frame_comes_any_more() -> None:
    paused = threading.Event()

    @model(name="pauses")
    class Pauses(VideoModel):
        def start_session(self) -> None:
            get_ctx().emit_block(None)
            while not get_ctx().should_stop():
                paused.wait(0.01)

    assert play_headless(Pauses, duration_s=0.1).frames == 1


def test_progress_is_told_while_it_plays_and_at_the_end() -> None:
    told: list[HeadlessProgress] = []
    sessions: list[Session] = []
    summary = play_headless(
        Count, duration_s=0.5, overrides={"fps": 100}, on_progress=told.append, on_session=sessions.append
    )
    assert len(told) >= 2
    assert told[-1].frames == summary.frames
    assert [progress.frames for progress in told] == sorted(progress.frames for progress in told)
    assert (told[-1].name, told[-1].state, sessions[0].state) == ("count", "ended", "ended")


def test_ctrl_c_finishes_the_clip_and_is_passed_on(tmp_path: Path) -> None:
    def interrupt(progress: HeadlessProgress) -> None:
        if progress.frames >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play_headless(Count, out=tmp_path / "clip.mp4", overrides={"fps": 100}, on_progress=interrupt)
    assert len(list(open_frames(tmp_path / "clip.mp4"))) >= 3


def test_a_model_that_fails_leaves_what_it_made(tmp_path: Path) -> None:
    @model(name="fails")
    class Fails(Count):
        def start_session(self) -> None:
            super().start_session()
            raise ZeroDivisionError("at the end")

    with pytest.raises(ModelFailedError, match="at the end") as caught:
        play_headless(Fails, out=tmp_path / "clip.mp4", overrides={"fps": 100, "most": 4})
    assert "raise ZeroDivisionError" in caught.value.traceback_text
    assert os.listdir(tmp_path) == ["clip.mp4"]


def test_a_model_that_cannot_load_writes_nothing(tmp_path: Path) -> None:
    @model(name="broken")
    class Broken(Count):
        def __init__(self, config: Any = None) -> None:
            raise OSError("no weights")

    with pytest.raises(ModelLoadError, match="no weights"):
        play_headless(Broken, frames=3, out=tmp_path / "clip.mp4")
    assert os.listdir(tmp_path) == []


def test_a_model_without_a_frame_is_given_up() -> None:
    never = threading.Event()

    @model(name="idle")
    class Idle(VideoModel):
        def start_session(self) -> None:
            while not get_ctx().should_stop():
                never.wait(0.01)

    with pytest.raises(ModelStuckError, match=r"idle has emitted no frame after its first 0 for 0\.2 s"):
        play_headless(Idle, frames=3, timeout_s=0.2)


def test_a_disk_that_refuses_ends_the_run(tmp_path: Path) -> None:
    def spoil(progress: HeadlessProgress) -> None:
        frames = tmp_path / "frames"
        if frames.is_dir():
            frames.rename(tmp_path / "moved")
            frames.write_text("in the way")

    with pytest.raises(MediaFileError, match="cannot be written: Not a directory"):
        play_headless(Count, out=tmp_path / "frames", overrides={"fps": 100}, on_progress=spoil)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"duration_s": 0.0}, UsageError, r"--for is 0\.0; it needs seconds above 0: --for 3s"),
        ({"frames": 0}, UsageError, "--frames is 0; it needs a count of at least 1: --frames 90"),
        ({"out": "clip.gif"}, MediaFileError, r"clip\.gif cannot be written"),
        ({"input": "in.mp4"}, UsageError, "Count takes no frames"),
        ({"config": "missing.yaml"}, ConfigError, r"missing\.yaml"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_loaded(
    arguments: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        play_headless(Count, **arguments)


def test_a_video_goes_through_the_model_frame_by_frame(tmp_path: Path) -> None:
    source = _clip(tmp_path / "in.mp4", 20)
    told: list[HeadlessProgress] = []
    summary = play_headless(Mirror, input=source, out=tmp_path / "out.mp4", on_progress=told.append)
    out = open_frames(tmp_path / "out.mp4")
    assert out.rate_fps == 50
    assert [round(float(frame.mean()) / 8) for frame in out] == list(range(20))
    assert summary.frames == told[-1].frames == 20
    shorter = play_headless(Mirror, input=source, out=tmp_path / "frames", frames=4)
    assert shorter.frames == len(os.listdir(tmp_path / "frames")) == 4


def test_with_a_duration_a_video_is_played_to_the_model_as_a_camera(tmp_path: Path) -> None:
    source = _clip(tmp_path / "in.mp4", 10)
    summary = play_headless(Mirror, input=source, out=tmp_path / "frames", duration_s=0.5, overrides={"fps": 50})
    levels = [round(float(frame.mean()) / 8) for frame in open_frames(tmp_path / "frames")]
    assert levels == sorted(levels)
    assert levels[-1] == 9
    assert summary.stats["shown_frames"] >= 5


def test_an_input_that_is_damaged_further_on_is_noted_and_the_session_goes_on(tmp_path: Path) -> None:
    Still(np.full((8, 8, 3), 9, np.uint8), 0).save(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(b"no picture")
    runtime = Runtime(PagelessLink)
    try:
        session = runtime.run(Mirror, overrides={"fps": 200})
        feed = InputFeed(session, tmp_path)
        assert eventually(lambda: feed.error)
        assert "the input ends here" in session.log.text()
        frames = session.stats()["produced"]
        assert session.wait(5, frames=frames + 5)
        feed.close()
        feed.close()
    finally:
        runtime.close()
