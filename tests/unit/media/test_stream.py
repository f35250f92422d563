from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb.core.buffer import FrameBuffer
from reactor_nb.core.frames import to_block
from reactor_nb.errors import CarrierError, ClosedError
from reactor_nb.media import encoder_thread
from reactor_nb.media.encoders import EncodedFrame, Encoder
from reactor_nb.media.h264 import H264Encoder
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


def test_how_long_frames_wait_for_their_time_is_known(stream: Stream) -> None:
    opened(stream).put(to_block(np.repeat(PIXELS[None], 12, axis=0)))
    eventually(lambda: stream.timeline.summary()["shown"] == 12)
    assert 0.02 < stream.wait_s < 12 / SETTINGS.rate_fps
    opened(stream)
    assert stream.wait_s == 0.0


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


def test_a_codec_that_fails_is_not_offered_again(
    stream: Stream, failed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: H264Encoder, *given: Any) -> None:
        raise RuntimeError("cannot take it")

    assert stream.codecs() == ("H264", "VP8")
    monkeypatch.setattr(H264Encoder, "encode", refuse)
    stream.attach("a", "H264", lambda frame: None)
    opened(stream).put(to_block(PIXELS))
    eventually(lambda: failed == ["H264"])
    assert stream.codecs() == ("VP8",)
    assert stream.codec_errors() == {"H264": "RuntimeError: cannot take it"}
    with pytest.raises(CarrierError, match="Connect again"):
        stream.attach("b", "H264", lambda frame: None)


