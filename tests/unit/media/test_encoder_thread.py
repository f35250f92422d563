from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from reactor_nb.core.buffer import BufferedFrame
from reactor_nb.media.encoder_thread import KEYFRAME_INTERVAL_S, KEYFRAME_PAUSE_S, EncoderThread, keyframe_pause_s
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.h264 import H264Encoder
from reactor_nb.media.link import StreamSettings
from tests.support.eventually import eventually

SETTINGS = StreamSettings(rate_fps=30.0)


def frame(number: int, pixels: object = None, played_s: float | None = None) -> BufferedFrame:
    shown = np.full((48, 64, 3), number, np.uint8) if pixels is None else pixels
    now_s = time.monotonic() if played_s is None else played_s
    return BufferedFrame(shown, number, now_s, now_s)  # type: ignore[arg-type]


class Lane:
    """An encoder thread, and what it delivered. `gate` holds it inside a delivery."""

    def __init__(self, codec: str = "H264") -> None:
        self.delivered: list[EncodedFrame] = []
        self.at_s: list[float] = []
        self.failures: list[tuple[str, Exception, BufferedFrame | None]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.thread = EncoderThread(
            "test", codec, SETTINGS, time.monotonic(), self._take, lambda *failure: self.failures.append(failure)
        )

    def _take(self, encoded: EncodedFrame) -> None:
        self.delivered.append(encoded)
        self.at_s.append(time.monotonic())
        self.gate.wait(5.0)


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane()
    yield lane
    lane.gate.set()
    lane.thread.close()
    assert lane.thread.join(2.0)


def count(lane: Lane, wanted: int) -> Callable[[], bool]:
    return lambda: len(lane.delivered) == wanted


def test_the_newest_frame_wins_and_the_others_are_counted(lane: Lane) -> None:
    lane.gate.clear()
    lane.thread.show(frame(0))
    eventually(count(lane, 1))
    for number in range(1, 5):
        lane.thread.show(frame(number))
    lane.gate.set()
    eventually(count(lane, 2))
    assert lane.thread.counts()["skipped"] == 3
    assert lane.thread.counts()["encoded"] == 2


def test_a_request_encodes_the_newest_frame_once_more(lane: Lane) -> None:
    lane.thread.show(frame(0))
    eventually(count(lane, 1))
    lane.thread.request_keyframe()
    eventually(count(lane, 2))
    assert lane.delivered[1].is_keyframe
    assert lane.delivered[1].rtp_timestamp > lane.delivered[0].rtp_timestamp


def test_a_request_without_a_frame_waits_for_the_first(lane: Lane) -> None:
    lane.thread.request_keyframe()
    lane.thread.show(frame(0))
    eventually(count(lane, 1))
    assert lane.delivered[0].is_keyframe


def test_keyframes_are_rationed(lane: Lane) -> None:
    lane.thread.show(frame(0))
    eventually(count(lane, 1))
    for _ in range(50):
        lane.thread.request_keyframe()
    eventually(count(lane, 2))
    assert lane.at_s[1] - lane.at_s[0] >= KEYFRAME_INTERVAL_S * 0.9
    assert lane.thread.counts()["keyframes"] == 2


def test_frames_go_on_while_a_keyframe_waits_for_its_time(lane: Lane) -> None:
    lane.thread.show(frame(0))
    eventually(count(lane, 1))
    lane.thread.request_keyframe()
    lane.thread.show(frame(1))
    eventually(count(lane, 2))
    assert not lane.delivered[1].is_keyframe
    eventually(count(lane, 3))
    assert lane.delivered[2].is_keyframe


def test_timestamps_grow_even_where_the_clock_does_not(lane: Lane) -> None:
    played_s = time.monotonic()
    for number in range(3):
        lane.thread.show(frame(number, played_s=played_s))
        eventually(count(lane, number + 1))
    timestamps = [encoded.rtp_timestamp for encoded in lane.delivered]
    assert timestamps == sorted(set(timestamps))


def test_on_a_narrow_road_keyframes_are_rarer() -> None:
    assert keyframe_pause_s(size_bytes=20_000, rate_bps=16_000_000) == KEYFRAME_INTERVAL_S
    assert keyframe_pause_s(size_bytes=50_000, rate_bps=1_000_000) == pytest.approx(0.8)
    assert keyframe_pause_s(size_bytes=200_000, rate_bps=300_000) == KEYFRAME_PAUSE_S


def test_an_encoder_follows_the_road_up_to_the_cap_of_its_settings(lane: Lane) -> None:
    assert lane.thread.counts()["rate_bps"] == SETTINGS.max_bitrate_bps
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    lane.thread.show(frame(0, noise))
    eventually(count(lane, 1))
    lane.thread.follow(400_000)
    assert lane.thread.counts()["rate_bps"] == 400_000
    lane.thread.request_keyframe()
    eventually(count(lane, 2))
    assert len(lane.delivered[1].payload) < len(lane.delivered[0].payload) / 2


def test_new_settings_open_the_encoder_anew(lane: Lane) -> None:
    lane.thread.show(frame(0))
    eventually(count(lane, 1))
    lane.thread.use(StreamSettings(rate_fps=50.0))
    lane.thread.show(frame(1))
    eventually(count(lane, 2))
    assert lane.delivered[1].is_keyframe
    assert lane.delivered[1].rate_fps == 50.0


def test_an_encoder_that_raises_says_so_once_and_ends(lane: Lane) -> None:
    shown = frame(0, pixels="no picture")
    lane.thread.show(shown)
    eventually(lambda: len(lane.failures) == 1)
    codec, error, at = lane.failures[0]
    assert (codec, type(error)) == ("H264", AttributeError)
    assert at is shown
    assert lane.thread.join(2.0)


def test_a_frame_in_hand_when_its_encoder_is_closed_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    encode = H264Encoder.encode

    def slow(self: H264Encoder, *given: Any) -> EncodedFrame | None:
        begun.set()
        assert go_on.wait(5.0)
        return encode(self, *given)

    monkeypatch.setattr(H264Encoder, "encode", slow)
    lane = Lane()
    lane.thread.show(frame(0))
    assert begun.wait(5.0)
    lane.thread.show(frame(1))
    assert lane.thread.close() == 2
    assert lane.thread.close() == 0
    go_on.set()
    assert lane.thread.join(5.0)
    assert (lane.delivered, lane.failures) == ([], [])
