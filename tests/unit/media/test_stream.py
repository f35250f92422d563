from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from reactor_nb.core.buffer import FrameBuffer
from reactor_nb.core.frames import to_block
from reactor_nb.errors import CarrierError, ClosedError
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.stream import Stream
from tests.support.eventually import eventually

SETTINGS = StreamSettings(rate_fps=60.0)
PIXELS = np.full((48, 64, 3), 90, np.uint8)


@pytest.fixture
def failed() -> list[str]:
    return []


@pytest.fixture
def stream(failed: list[str]) -> Iterator[Stream]:
    stream = Stream("test", failed.append)
    yield stream
    assert stream.close() == []


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("reactor-")}


def opened(stream: Stream) -> FrameBuffer:
    """The buffer of a new session."""
    buffer = FrameBuffer(SETTINGS.rate_fps)
    stream.open(SETTINGS, buffer)
    return buffer


def test_each_codec_in_use_has_one_encoder(stream: Stream) -> None:
    got: dict[str, list[EncodedFrame]] = {"a": [], "b": [], "c": []}
    for view_id, codec in (("a", "H264"), ("b", "H264"), ("c", "VP8")):
        stream.attach(view_id, codec, got[view_id].append)
    assert {"reactor-encoder-test-h264", "reactor-encoder-test-vp8"} <= threads()
    opened(stream).put(to_block(PIXELS))
    eventually(lambda: all(got.values()))
    assert got["a"][0] is got["b"][0]
    assert got["c"][0].codec == "VP8"


def test_the_last_view_of_a_codec_takes_its_encoder_along(stream: Stream) -> None:
    stream.attach("a", "H264", lambda frame: None)
    stream.attach("b", "H264", lambda frame: None)
    stream.detach("a")
    assert "reactor-encoder-test-h264" in threads()
    stream.detach("b")
    eventually(lambda: "reactor-encoder-test-h264" not in threads())
    stream.detach("b")


def test_a_new_session_ends_the_clock_of_the_one_before(stream: Stream) -> None:
    before = opened(stream)
    after = opened(stream)
    assert before.is_over
    after.put(to_block(PIXELS))
    eventually(lambda: after.counts().played == 1)
    assert [thread.name for thread in threading.enumerate()].count("reactor-clock-test") == 1


def test_a_session_that_finishes_ends_its_clock(stream: Stream) -> None:
    buffer = opened(stream)
    buffer.put(to_block(PIXELS))
    buffer.finish()
    eventually(lambda: "reactor-clock-test" not in threads())
    assert buffer.counts().played == 1


def test_a_codec_that_fails_is_not_offered_again(stream: Stream, failed: list[str]) -> None:
    def refuse(frame: EncodedFrame) -> None:
        raise RuntimeError("cannot take it")

    stream.attach("a", "H264", refuse)
    opened(stream).put(to_block(PIXELS))
    eventually(lambda: failed == ["H264"])
    assert stream.codecs() == ("VP8",)
    assert stream.codec_errors() == {"H264": "RuntimeError: cannot take it"}
    with pytest.raises(CarrierError, match="Connect again"):
        stream.attach("b", "H264", refuse)


def test_a_closed_stream_refuses_sessions_and_views(stream: Stream) -> None:
    stream.close()
    with pytest.raises(ClosedError):
        stream.open(SETTINGS, FrameBuffer(60.0))
    with pytest.raises(ClosedError):
        stream.attach("a", "H264", lambda frame: None)
