from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from reactor_nb.core.frames import height_of
from reactor_nb.errors import CarrierError
from reactor_nb.media.codecs import CODECS, COMM_CODECS
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.jpeg import FLOOR, JpegEncoder
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.pixels import PlaneConverter
from reactor_nb.media.quality import QUALITIES, Quality

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (90, 160, 40), (0, 0, 0)]


def decode(frame: EncodedFrame) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(frame.payload)).convert("RGB"), np.uint8)


def encoder(quality: Quality = "balanced", rate_bps: int | None = None, fps: float = 30.0) -> JpegEncoder:
    made = JpegEncoder(StreamSettings(rate_fps=fps, quality=quality))
    if rate_bps is not None:
        made.follow(rate_bps)
    return made


def hard(number: int, height_px: int = 480, width_px: int = 640) -> NDArray[np.uint8]:
    """A picture with detail at every size, and grain."""
    random = np.random.default_rng(number)
    picture = np.zeros((height_px, width_px, 3))
    for cell, share in ((1, 0.05), (4, 0.15), (16, 0.3), (64, 0.5)):
        patches = random.integers(0, 255, (height_px // cell + 1, width_px // cell + 1, 3))
        picture += share * np.kron(patches, np.ones((cell, cell, 1)))[:height_px, :width_px]
    return picture.astype(np.uint8)


def planes_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """I420 in limited range, (H * 3 / 2, W)."""
    return np.ascontiguousarray(PlaneConverter().to_planes(pixels).to_ndarray(), np.uint8)


def psnr_db(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other.astype(float)) ** 2)))


def test_webrtc_is_never_offered_it_and_the_notebooks_connection_last() -> None:
    assert "JPEG" not in CODECS
    assert COMM_CODECS[-1] == "JPEG"


def test_every_frame_can_be_decoded_alone_and_keeps_its_name() -> None:
    frames = [encoder().encode(hard(number), number * 3000, False) for number in range(3)]
    assert [frame.is_keyframe for frame in frames] == [True] * 3
    assert [frame.rtp_timestamp for frame in frames] == [0, 3000, 6000]
    assert {(frame.width_px, frame.height_px, frame.rate_fps, frame.codec) for frame in frames} == {
        (640, 480, 30.0, "JPEG")
    }
    assert all(psnr_db(decode(frame), hard(number)) > 25 for number, frame in enumerate(frames))


@pytest.mark.parametrize("quality", ["balanced", "high"])
@pytest.mark.parametrize("colour", COLOURS)
def test_flat_colours_come_back_within_one_percent(quality: Quality, colour: tuple[int, int, int]) -> None:
    flat = np.full((64, 64, 3), colour, np.uint8)
    assert np.abs(decode(encoder(quality).encode(flat, 0, True)).astype(int) - flat).max() <= 0.01 * 255


@pytest.mark.parametrize("colour", COLOURS)
def test_planes_in_limited_range_come_back_as_the_colours_that_they_were_made_of(colour: tuple[int, int, int]) -> None:
    flat = np.full((64, 96, 3), colour, np.uint8)
    frame = encoder().encode(planes_of(flat), 0, True)
    assert (frame.width_px, frame.height_px) == (96, 64)
    assert np.abs(decode(frame).astype(int) - flat).mean() <= 0.01 * 255


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (33, 17), (481, 641), (16, 2000), (3, 16400), (70, 5000)])
@pytest.mark.parametrize("rate_bps", [100_000_000, 250_000])
def test_every_size_plays_on_a_wide_and_on_a_narrow_road(size: tuple[int, int], rate_bps: int) -> None:
    made = encoder(rate_bps=rate_bps)
    pixels = np.full((*size, 3), (90, 160, 40), np.uint8)
    for number in range(3):
        frame = made.encode(pixels, number, False)
        assert (frame.height_px, frame.width_px) == size
        assert np.abs(decode(frame).astype(int) - (90, 160, 40)).max() <= 0.02 * 255


def test_what_no_jpeg_can_be_is_refused_with_its_size() -> None:
    with pytest.raises(CarrierError, match=r"JPEG cannot be encoded at 65600 x 16 pixels"):
        encoder().encode(np.zeros((16, 65600, 3), np.uint8), 0, True)


def test_each_quality_is_sharper_than_the_one_below() -> None:
    sharpness = {quality: psnr_db(decode(encoder(quality).encode(hard(0), 0, True)), hard(0)) for quality in QUALITIES}
    assert sharpness["low"] + 1 < sharpness["balanced"] < sharpness["high"] - 1
    assert sharpness["exact"] > sharpness["balanced"]