def test_a_view_that_cannot_be_sent_frames_is_detached_and_the_others_go_on(
    stream: Stream, failed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    got: list[EncodedFrame] = []
    tried: list[EncodedFrame] = []

    def refuse(frame: EncodedFrame) -> None:
        tried.append(frame)
        raise RuntimeError("cannot be sent")

    stream.attach("a", "H264", refuse)
    stream.attach("b", "H264", got.append)
    buffer = opened(stream)
    for _ in range(3):
        before = len(got)
        buffer.put(to_block(PIXELS))
        eventually(lambda before=before: len(got) > before)  # type: ignore[misc]
    assert (failed, stream.codec_errors(), stream.stats()["views"], len(tried)) == ([], {}, 1, 1)
    assert [record.getMessage() for record in caplog.records] == [
        "View a of test cannot be sent its frames and gets no more."
    ]


def test_a_closed_stream_refuses_sessions_and_views(stream: Stream) -> None:
    stream.close()
    with pytest.raises(ClosedError):
        stream.open(SETTINGS, FrameBuffer(60.0))
    with pytest.raises(ClosedError):
        stream.attach("a", "H264", lambda frame: None)


def rate_bps(stream: Stream, codec: str = "H264") -> int:
    rate: int = stream.stats()["encoders"][codec]["rate_bps"]
    return rate


def test_the_narrowest_road_of_a_codec_counts(stream: Stream) -> None:
    for view_id, codec in (("a", "H264"), ("b", "H264"), ("c", "VP8")):
        stream.attach(view_id, codec, lambda frame: None)
    assert rate_bps(stream) == SETTINGS.max_bitrate_bps
    stream.follow("a", 3_000_000)
    stream.follow("b", 2_000_000)
    stream.follow("c", 1_000_000)
    stream.follow("nobody", 100_000)
    assert (rate_bps(stream), rate_bps(stream, "VP8")) == (2_000_000, 1_000_000)
    stream.detach("b")
    assert rate_bps(stream) == 3_000_000
    stream.follow("a", 100_000_000)
    assert rate_bps(stream) == SETTINGS.max_bitrate_bps


def test_a_size_that_no_codec_takes_is_named_and_the_next_session_plays(stream: Stream, failed: list[str]) -> None:
    got: list[EncodedFrame] = []
    stream.attach("a", "VP8", got.append)
    stream.attach("b", "H264", got.append)
    opened(stream).put(to_block(np.zeros((16, 16400, 3), np.uint8)))
    eventually(lambda: set(failed) == {"VP8", "H264"})
    assert stream.codecs() == ()
    assert "cannot be encoded at 16400 x 16 pixels" in stream.codec_errors()["VP8"]
    with pytest.raises(CarrierError, match="16400 x 16 pixels"):
        stream.attach("a", "VP8", got.append)
    buffer = opened(stream)
    stream.attach("a", "VP8", got.append)
    buffer.put(to_block(PIXELS))
    eventually(lambda: [frame.width_px for frame in got] == [64])


def test_jpeg_goes_by_the_notebooks_connection_only_and_shows_what_no_video_codec_takes(
    stream: Stream, failed: list[str]
) -> None:
    video: list[EncodedFrame] = []
    images: list[EncodedFrame] = []
    assert (stream.codecs(), stream.comm_codecs()) == (("H264", "VP8"), ("H264", "VP8", "JPEG"))
    stream.attach("a", "H264", video.append)
    stream.attach("b", "VP8", video.append)
    stream.attach("c", "JPEG", images.append, ready=lambda: True)
    buffer = opened(stream)
    buffer.put(to_block(np.zeros((16, 16400, 3), np.uint8)))
    eventually(lambda: set(failed) == {"VP8", "H264"})
    eventually(lambda: [frame.width_px for frame in images] == [16400])
    assert (stream.codecs(), stream.comm_codecs()) == ((), ("JPEG",))
    buffer.put(to_block(np.zeros((16, 16402, 3), np.uint8)))
    eventually(lambda: [frame.width_px for frame in images] == [16400, 16402])
    buffer.put(to_block(PIXELS))
    eventually(lambda: images[-1].width_px == 64)
    assert stream.comm_codecs() == ("H264", "VP8", "JPEG")


def test_the_qualities_that_keep_every_colour_offer_it_first_by_the_notebooks_connection_as_well(
    stream: Stream,
) -> None:
    stream.open(StreamSettings(rate_fps=60.0, quality="high"), FrameBuffer(60.0))
    assert stream.comm_codecs() == ("H264-444", "H264", "VP8", "JPEG")


def test_a_size_that_no_codec_takes_costs_its_own_frames_only(stream: Stream, failed: list[str]) -> None:
    got: list[EncodedFrame] = []
    wide = np.zeros((16, 16400, 3), np.uint8)
    buffer = opened(stream)
    stream.attach("a", "H264", got.append)
    buffer.put(to_block(wide))
    eventually(lambda: failed == ["H264"])
    stream.attach("a", "VP8", got.append)
    eventually(lambda: failed == ["H264", "VP8"])
    assert stream.codecs() == ()
    assert stream.stats()["frames"]["skipped"] == {"codec": 1}

    buffer.put(to_block(PIXELS))
    eventually(lambda: stream.codecs() == ("H264", "VP8"))
    assert stream.codec_errors() == {}
    stream.attach("a", "H264", got.append)
    eventually(lambda: [frame.width_px for frame in got] == [64])

    buffer.put(to_block(wide))
    eventually(lambda: stream.stats()["frames"]["skipped"] == {"codec": 2})
    late: list[EncodedFrame] = []
    stream.attach("b", "VP8", late.append)
    eventually(lambda: [frame.width_px for frame in late] == [64])
    buffer.put(to_block(PIXELS))
    eventually(lambda: bool(got) and got[-1].number == 3)
    assert failed == ["H264", "VP8"]


def test_a_frame_that_another_codec_takes_is_not_skipped(
    stream: Stream, failed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[EncodedFrame] = []
    encode = H264Encoder.encode

    def refuse_narrow(self: H264Encoder, pixels: NDArray[np.uint8], *given: Any) -> EncodedFrame | None:
        if pixels.shape[1] == 32:
            raise RuntimeError("cannot take it")
        return encode(self, pixels, *given)

    assert stream.codecs() == ("H264", "VP8")
    monkeypatch.setattr(H264Encoder, "encode", refuse_narrow)
    stream.attach("a", "H264", got.append)
    buffer = opened(stream)
    buffer.put(to_block(PIXELS[:, :32]))
    eventually(lambda: failed == ["H264"])
    assert stream.codecs() == ("VP8",)
    stream.attach("a", "VP8", got.append)
    eventually(lambda: len(got) == 1)
    assert stream.stats()["frames"]["skipped"] == {}


def test_a_codec_that_fails_at_a_size_that_it_took_is_not_offered_for_any(
    stream: Stream, failed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[EncodedFrame] = []

    def refuse(self: H264Encoder, *given: Any) -> None:
        raise RuntimeError("no memory left")

    assert stream.codecs() == ("H264", "VP8")
    stream.attach("a", "H264", got.append)
    buffer = opened(stream)
    buffer.put(to_block(PIXELS))
    eventually(lambda: len(got) == 1)
    monkeypatch.setattr(H264Encoder, "encode", refuse)
    buffer.put(to_block(PIXELS))
    eventually(lambda: failed == ["H264"])
    buffer.put(to_block(PIXELS[:, :32]))
    eventually(lambda: buffer.counts().played == 3)
    assert stream.codec_errors() == {"H264": "RuntimeError: no memory left"}


def test_a_codec_that_cannot_be_opened_is_not_offered_for_any_size(
    stream: Stream, failed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(codec: str, settings: StreamSettings) -> Encoder:
        raise RuntimeError("no such encoder")

    assert stream.codecs() == ("H264", "VP8")
    monkeypatch.setattr(encoder_thread, "open_encoder", refuse)
    stream.attach("a", "H264", lambda frame: None)
    buffer = opened(stream)
    buffer.put(to_block(PIXELS))
    eventually(lambda: failed == ["H264"])
    buffer.put(to_block(PIXELS[:, :32]))
    eventually(lambda: buffer.counts().played == 2)
    assert stream.codec_errors() == {"H264": "RuntimeError: no such encoder"}


def test_a_size_that_changes_every_frame_reaches_every_view(stream: Stream) -> None:
    got: dict[str, list[EncodedFrame]] = {"a": [], "b": []}
    for view_id, codec in (("a", "H264"), ("b", "VP8")):
        stream.attach(view_id, codec, got[view_id].append)
    buffer = opened(stream)
    sizes = [(32 + 2 * n, 64 + n) for n in range(6)]
    for size in sizes:
        buffer.put(to_block(np.full((*size, 3), 90, np.uint8)))
        eventually(
            lambda size=size: all(  # type: ignore[misc]
                frames and (frames[-1].height_px, frames[-1].width_px) == size for frames in got.values()
            )
        )
    for frames in got.values():
        assert list(dict.fromkeys((frame.height_px, frame.width_px) for frame in frames)) == sizes
        assert all(frame.is_keyframe for frame in frames)
