"""VideoWriter: frames into an H.264 file that plays everywhere. Written whole, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from reactor_nb.errors import MediaFileError
from reactor_nb.media.encoders import thread_count
from reactor_nb.media.pixels import PlaneConverter, encoded_side_px

FORMATS: Final = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffix of a file that can be written -> the container's name in libavformat."""

CRF = 17
"""Quality at which veryfast looks like the source: a mean error below two levels on a noisy picture."""

_SMPTE_170M = 6


class VideoWriter:
    """Writes (H, W, 3) uint8 RGB frames as H.264, yuv420p, tagged BT.601 limited range.

    The first frame sets the size, odd sides filled up to even ones; frames of another size are scaled to fit, with
    black beside them. The file lies beside its name, as `NAME.part`, until `close`.

    Args:
        path: its suffix is one of FORMATS. An older file of that name is replaced by `close`.
        rate_fps: the grid of times; a steady stream of that rate has a constant frame rate in the file.
    Raises:
        MediaFileError: the suffix, the folder, or an H.264 encoder that is missing.
    Threads: one at a time.
    """

    def __init__(self, path: str | os.PathLike[str], rate_fps: float) -> None:
        self.path = Path(path)
        self.frames = 0
        self._rate = Fraction(rate_fps).limit_denominator(1001)
        self._part = self.path.with_name(self.path.name + ".part")
        self._converter = PlaneConverter()
        self._fitter = VideoReformatter()
        self._size_px: tuple[int, int] | None = None
        self._last_tick = -1
        self._is_closed = False
        format_name = FORMATS.get(self.path.suffix.lower())
        if format_name is None:
            raise MediaFileError(f"{self.path.name} is no video that can be written; it needs {_listed()}: clip.mp4")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._part.touch()  # libavformat opens it with the first packet, which is late to hear that it cannot
            options = {} if format_name == "matroska" else {"movflags": "+faststart"}
            self._container = av.open(str(self._part), "w", format=format_name, options=options)
            self._stream: Any = self._container.add_stream("libx264", rate=self._rate)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._unwritable(error) from error

    def write(self, pixels: NDArray[np.uint8], at_s: float | None = None) -> None:
        """Append a frame, shown from `at_s` seconds after the first; without it, one interval after the last.

        Two frames are at least an interval apart, so that none is lost.

        Raises:
            MediaFileError: the disk is full, or the encoder refuses.
        """
        tick = self._last_tick + 1
        if at_s is not None:
            tick = max(tick, round(at_s * self._rate))
        try:
            if self._size_px is None:
                self._size_px = pixels.shape[:2]
                self._open(*self._size_px)
            frame = self._converter.to_planes(self._fitted(pixels))
            frame.pts = tick
            frame.time_base = 1 / self._rate
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._unwritable(error) from error
        self._last_tick = tick
        self.frames += 1

    def close(self) -> Path | None:
        """Finish the file and put it in its place; None if no frame was written, then there is no file. Idempotent.

        Raises:
            MediaFileError: the disk is full.
        """
        if self._is_closed:
            return self.path if self.frames else None
        if not self.frames:
            self.discard()
            return None
        self._is_closed = True
        try:
            self._container.mux(self._stream.encode())
            self._container.close()
            os.replace(self._part, self.path)
        except (av.FFmpegError, OSError) as error:
            raise self._unwritable(error) from error
        return self.path

    def discard(self) -> None:
        """Leave nothing behind. Idempotent."""
        self._is_closed = True
        with suppress(av.FFmpegError):
            self._container.close()
        self._part.unlink(missing_ok=True)

    def _open(self, height_px: int, width_px: int) -> None:
        context: VideoCodecContext = self._stream.codec_context
        context.width, context.height = encoded_side_px(width_px), encoded_side_px(height_px)
        context.pix_fmt = "yuv420p"
        context.time_base = 1 / self._rate
        context.thread_count = thread_count(width_px, height_px, float(self._rate))
        # Untagged, players take small pictures as BT.601 and large ones as BT.709.
        context.color_primaries = context.color_trc = context.colorspace = _SMPTE_170M
        context.color_range = ColorRange.MPEG
        context.options = {"preset": "veryfast", "crf": str(CRF), "profile": "high"}

    def _fitted(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """At the size of the first frame, the sides in proportion."""
        assert self._size_px is not None
        if pixels.shape[:2] == self._size_px:
            return pixels
        scale = min(want / have for want, have in zip(self._size_px, pixels.shape[:2], strict=True))
        height_px, width_px = (max(1, round(side * scale)) for side in pixels.shape[:2])
        small = self._fitter.reformat(
            av.VideoFrame.from_ndarray(pixels, format="rgb24"),
            width=width_px,
            height=height_px,
            format="rgb24",
            interpolation=Interpolation.BICUBIC,
            threads=1,
        ).to_ndarray()
        fitted = np.zeros((*self._size_px, 3), np.uint8)
        top, left = (self._size_px[0] - height_px) // 2, (self._size_px[1] - width_px) // 2
        fitted[top : top + height_px, left : left + width_px] = small
        return fitted

    def _unwritable(self, error: Exception) -> MediaFileError:
        return MediaFileError(
            f"{self.path} cannot be written: {_reason(error)}. Name a place that can: --out clip.mp4, "
            "or a folder for PNG pictures: --out frames/"
        )


def _listed() -> str:
    return ", ".join(FORMATS)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
