from __future__ import annotations

from typing import cast

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from reactor_nb.media.codecs import CODECS, as_packet, broken_codecs, open_encoder
from reactor_nb.media.encoders import EncodedFrame, thread_count
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.pixels import PlaneConverter
from reactor_nb.media.quality import FULL_COLOUR, QUALITIES

SETTINGS = StreamSettings(rate_fps=30.0)
ALL_CODECS = (*CODECS, FULL_COLOUR)
STEP = 3000


def decode(*frames: EncodedFrame) -> list[NDArray[np.uint8]]:
    name = frames[0].codec.partition("-")[0].lower()
    decoder = cast(VideoCodecContext, av.CodecContext.create(name, "r"))
    return [
        np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
        for frame in frames
        for picture in decoder.decode(as_packet(frame))
    ]


def encode(codec: str, *pictures: NDArray[np.uint8], settings: StreamSettings = SETTINGS) -> list[EncodedFrame]:
    encoder = open_encoder(codec, settings)
    frames = [encoder.encode(pixels, index * STEP, False) for index, pixels in enumerate(pictures)]
    encoder.close()
    assert None not in frames
    return [frame for frame in frames if frame is not None]


def waves(shift_px: int, height_px: int = 240, width_px: int = 320) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:height_px, 0:width_px].astype(float)
    x += shift_px
    planes = (np.sin(x / 20 + y / 30), np.sin(x / 45 - y / 15), np.cos(x / 12))
    return np.stack([127 + 120 * plane for plane in planes], axis=-1).astype(np.uint8)


def psnr_db(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other.astype(float)) ** 2)))


def test_this_machine_encodes_every_codec() -> None:
    assert broken_codecs() == {}


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_every_frame_comes_out_at_once(codec: str) -> None:
    frames = encode(codec, *(waves(shift) for shift in range(5)))
    assert [frame.is_keyframe for frame in frames] == [True, False, False, False, False]
    assert [frame.rtp_timestamp for frame in frames] == [0, 3000, 6000, 9000, 12000]
    assert len(decode(*frames)) == 5


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_a_keyframe_comes_when_asked_for_and_decodes_alone(codec: str) -> None:
    encoder = open_encoder(codec, SETTINGS)
    encoder.encode(waves(0), 0, False)
    encoder.encode(waves(1), STEP, False)
    keyframe = encoder.encode(waves(2), 2 * STEP, True)
    encoder.close()
    assert keyframe is not None and keyframe.is_keyframe
    assert psnr_db(decode(keyframe)[0], waves(2)) > 30


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_a_new_size_begins_with_a_keyframe(codec: str) -> None:
    frames = encode(codec, waves(0), waves(1), waves(0, 100, 200), waves(1, 100, 200))
    assert [frame.is_keyframe for frame in frames] == [True, False, True, False]
    assert [(frame.width_px, frame.height_px) for frame in frames[1:3]] == [(320, 240), (200, 100)]


@pytest.mark.parametrize("codec", ALL_CODECS)
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (33, 17), (481, 641), (16, 2000)])
def test_every_size_plays_and_keeps_its_name(codec: str, size: tuple[int, int]) -> None:
    pixels = np.full((*size, 3), (90, 160, 40), np.uint8)
    frame = encode(codec, pixels)[0]
    assert (frame.height_px, frame.width_px) == size
    picture = decode(frame)[0][: size[0], : size[1]]
    assert np.abs(picture.astype(int) - pixels).max() <= 0.03 * 255


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_a_moving_720p_picture_stays_sharp(codec: str) -> None:
    pictures = [waves(3 * shift, 720, 1280) for shift in range(8)]
    assert psnr_db(decode(*encode(codec, *pictures))[-1], pictures[-1]) > 35