def test_the_qualities_that_keep_every_colour_keep_lines_of_one_pixel() -> None:
    lines = np.zeros((240, 320, 3), np.uint8)
    lines[:, ::2] = (255, 0, 0)
    lines[:, 1::2] = (0, 0, 255)
    shown = {
        quality: psnr_db(decode(encoder(quality).encode(lines, 0, True)), lines) for quality in ("balanced", "exact")
    }
    assert shown["exact"] > 30 > 15 > shown["balanced"]


@pytest.mark.parametrize("rate_bps", [16_000_000, 5_000_000, 1_600_000, 500_000])
def test_on_a_narrow_road_ten_frames_a_second_fit_whatever_they_show(rate_bps: int) -> None:
    made = encoder(rate_bps=rate_bps)
    sizes = [len(made.encode(hard(number), number, False).payload) for number in range(12)]
    assert max(sizes) * 8 * 10 < 1.5 * rate_bps
    assert np.mean(sizes[1:]) * 8 * 10 < 1.15 * rate_bps


def test_quality_falls_first_and_then_the_size() -> None:
    sides = []
    for rate_bps in (80_000_000, 20_000_000, 3_000_000, 1_000_000, 300_000):
        made = encoder(rate_bps=rate_bps)
        frames = [made.encode(hard(number), number, False) for number in range(4)]
        sides.append(decode(frames[-1]).shape[1])
        assert {frame.width_px for frame in frames} == {640}
    assert sides[:2] == [640, 640]
    assert sides == sorted(sides, reverse=True)
    assert sides[-1] < 320


def test_a_picture_that_is_easy_keeps_its_quality_on_a_narrow_road() -> None:
    easy = np.full((480, 640, 3), (90, 160, 40), np.uint8)
    easy[100:200, 100:200] = (200, 30, 30)
    narrow, wide = encoder(rate_bps=3_000_000), encoder()
    for number in range(3):
        slow, fast = narrow.encode(easy, number, False), wide.encode(easy, number, False)
    assert slow.payload == fast.payload


def test_a_road_that_becomes_wider_brings_the_size_and_the_quality_back() -> None:
    made, wide = encoder(rate_bps=300_000), encoder()
    for number in range(4):
        made.encode(hard(number), number, False)
    made.follow(80_000_000)
    for number in range(4, 8):
        last, best = made.encode(hard(number), number, False), wide.encode(hard(number), number, False)
    assert decode(last).shape == (480, 640, 3)
    assert len(last.payload) == pytest.approx(len(best.payload), rel=0.02)


def test_a_hard_picture_after_an_easy_one_does_not_choke_the_road() -> None:
    made = encoder(rate_bps=1_600_000)
    for number in range(3):
        made.encode(np.zeros((480, 640, 3), np.uint8), number, False)
    assert len(made.encode(hard(0), 3, False).payload) * 8 * 10 < 1.6 * 1_600_000


def test_the_most_that_a_user_allows_is_kept_at_the_whole_rate() -> None:
    made = JpegEncoder(StreamSettings(rate_fps=30.0, max_bitrate_bps=4_000_000))
    made.follow(1_000_000_000)
    sizes = [len(made.encode(hard(number), number, False).payload) for number in range(12)]
    assert np.mean(sizes[1:]) * 8 * 30 < 1.15 * 4_000_000


@settings(max_examples=40, deadline=None)
@given(
    rate_bps=st.integers(250_000, 200_000_000),
    height_px=st.integers(1, 90),
    width_px=st.integers(1, 90),
    fps=st.floats(1, 120),
    is_planes=st.booleans(),
    seed=st.integers(0, 3),
)
def test_whatever_the_road_and_the_size_a_file_comes_out_that_decodes(
    rate_bps: int, height_px: int, width_px: int, fps: float, is_planes: bool, seed: int
) -> None:
    made = encoder(rate_bps=rate_bps, fps=fps)
    pixels = hard(seed, height_px, width_px)
    given = planes_of(pixels) if is_planes else pixels
    for number in range(2):
        frame = made.encode(given, number, False)
        assert (frame.width_px, frame.height_px) == (given.shape[1], height_of(given))
        shown = decode(frame)
        assert shown.shape[0] <= frame.height_px and shown.shape[1] <= frame.width_px
        assert frame.is_keyframe and len(frame.payload) > FLOOR
