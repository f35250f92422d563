"""Nothing is lost uncounted: what the clock showed was encoded, passed over by the encoder, or seen by nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from reactor_nb.core.buffer import FrameBuffer
from reactor_nb.core.frames import to_block
from reactor_nb.core.stages import joined
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.stream import Stream
from tests.support.eventually import eventually

SETTINGS = StreamSettings(rate_fps=240.0)
PIXELS = np.full((48, 64, 3), 90, np.uint8)
FRAMES = 30


@pytest.fixture
def stream() -> Iterator[Stream]:
    stream = Stream("test", lambda codec: None)
    yield stream
    assert stream.close() == []


def play(stream: Stream, frames: int = FRAMES) -> None:
    buffer = FrameBuffer(SETTINGS.rate_fps)
    stream.open(SETTINGS, buffer)
    for _ in range(frames):
        buffer.put(to_block(PIXELS))
    eventually(lambda: buffer.counts().played == frames, 5)


def counted(stream: Stream) -> int:
    """Frames that were encoded, or passed over by the encoder."""
    frames = stream.stats()["frames"]
    return int(frames["encoded"] + frames["skipped"].get("encoder", 0))


def test_while_nobody_looks_every_frame_is_unwatched(stream: Stream) -> None:
    play(stream)
    frames = stream.stats()["frames"]
    assert (frames["shown"], frames["unwatched"], frames["encoded"]) == (FRAMES, FRAMES, 0)
    assert frames["skipped"] == {}


def test_a_slow_encoder_passes_frames_over_and_counts_each(stream: Stream) -> None:
    gate = threading.Event()
    got: list[EncodedFrame] = []

    def deliver(frame: EncodedFrame) -> None:
        got.append(frame)
        gate.wait(5)

    stream.attach("a", "H264", deliver)
    try:
        play(stream)
        eventually(lambda: len(got) == 1)
    finally:
        gate.set()

    eventually(lambda: counted(stream) == FRAMES)
    assert stream.stats()["frames"]["skipped"]["encoder"] > 0


def test_a_frame_that_waits_when_the_last_view_leaves_is_unwatched(stream: Stream) -> None:
    gate = threading.Event()
    got: list[EncodedFrame] = []

    def deliver(frame: EncodedFrame) -> None:
        got.append(frame)
        gate.wait(5)

    stream.attach("a", "H264", deliver)
    try:
        play(stream, 1)
        eventually(lambda: len(got) == 1)
        stream.attach("b", "H264", deliver)
        buffer = FrameBuffer(SETTINGS.rate_fps)
        stream.open(SETTINGS, buffer)
        buffer.put(to_block(PIXELS))
        eventually(lambda: stream.stats()["frames"]["shown"] == 1)
        stream.detach("a")
        stream.detach("b")
    finally:
        gate.set()
    assert stream.stats()["frames"]["unwatched"] == 1


def test_a_frame_has_its_times_up_to_the_encoder(stream: Stream) -> None:
    got: list[EncodedFrame] = []
    stream.attach("a", "H264", got.append)
    play(stream, 3)
    eventually(lambda: bool(got) and got[-1].number == 2)
    report = stream.timeline.report()
    rows = joined({**report, "views": {"a": {"codec": "H264", "frames": []}}}, "a")
    for row in rows:
        if row["encoded_s"] is not None:
            assert row["emitted_s"] <= row["converted_s"] <= row["played_s"] <= row["began_s"] <= row["encoded_s"]
            assert row["bytes"] == len(got[[frame.number for frame in got].index(row["number"])].payload)
    assert rows[-1]["encoded_s"] is not None


def test_the_next_session_of_the_name_counts_anew(stream: Stream) -> None:
    stream.attach("a", "H264", lambda frame: None)
    play(stream)
    eventually(lambda: counted(stream) == FRAMES)
    play(stream, 2)
    eventually(lambda: counted(stream) == 2)
    assert [row[0] for row in stream.timeline.report()["frames"]] == [0, 1]
