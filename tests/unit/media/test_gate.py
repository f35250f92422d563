"""A view whose road has no room misses a frame before it is encoded, and its chain of frames stays whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from reactor_nb.core.buffer import FrameBuffer
from reactor_nb.core.frames import to_block
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.stream import Stream
from tests.support.eventually import eventually

SETTINGS = StreamSettings(rate_fps=240.0)
PIXELS = np.full((48, 64, 3), 90, np.uint8)


class View:
    """A view with a road: `has_room` says whether that takes a frame, which each frame can fill."""

    def __init__(self, stream: Stream, view_id: str, codec: str = "H264", *, has_room: bool = True) -> None:
        self.got: list[EncodedFrame] = []
        self.asked = 0
        self.has_room = has_room
        self.fills = False
        self._stream, self._view_id = stream, view_id
        stream.attach(view_id, codec, self._take, ready=self._ready)

    def open(self) -> None:
        self.has_room = True
        self._stream.wake(self._view_id)

    def numbers(self) -> list[int]:
        return [frame.number for frame in self.got]

    def _ready(self) -> bool:
        self.asked += 1
        return self.has_room

    def _take(self, frame: EncodedFrame) -> None:
        self.got.append(frame)
        self.has_room = not self.fills


@pytest.fixture
def stream() -> Iterator[Stream]:
    stream = Stream("test", lambda codec: None)
    yield stream
    assert stream.close() == []


@pytest.fixture
def buffer(stream: Stream) -> FrameBuffer:
    buffer = FrameBuffer(SETTINGS.rate_fps)
    stream.open(SETTINGS, buffer)
    return buffer


def play(stream: Stream, buffer: FrameBuffer, frames: int) -> None:
    before = stream.stats()["frames"]["shown"]
    buffer.put(to_block(np.repeat(PIXELS[None], frames, axis=0)))
    eventually(lambda: stream.stats()["frames"]["shown"] == before + frames)


def test_what_no_road_has_room_for_is_not_encoded_and_the_newest_follows_at_once(
    stream: Stream, buffer: FrameBuffer
) -> None:
    view = View(stream, "a", has_room=False)
    play(stream, buffer, 20)
    assert stream.stats()["encoders"]["H264"]["encoded"] == 0
    view.open()
    eventually(lambda: view.numbers() == [19])
    assert view.got[0].is_keyframe
    assert stream.stats()["frames"]["skipped"] == {"road": 19}
    assert stream.stats()["encoders"]["H264"]["held"] == 19
    assert stream.timeline.report()["held"] == {"H264": list(range(19))}


def test_a_slow_road_lowers_the_rate_without_breaking_the_chain_of_frames(stream: Stream, buffer: FrameBuffer) -> None:
    view = View(stream, "a", has_room=False)
    view.fills = True
    for round_trip in range(1, 6):
        play(stream, buffer, 7)
        view.open()
        eventually(lambda trips=round_trip: len(view.got) == trips)  # type: ignore[misc]
    assert view.numbers() == [6, 13, 20, 27, 34]
    assert [frame.is_keyframe for frame in view.got] == [True, False, False, False, False]
    assert stream.stats()["frames"]["skipped"] == {"road": 30}


def test_of_two_roads_one_codec_serves_the_slow_one_misses_frames_and_begins_again_with_a_keyframe(
    stream: Stream, buffer: FrameBuffer
) -> None:
    wide, narrow = View(stream, "wide"), View(stream, "narrow")
    play(stream, buffer, 1)
    eventually(lambda: bool(wide.got and narrow.got))
    narrow.has_room = False
    before = len(narrow.got)
    for _ in range(3):
        reached = len(wide.got)
        play(stream, buffer, 1)
        eventually(lambda reached=reached: len(wide.got) > reached)  # type: ignore[misc]
    assert len(narrow.got) == before
    assert stream.stats()["frames"]["skipped"]["view"] >= 3
    narrow.open()
    eventually(lambda: len(narrow.got) == before + 1)
    assert narrow.got[-1].is_keyframe
    assert narrow.got[-1] is wide.got[-1]
    play(stream, buffer, 1)
    eventually(lambda: len(narrow.got) == before + 2)
    assert not narrow.got[-1].is_keyframe


def test_a_view_without_a_road_of_its_own_gets_what_the_others_miss(stream: Stream, buffer: FrameBuffer) -> None:
    got: list[EncodedFrame] = []
    stream.attach("peer", "H264", got.append)
    shut = View(stream, "a", has_room=False)
    for number in range(5):
        play(stream, buffer, 1)
        eventually(lambda number=number: bool(got) and got[-1].number == number)  # type: ignore[misc]
    assert shut.got == []


def test_a_keyframe_that_was_asked_for_waits_for_room(stream: Stream, buffer: FrameBuffer) -> None:
    view = View(stream, "a")
    play(stream, buffer, 1)
    eventually(lambda: len(view.got) == 1)
    view.has_room = False
    asked = view.asked
    stream.request_keyframe("H264")
    eventually(lambda: view.asked > asked)
    assert len(view.got) == 1
    view.open()
    eventually(lambda: len(view.got) == 2)
    assert view.got[1].is_keyframe


def test_a_view_without_room_is_asked_once_per_frame_and_not_over_and_over(stream: Stream, buffer: FrameBuffer) -> None:
    view = View(stream, "a", has_room=False)
    eventually(lambda: view.asked > 0)
    stream.request_keyframe("H264")
    play(stream, buffer, 5)
    assert view.asked <= 1 + 1 + 1 + 5


def test_waking_who_is_not_there_does_nothing(stream: Stream) -> None:
    stream.wake("nobody")
    assert stream.stats()["views"] == 0


def test_a_view_that_cannot_be_asked_is_detached_and_the_others_go_on(
    stream: Stream, buffer: FrameBuffer, caplog: pytest.LogCaptureFixture
) -> None:
    got: list[EncodedFrame] = []

    def refuse() -> bool:
        raise RuntimeError("cannot be asked")

    stream.attach("peer", "H264", got.append)
    stream.attach("a", "H264", lambda frame: None, ready=refuse)
    play(stream, buffer, 3)
    eventually(lambda: bool(got) and got[-1].number == 2)
    assert stream.stats()["views"] == 1
    assert [record.getMessage() for record in caplog.records] == [
        "View a of test cannot be sent its frames and gets no more."
    ]


def test_a_view_that_comes_back_in_another_codec_leaves_the_first(stream: Stream, buffer: FrameBuffer) -> None:
    first = View(stream, "a", "H264")
    play(stream, buffer, 1)
    eventually(lambda: len(first.got) == 1)
    second = View(stream, "a", "VP8")
    eventually(lambda: len(second.got) == 1)
    assert list(stream.stats()["encoders"]) == ["VP8"]