@pytest.mark.parametrize("codec", ALL_CODECS)
@pytest.mark.parametrize("rate_fps", [30.0, 60.0])
def test_the_bitrate_stays_near_its_cap(codec: str, rate_fps: float) -> None:
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 255, (int(rate_fps), 240, 320, 3), dtype=np.uint8)
    settings = StreamSettings(rate_fps, max_bitrate_bps=4_000_000)
    encoder = open_encoder(codec, settings)
    sizes = []
    for index, pixels in enumerate(pictures):
        frame = encoder.encode(pixels, round(index * 90_000 / rate_fps), False)
        assert frame is not None
        sizes.append(len(frame.payload))
    settled = sizes[len(sizes) // 2 :]
    bitrate_bps = sum(settled) * 8 * rate_fps / len(settled)
    assert bitrate_bps < 1.5 * settings.max_bitrate_bps


def test_h264_says_which_colours_it_means() -> None:
    decoder = av.CodecContext.create("h264", "r")
    frame = encode("H264", waves(0))[0]
    picture = decoder.decode(as_packet(frame))[0]
    smpte170m, limited = 6, 1
    assert (picture.colorspace, picture.color_range) == (smpte170m, limited)


def test_a_small_picture_has_one_thread_and_a_larger_one_more_up_to_four_and_the_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    assert [thread_count(*size, 30.0) for size in ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))] == [1, 2, 4, 4]
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert thread_count(3840, 2160, 30.0) == 2


def noise(seed: int, height_px: int = 240, width_px: int = 320) -> NDArray[np.uint8]:
    """What no codec can predict: it takes all the rate that it is given."""
    return np.random.default_rng(seed).integers(0, 255, (height_px, width_px, 3), dtype=np.uint8)


def encoded_at(codec: str, rates_bps: list[int], frames_each: int = 40) -> list[list[EncodedFrame]]:
    """The frames that one encoder makes of noise, while it is told one rate after the other."""
    encoder = open_encoder(codec, StreamSettings(rate_fps=30.0, max_bitrate_bps=max(rates_bps)))
    runs: list[list[EncodedFrame]] = []
    for rate_bps in rates_bps:
        encoder.follow(rate_bps)
        first = sum(map(len, runs))
        frames = [encoder.encode(noise(n), n * STEP, False) for n in range(first, first + frames_each)]
        runs.append([frame for frame in frames if frame is not None])
    encoder.close()
    return runs


