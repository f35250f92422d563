"""Videos and pictures as frames: upright, RGB, in order; and what is none says so."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from reactor_nb.errors import MediaFileError
from reactor_nb.media.input_file import open_frames
from reactor_nb.media.video_file import VideoWriter


def _picture() -> NDArray[np.uint8]:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:10, :15], pixels[:10, 15:], pixels[10:, :15] = (250, 10, 10), (10, 250, 10), (10, 10, 250)
    return pixels


def _clip(path: Path, count: int = 8) -> Path:
    writer = VideoWriter(path, 30)
    for level in range(count):
        writer.write(np.full((64, 64, 3), 20 * level, np.uint8))
    writer.close()
    return path


@pytest.mark.parametrize(
    ("name", "mode", "options", "tolerance"),
    [
        ("a.png", "RGB", {}, 0),
        ("a.PNG", "RGBA", {}, 0),
        ("a.bmp", "RGB", {}, 0),
        ("a.tiff", "RGB", {}, 0),
        ("a.webp", "RGB", {"lossless": True}, 0),
        ("a.jpg", "RGB", {"quality": 98, "subsampling": 0}, 3),
        ("a %04d.png", "RGB", {}, 0),
    ],
)
def test_a_picture_is_one_frame(
    tmp_path: Path, name: str, mode: str, options: dict[str, Any], tolerance: float
) -> None:
    Image.fromarray(_picture()).convert(mode).save(tmp_path / name, **options)
    source = open_frames(tmp_path / name)
    assert source.rate_fps is None
    (frame,) = source
    assert frame.dtype == np.uint8
    assert (frame.shape, frame.flags.c_contiguous) == ((20, 30, 3), True)
    assert np.abs(frame.astype(int) - _picture()).mean() <= tolerance


def test_gray_pictures_come_as_rgb(tmp_path: Path) -> None:
    Image.new("L", (6, 4), 90).save(tmp_path / "a.png")
    (frame,) = open_frames(tmp_path / "a.png")
    assert frame.shape == (4, 6, 3)
    assert (frame == 90).all()


def test_a_folder_gives_its_pictures_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 100, 1):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"view_{number}.png")
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "readme.md").write_text("")
    assert [int(frame[0, 0, 0]) for frame in open_frames(tmp_path)] == [1, 9, 10, 100]


def test_a_turned_video_comes_upright(tmp_path: Path) -> None:
    upright = np.repeat(np.repeat(_picture(), 4, axis=0), 4, axis=1)
    writer = VideoWriter(tmp_path / "clip.mp4", 30)
    writer.write(upright)
    writer.close()
    box = (tmp_path / "clip.mp4").read_bytes()
    # The matrix of the track header: identity becomes a quarter turn clockwise, as a phone writes it.
    identity = b"".join(value.to_bytes(4, "big", signed=True) for value in (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    turned = b"".join(value.to_bytes(4, "big", signed=True) for value in (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30))
    at = box.rindex(identity)
    (tmp_path / "turned.mp4").write_bytes(box[:at] + turned + box[at + len(identity) :])
    (frame,) = open_frames(tmp_path / "turned.mp4")
    assert np.abs(frame.astype(int) - np.rot90(upright, -1)).mean() < 6


@pytest.mark.parametrize(("height_px", "colorspace"), [(1080, 1), (480, 5)])
def test_an_untagged_video_is_read_as_players_do(tmp_path: Path, height_px: int, colorspace: int) -> None:
    red = np.full((height_px, 640, 3), (220, 30, 30), np.uint8)
    with av.open(str(tmp_path / "untagged.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = 640, height_px, "yuv420p"
        frame = av.VideoFrame.from_ndarray(red, format="rgb24")
        planes = frame.reformat(format="yuv420p", dst_colorspace=colorspace)
        planes.colorspace = 2
        container.mux(stream.encode(planes))
        container.mux(stream.encode())
    (read,) = open_frames(tmp_path / "untagged.mp4")
    assert np.abs(read.astype(int) - red).mean() < 4


def test_an_input_that_is_closed_half_way_lets_go_of_its_file(tmp_path: Path) -> None:
    source = open_frames(_clip(tmp_path / "clip.mp4"))
    assert int(next(iter(source)).mean()) < 5
    source.close()
    source.close()
    assert list(source) == []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("clip.mp4", b"no video at all, only text" * 40, r"clip\.mp4 cannot be read: "),
        ("a.png", b"\x89PNG no picture", r"a\.png"),
        ("empty.mp4", b"", r"empty\.mp4 cannot be read: "),
    ],
)
def test_what_is_no_video_says_so(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaFileError, match=sentence):
        list(open_frames(tmp_path / name))


def test_a_sound_without_a_picture_says_so(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "tone.wav"), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(MediaFileError, match=r"tone\.wav has no picture, only audio\. Name a video"):
        open_frames(tmp_path / "tone.wav")


def test_a_place_without_pictures_says_so(tmp_path: Path) -> None:
    with pytest.raises(MediaFileError, match=r"in\.mp4 is not there\. Name a video or a folder of pictures"):
        open_frames(tmp_path / "in.mp4")
    with pytest.raises(MediaFileError, match=r"has no pictures \(\.bmp, .*\)\. Name another folder, or a video"):
        open_frames(tmp_path)
