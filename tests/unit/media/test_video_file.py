"""A written clip is what a player shows: size, times, colours; and it is whole or not there."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb.errors import MediaFileError
from reactor_nb.media.input_file import open_frames
from reactor_nb.media.video_file import FORMATS, VideoWriter


def _bands(height_px: int, width_px: int, turn: int = 0) -> NDArray[np.uint8]:
    """Red, green, blue and white areas, the colours of which a wrong matrix moves most."""
    colours = np.array([(220, 30, 30), (30, 200, 40), (30, 60, 220), (240, 240, 240)], np.uint8)
    columns = (np.arange(width_px) * 4 // width_px + turn) % 4
    return np.ascontiguousarray(np.broadcast_to(colours[columns], (height_px, width_px, 3)))


def _ticks(path: Path) -> list[float]:
    """When each frame is shown, in seconds."""
    with av.open(str(path)) as container:
        return [float(frame.time or 0.0) for frame in container.decode(video=0)]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("size_px", [(48, 64), (480, 832), (720, 1280)])
def test_what_is_written_is_read_back_in_its_colours(tmp_path: Path, suffix: str, size_px: tuple[int, int]) -> None:
    writer = VideoWriter(tmp_path / f"clip{suffix}", 30)
    written = [_bands(*size_px, turn) for turn in range(6)]
    for pixels in written:
        writer.write(pixels)
    path = writer.close()
    assert path == tmp_path / f"clip{suffix}"
    clip = open_frames(path)
    assert clip.rate_fps == 30
    read = list(clip)
    assert [frame.shape for frame in read] == [(*size_px, 3)] * 6
    for before, after in zip(written, read, strict=True):
        assert np.abs(before.astype(int) - after).mean() < 4


def test_it_says_how_its_colours_are_to_be_read(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "clip.mp4", 24)
    writer.write(_bands(48, 64))
    writer.close()
    with av.open(str(tmp_path / "clip.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.colorspace, context.color_range) == ("h264", "yuv420p", 6, 1)


def test_without_times_the_frames_are_an_interval_apart(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "clip.mp4", 25)
    for turn in range(10):
        writer.write(_bands(32, 32, turn))
    writer.close()
    assert _ticks(tmp_path / "clip.mp4") == pytest.approx([number / 25 for number in range(10)])


def test_times_are_kept_on_the_grid_and_no_frame_is_lost(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "clip.mp4", 10)
    for at_s in (0.0, 0.104, 0.11, 0.5, 0.98, 1.71):
        writer.write(_bands(32, 32), at_s)
    writer.close()
    assert _ticks(tmp_path / "clip.mp4") == pytest.approx([0.0, 0.1, 0.2, 0.5, 1.0, 1.7])


def test_odd_and_tiny_sizes_are_filled_up_at_the_edge(tmp_path: Path) -> None:
    for size_px, encoded in (((33, 51), (34, 52)), ((4, 6), (16, 16))):
        writer = VideoWriter(tmp_path / "clip.mp4", 30)
        writer.write(np.full((*size_px, 3), (200, 90, 30), np.uint8))
        writer.close()
        (frame,) = open_frames(tmp_path / "clip.mp4")
        assert frame.shape == (*encoded, 3)
        assert np.abs(frame.astype(int) - (200, 90, 30)).max() < 6


def test_a_frame_of_another_size_is_scaled_to_fit_with_black_beside_it(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "clip.mp4", 30)
    writer.write(_bands(64, 64))
    writer.write(np.full((32, 128, 3), 200, np.uint8))
    writer.close()
    _, fitted = open_frames(tmp_path / "clip.mp4")
    assert fitted.shape == (64, 64, 3)
    assert fitted[:20].max() < 12
    assert fitted[44:].max() < 12
    assert abs(int(fitted[32].mean()) - 200) < 6


def test_a_clip_is_whole_or_not_there_and_replaces_the_one_before(tmp_path: Path) -> None:
    clip = tmp_path / "clips" / "clip.mp4"
    for count in (3, 5):
        writer = VideoWriter(clip, 30)
        for _ in range(count):
            writer.write(_bands(32, 32))
        before = len(list(open_frames(clip))) if clip.exists() else 0
        assert before == (0 if count == 3 else 3)
        assert writer.close() == clip
        assert writer.close() == clip
        assert len(list(open_frames(clip))) == count
    assert [path.name for path in clip.parent.iterdir()] == ["clip.mp4"]


def test_without_a_frame_there_is_no_file(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "clip.mp4", 30)
    assert writer.close() is None
    discarded = VideoWriter(tmp_path / "clip.mp4", 30)
    discarded.write(_bands(32, 32))
    discarded.discard()
    discarded.discard()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(MediaFileError, match=r"clip\.gif is no video that can be written; it needs \.mp4, \.m4v"):
        VideoWriter(tmp_path / "clip.gif", 30)
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaFileError, match=r"cannot be written: .*Name a place that can: --out clip\.mp4") as caught:
        VideoWriter(tmp_path / "file" / "clip.mp4", 30)
    assert isinstance(caught.value, OSError)
