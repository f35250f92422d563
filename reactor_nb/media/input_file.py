"""Frames of a video file, of one picture, or of a folder of pictures, as a model takes them."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from reactor_nb.errors import MediaFileError

PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})

_HD_PX = 720


@dataclass(frozen=True, eq=False)
class InputFrames:
    """Frames of a file: iterate once, then close.

    `rate_fps`: of the video; None for pictures. The frames are (H, W, 3) uint8 RGB, upright, of their own.
    Threads: one at a time.
    """

    path: Path
    rate_fps: float | None
    _frames: Generator[NDArray[np.uint8]]

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return self._frames

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._frames.close()


def open_frames(path: str | os.PathLike[str]) -> InputFrames:
    """The frames of a video, of a picture, or of the pictures of a folder by their names (frame_2 before frame_10).

    Raises:
        MediaFileError: nothing there, or nothing that can be read; iterating raises it for a file that is damaged.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        pictures = sorted(
            (item for item in place.iterdir() if item.suffix.lower() in PICTURES and not item.name.startswith(".")),
            key=lambda item: _natural(item.name),
        )
        if not pictures:
            raise MediaFileError(
                f"{place} has no pictures ({', '.join(sorted(PICTURES))}). "
                "Name another folder, or a video: --input in.mp4"
            )
        return InputFrames(place, None, _pictures(pictures))
    if not place.exists():
        raise MediaFileError(f"{place} is not there. Name a video or a folder of pictures: --input in.mp4")
    container, stream = _opened(place)
    rate = None if place.suffix.lower() in PICTURES else stream.average_rate or stream.guessed_rate
    return InputFrames(place, float(rate) if rate else None, _decoded(place, container, stream))


def _pictures(paths: list[Path]) -> Generator[NDArray[np.uint8]]:
    for path in paths:
        yield from _decoded(path, *_opened(path))


def _opened(path: Path) -> tuple[Any, Any]:
    container = None
    try:
        # Given as a name, the % of a picture's would be read as a pattern of numbers.
        is_picture = path.suffix.lower() in PICTURES
        container = av.open(BytesIO(path.read_bytes()) if is_picture else str(path), metadata_errors="replace")
        if not container.streams.video:
            raise MediaFileError(f"{path} has no picture, only {_kinds(container)}. Name a video: --input in.mp4")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return container, stream
    except (av.FFmpegError, OSError, ValueError) as error:
        if container is not None:
            container.close()
        if isinstance(error, MediaFileError):
            raise
        raise _unreadable(path, error) from error


def _decoded(path: Path, container: Any, stream: Any) -> Generator[NDArray[np.uint8]]:
    count = 0
    try:
        for frame in container.decode(stream):
            yield _upright(frame)
            count += 1
    except (av.FFmpegError, ValueError) as error:
        raise _unreadable(path, error, count) from error
    finally:
        container.close()
    if not count:
        raise MediaFileError(f"{path} has no frame that can be decoded. Name another video: --input in.mp4")


def _upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    untagged = frame.colorspace in (Colorspace.DEFAULT, 2)
    # What players do with untagged video: large pictures are BT.709.
    source = Colorspace.ITU709 if untagged and frame.height >= _HD_PX else None
    pixels: NDArray[Any] = frame.to_ndarray(format="rgb24", src_colorspace=source)
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns) if turns else pixels)


def _natural(name: str) -> list[Any]:
    return [int(part) if part.isdigit() else part.lower() for part in re.split(r"(\d+)", name)]


def _kinds(container: Any) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"


def _unreadable(path: Path, error: Exception, frames: int = 0) -> MediaFileError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    after = f" after frame {frames - 1}" if frames else ""
    return MediaFileError(
        f"{path} cannot be read{after}: {reason}. It needs a video or a picture, such as in.mp4 or frame.png"
    )
