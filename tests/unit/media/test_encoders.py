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

SETTINGS = StreamSettings(rate_fps=30.0)
STEP = 3000


def decode(*frames: EncodedFrame) -> list[NDArray[np.uint8]]:
    decoder = cast(VideoCodecContext, av.CodecContext.create(frames[0].codec.lower(), "r"))
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


@pytest.mark.parametrize("codec", CODECS)
def test_every_frame_comes_out_at_once(codec: str) -> None:
    frames = encode(codec, *(waves(shift) for shift in range(5)))
    assert [frame.is_keyframe for frame in frames] == [True, False, False, False, False]
    assert [frame.rtp_timestamp for frame in frames] == [0, 3000, 6000, 9000, 12000]
    assert len(decode(*frames)) == 5


@pytest.mark.parametrize("codec", CODECS)
def test_a_keyframe_comes_when_asked_for_and_decodes_alone(codec: str) -> None:
    encoder = open_encoder(codec, SETTINGS)
    encoder.encode(waves(0), 0, False)
    encoder.encode(waves(1), STEP, False)
    keyframe = encoder.encode(waves(2), 2 * STEP, True)
    encoder.close()
    assert keyframe is not None and keyframe.is_keyframe
    assert psnr_db(decode(keyframe)[0], waves(2)) > 30


@pytest.mark.parametrize("codec", CODECS)
def test_a_new_size_begins_with_a_keyframe(codec: str) -> None:
    frames = encode(codec, waves(0), waves(1), waves(0, 100, 200), waves(1, 100, 200))
    assert [frame.is_keyframe for frame in frames] == [True, False, True, False]
    assert [(frame.width_px, frame.height_px) for frame in frames[1:3]] == [(320, 240), (200, 100)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (33, 17), (481, 641), (16, 2000)])
def test_every_size_plays_and_keeps_its_name(codec: str, size: tuple[int, int]) -> None:
    pixels = np.full((*size, 3), (90, 160, 40), np.uint8)
    frame = encode(codec, pixels)[0]
    assert (frame.height_px, frame.width_px) == size
    picture = decode(frame)[0][: size[0], : size[1]]
    assert np.abs(picture.astype(int) - pixels).max() <= 0.03 * 255


@pytest.mark.parametrize("codec", CODECS)
def test_a_moving_720p_picture_stays_sharp(codec: str) -> None:
    pictures = [waves(3 * shift, 720, 1280) for shift in range(8)]
    assert psnr_db(decode(*encode(codec, *pictures))[-1], pictures[-1]) > 35


@pytest.mark.parametrize("codec", CODECS)
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


def test_one_thread_carries_720p_at_60_frames() -> None:
    assert thread_count(1280, 720, 60.0) == 1
    assert thread_count(640, 480, 240.0) >= 1
