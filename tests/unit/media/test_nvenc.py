"""An encoder on a card, with a fake in its place: a card that refuses, at first or later, costs no frame."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb.errors import CarrierError
from reactor_nb.media.codecs import open_encoder
from reactor_nb.media.encoders import EncodedFrame, Encoder
from reactor_nb.media.h264 import H264Encoder
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.nvenc import HardwareFirst, NvencEncoder, missing_hardware
from reactor_nb.media.nvenc_switch import SWITCH

SETTINGS = StreamSettings(rate_fps=30.0)
PIXELS = np.full((240, 320, 3), (90, 160, 40), np.uint8)
SMALL = np.full((48, 64, 3), 90, np.uint8)


class Card:
    """A card that encodes `takes` frames and then fails, as one does that was reset."""

    codec: ClassVar[str] = "H264"

    def __init__(self, takes: int = 1_000_000) -> None:
        self.takes = takes
        self.encoded: list[bool] = []
        self.rates_bps: list[int] = []
        self.is_closed = False

    def __call__(self, settings: StreamSettings) -> Encoder:
        return self

    def encode(self, pixels: NDArray[np.uint8], rtp_timestamp: int, is_keyframe: bool) -> EncodedFrame | None:
        if len(self.encoded) == self.takes:
            raise CarrierError("H264 cannot be encoded at 320 x 240 pixels: no capable devices found")
        self.encoded.append(is_keyframe)
        return EncodedFrame("H264", b"card", rtp_timestamp, is_keyframe, 320, 240, 30.0)

    def follow(self, rate_bps: int) -> None:
        self.rates_bps.append(rate_bps)

    def close(self) -> None:
        self.is_closed = True


def encoded(encoder: Encoder, *pictures: NDArray[np.uint8]) -> list[EncodedFrame]:
    frames = [encoder.encode(pixels, 3000 * index, False) for index, pixels in enumerate(pictures)]
    encoder.close()
    return [frame for frame in frames if frame is not None]


def test_a_card_that_works_encodes_everything() -> None:
    card = Card()
    frames = encoded(HardwareFirst(SETTINGS, card), *[PIXELS] * 3)
    assert [frame.payload for frame in frames] == [b"card"] * 3
    assert card.is_closed


@pytest.mark.parametrize("takes", [0, 2])
def test_a_card_that_fails_is_replaced_and_no_frame_is_lost(takes: int) -> None:
    card = Card(takes)
    frames = encoded(HardwareFirst(SETTINGS, card), *[PIXELS] * 5)
    assert [frame.rtp_timestamp for frame in frames] == [3000 * index for index in range(5)]
    assert [frame.payload == b"card" for frame in frames] == [True] * takes + [False] * (5 - takes)
    assert [frame.is_keyframe for frame in frames[takes:]] == [True] + [False] * (4 - takes)
    assert len(card.encoded) == takes and card.is_closed


def test_pictures_that_are_too_small_for_a_card_go_past_it() -> None:
    card = Card()
    frames = encoded(HardwareFirst(SETTINGS, card), SMALL, SMALL, PIXELS, PIXELS, SMALL)
    assert [frame.payload == b"card" for frame in frames] == [False, False, True, True, False]
    assert card.encoded == [True, False]
    assert frames[0].is_keyframe and frames[4].is_keyframe


def test_a_log_of_libavcodec_is_left_out_of_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    log: Any = (32, "h264_nvenc", "Cannot load libcuda.so.1\nThe minimum required driver is 570")

    def refuse(self: NvencEncoder, *size: object) -> None:
        raise av.error.PermissionError(1, "Operation not permitted", "avcodec_open2(h264_nvenc)", log)

    monkeypatch.setattr(NvencEncoder, "_open", refuse)
    missing_hardware.cache_clear()
    try:
        assert missing_hardware() == "no NVENC here (Operation not permitted)"
    finally:
        missing_hardware.cache_clear()


def test_both_follow_the_road() -> None:
    card = Card(takes=1)
    encoder = HardwareFirst(SETTINGS, card)
    encoder.follow(700_000)
    noise = [np.random.default_rng(n).integers(0, 255, (240, 320, 3), dtype=np.uint8) for n in range(40)]
    frames = encoded(encoder, *noise)
    assert set(card.rates_bps) == {700_000}
    assert sum(len(frame.payload) for frame in frames[20:]) * 8 * 30 / 20 < 1.5 * 700_000


def test_planes_are_as_small_as_their_picture() -> None:
    card = Card()
    encoder = HardwareFirst(SETTINGS, card)
    # 48 and 64 rows of a picture are 72 and 96 of its planes.
    frames = encoded(encoder, np.full((72, 320), 90, np.uint8), np.full((96, 320), 90, np.uint8))
    assert [frame.payload == b"card" for frame in frames] == [False, True]


def test_a_card_can_be_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "off")
    missing_hardware.cache_clear()
    try:
        assert missing_hardware() == "REACTOR_NB_NVENC is off"
        assert isinstance(open_encoder("H264", SETTINGS), H264Encoder)
    finally:
        missing_hardware.cache_clear()


def test_a_switch_that_is_neither_on_nor_off_leaves_the_card_alone_and_the_media_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SWITCH, "maybe")
    missing_hardware.cache_clear()
    try:
        assert missing_hardware().startswith("REACTOR_NB_NVENC is 'maybe'; it is on or off.")
        assert isinstance(open_encoder("H264", SETTINGS), H264Encoder)
    finally:
        missing_hardware.cache_clear()


def test_without_a_card_the_reason_is_kept_and_libx264_encodes() -> None:
    why = missing_hardware()
    if not why:
        pytest.skip("this machine has an encoder on a card")
    assert re.fullmatch(r"no NVENC here \([^\[\](){}]{1,60}\)", why), "a few words, and not libavcodec's arguments"
    frames = encoded(HardwareFirst(SETTINGS, NvencEncoder, H264Encoder), PIXELS, PIXELS)
    assert [frame.is_keyframe for frame in frames] == [True, False]