def settled_bps(frames: list[EncodedFrame]) -> float:
    settled = [frame for frame in frames[len(frames) // 2 :] if not frame.is_keyframe]
    return sum(len(frame.payload) for frame in settled) * 8 * 30 / len(settled)


def test_h264_follows_the_road_without_a_keyframe() -> None:
    wide, narrow, wider = encoded_at("H264", [4_000_000, 1_200_000, 3_000_000])
    assert settled_bps(wide) == pytest.approx(4_000_000, rel=0.2)
    assert settled_bps(narrow) == pytest.approx(1_200_000, rel=0.3)
    assert settled_bps(wider) == pytest.approx(3_000_000, rel=0.3)
    assert [frame.is_keyframe for frame in (*wide, *narrow, *wider)].count(True) == 1


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_a_road_far_below_opens_the_codec_anew_once(codec: str) -> None:
    wide, narrow = encoded_at(codec, [8_000_000, 800_000], frames_each=60)
    assert [frame.is_keyframe for frame in wide].count(True) == 1
    assert [frame.is_keyframe for frame in narrow].count(True) == 1
    assert settled_bps(narrow) < 1.6 * 800_000


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_a_road_that_wavers_costs_no_keyframe(codec: str) -> None:
    runs = encoded_at(codec, [4_000_000, 3_600_000, 4_000_000, 3_500_000], frames_each=5)
    assert sum(frame.is_keyframe for run in runs for frame in run) == 1


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_a_codec_is_opened_for_another_rate_once_a_second_at_most(codec: str) -> None:
    rates_bps = [16_000_000, *([500_000, 16_000_000] * 15)]
    runs = encoded_at(codec, rates_bps, frames_each=2)
    assert sum(frame.is_keyframe for run in runs for frame in run) <= 1 + len(rates_bps) * 2 // 30


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_each_quality_is_sharper_than_the_one_below(codec: str) -> None:
    pictures = [np.clip(waves(3 * n).astype(int) + noise(n) // 16, 0, 255).astype(np.uint8) for n in range(6)]
    sharpness = {}
    for quality in QUALITIES:
        settings = StreamSettings(rate_fps=30.0, max_bitrate_bps=40_000_000, quality=quality)
        sharpness[quality] = psnr_db(decode(*encode(codec, *pictures, settings=settings))[-1], pictures[-1])
    assert sharpness["low"] + 0.5 < sharpness["balanced"] < sharpness["high"] - 0.5
    assert sharpness["exact"] == sharpness["balanced"]


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_what_stands_still_costs_nearly_nothing(codec: str) -> None:
    frames = encode(codec, *([waves(0)] * 40))
    assert sum(len(frame.payload) for frame in frames[-10:]) < len(frames[0].payload) / 5


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_a_size_that_changes_every_frame_is_a_keyframe_every_time(codec: str) -> None:
    sizes = [(64 + 2 * n, 96 - n) for n in range(12)]
    pictures = [waves(n, *size) for n, size in enumerate(sizes)]
    frames = encode(codec, *pictures)
    assert all(frame.is_keyframe for frame in frames)
    assert [(frame.height_px, frame.width_px) for frame in frames] == sizes
    for frame, picture in zip(frames, pictures, strict=True):
        assert psnr_db(decode(frame)[0][: picture.shape[0], : picture.shape[1]], picture) > 28


@pytest.mark.parametrize("codec", ALL_CODECS)
@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (90, 160, 40), (0, 0, 0)])
def test_flat_colours_come_back_within_one_percent(codec: str, colour: tuple[int, int, int]) -> None:
    flat = np.full((64, 64, 3), colour, np.uint8)
    shown = decode(*encode(codec, flat, flat))[-1]
    assert np.abs(shown.astype(int) - flat).mean() <= 0.01 * 255


@pytest.mark.parametrize("codec", ALL_CODECS)
def test_a_model_slower_than_its_rate_spends_more_on_each_frame(codec: str) -> None:
    cap_bps = 2_000_000
    sizes = {}
    for fps in (30, 10):
        encoder = open_encoder(codec, StreamSettings(rate_fps=30.0, max_bitrate_bps=cap_bps))
        frames = [encoder.encode(noise(n), n * 90_000 // fps, False) for n in range(45)]
        encoder.close()
        payloads = [len(frame.payload) for frame in frames[20:] if frame is not None]
        sizes[fps] = sum(payloads) / len(payloads)
        assert sizes[fps] * 8 * fps < 1.3 * cap_bps
    assert sizes[10] > 1.8 * sizes[30]


def test_one_pause_spends_no_more() -> None:
    encoder = open_encoder("H264", StreamSettings(rate_fps=30.0, max_bitrate_bps=2_000_000))
    ticks = [n * STEP + (n > 30) * 20 * STEP for n in range(45)]
    frames = [encoder.encode(noise(n), at, False) for n, at in enumerate(ticks)]
    encoder.close()
    sizes = [len(frame.payload) for frame in frames if frame is not None]
    assert max(sizes[28:]) < 1.3 * max(sizes[20:28])


def test_full_colour_keeps_lines_of_one_pixel() -> None:
    lines = np.zeros((240, 320, 3), np.uint8)
    lines[:, ::2] = (255, 0, 0)
    lines[:, 1::2] = (0, 0, 255)
    shown = {codec: psnr_db(decode(*encode(codec, lines, lines))[-1], lines) for codec in ("H264", FULL_COLOUR)}
    assert shown[FULL_COLOUR] > 35 > 15 > shown["H264"]


def test_planes_that_are_ready_are_encoded_in_every_codec() -> None:
    flat = np.full((64, 64, 3), (90, 160, 40), np.uint8)
    planes = PlaneConverter().to_planes(flat).to_ndarray()
    for codec in ALL_CODECS:
        shown = decode(*encode(codec, np.ascontiguousarray(planes)))[0]
        assert np.abs(shown.astype(int) - flat).mean() <= 0.01 * 255
