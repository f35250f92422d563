"""on_frame without a camera: one input frame for each frame that the model makes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb import VideoModel, command, get_ctx, headless, model
from reactor_nb.core.still import Still
from reactor_nb.errors import CommandFailedError, FrameShapeError, FrameTypeError, MediaFileError, UsageError
from reactor_nb.runtime import script as script_file


def _gray(level: int) -> NDArray[np.uint8]:
    return np.full((2, 4, 3), level, np.uint8)


def _levels(frames: list[NDArray[np.uint8]]) -> list[int]:
    return [int(frame[0, 0, 0]) for frame in frames]


@model(name="negative")
class Negative(VideoModel):
    """Emits what it was shown last, inverted."""

    def __init__(self, config: Any = None) -> None:
        self.newest = _gray(0)
        self.offset = 255
        self.threads: set[str] = set()

    @command("offset")
    def set_offset(self, value: int) -> None:
        self.offset = value

    def on_frame(self, frame: NDArray[np.uint8]) -> None:
        self.newest = self.offset - frame
        get_ctx().send({"seen": int(frame[0, 0, 0]), "on": threading.current_thread().name})

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(self.newest)


@model(name="blocks-of-four")
class BlocksOfFour(VideoModel):
    """Waits until it has four frames, as a model of video does."""

    def __init__(self, config: Any = None) -> None:
        self.waiting: list[NDArray[np.uint8]] = []
        self.pause = threading.Event()

    async def on_frame(self, frame: NDArray[np.uint8]) -> None:
        self.waiting.append(frame)

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            if len(self.waiting) < 4:
                self.pause.wait(0.001)
                continue
            block, self.waiting = self.waiting[:4], self.waiting[4:]
            get_ctx().emit_block(np.stack(block) + 1)


def test_frame_n_is_made_of_input_n() -> None:
    frames, messages, stats = headless(Negative, inputs=[_gray(level) for level in range(10)], frames=10)
    assert _levels(frames) == [255 - level for level in range(10)]
    assert messages == [{"seen": level, "on": "reactor-commands-negative"} for level in range(10)]
    assert (stats["shown_frames"], stats["failed_frames"]) == (10, 0)


def test_without_a_count_there_are_as_many_frames_as_inputs() -> None:
    assert _levels(headless(Negative, inputs=[_gray(1), _gray(2), _gray(3)], frames=None).frames) == [254, 253, 252]


def test_after_the_last_input_the_model_goes_on() -> None:
    assert _levels(headless(Negative, inputs=[_gray(1), _gray(2)], frames=4).frames) == [254, 253, 253, 253]


def test_a_call_for_a_frame_comes_before_its_input() -> None:
    inputs = [_gray(0)] * 4
    assert _levels(headless(Negative, calls=[(2, "offset", {"value": 9})], inputs=inputs, frames=4).frames) == [
        255,
        255,
        9,
        9,
    ]


def test_a_model_that_waits_for_more_input_gets_it_and_misses_none() -> None:
    frames, _, stats = headless(BlocksOfFour, inputs=[_gray(level) for level in range(12)], frames=None)
    assert _levels(frames) == list(range(1, 13))
    assert stats["shown_frames"] == 12


def test_the_frames_that_a_model_is_shown_are_its_own() -> None:
    @model(name="scribbles")
    class Scribbles(Negative):
        def on_frame(self, frame: NDArray[np.uint8]) -> None:
            frame[:] = 77
            self.newest = frame

    shown = _gray(5)
    assert _levels(headless(Scribbles, inputs=[shown], frames=1).frames) == [77]
    assert (shown == 5).all()


def test_endless_inputs_are_taken_one_by_one() -> None:
    taken: list[int] = []

    def camera() -> Iterator[NDArray[np.uint8]]:
        while True:
            taken.append(len(taken))
            yield _gray(taken[-1])

    assert len(headless(Negative, inputs=camera(), frames=5).frames) == 5
    assert taken == [0, 1, 2, 3, 4]


def test_a_folder_of_pictures_is_shown_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        Still(_gray(number), number).save(tmp_path / f"view {number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    assert _levels(headless(Negative, inputs=tmp_path, frames=None).frames) == [254, 253, 245]


def test_inputs_for_a_model_that_takes_none_are_refused() -> None:
    @model(name="blind")
    class Blind(VideoModel):
        def start_session(self) -> None: ...

    with pytest.raises(
        UsageError, match=r"Blind takes no frames\. Add to the class:\n    def on_frame\(self, frame\):"
    ):
        headless(Blind, inputs=[_gray(1)])


@pytest.mark.parametrize(
    ("frame", "error", "sentence"),
    [
        ([[0]], FrameTypeError, "an input frame is a list; it needs an array"),
        (np.zeros((4, 6), np.uint8), FrameShapeError, r"shape \(4, 6\); it needs \(H, W, 3\)"),
        (np.zeros((4, 6, 3), np.float32), FrameTypeError, "dtype float32; it needs uint8"),
    ],
)
def test_an_input_that_is_no_frame_ends_the_run(frame: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        headless(Negative, inputs=[_gray(1), frame], frames=5)


def test_an_on_frame_that_raises_ends_the_run_with_the_authors_traceback() -> None:
    @model(name="picky")
    class Picky(Negative):
        def on_frame(self, frame: NDArray[np.uint8]) -> None:
            raise ValueError("too dark")

    with pytest.raises(CommandFailedError, match="on_frame raised ValueError: too dark") as caught:
        headless(Picky, inputs=[_gray(1)])
    assert "in on_frame" in caught.value.traceback_text


def test_an_iterable_that_raises_is_passed_on_as_it_is() -> None:
    def broken() -> Iterator[NDArray[np.uint8]]:
        yield _gray(1)
        raise ConnectionError("the camera is gone")

    with pytest.raises(ConnectionError, match="the camera is gone"):
        headless(Negative, inputs=broken(), frames=5)


def test_a_file_that_is_not_there_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(MediaFileError, match=r"in\.mp4 is not there\. Name a video or a folder of pictures"):
        headless(Negative, inputs=tmp_path / "in.mp4")


def test_a_model_that_waits_for_input_when_there_is_none_left_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_file, "_END_OF_INPUT_S", 0.05)
    frames, _, stats = headless(BlocksOfFour, inputs=[_gray(level) for level in range(6)], frames=None)
    assert _levels(frames) == [1, 2, 3, 4]
    assert stats["shown_frames"] == 6
