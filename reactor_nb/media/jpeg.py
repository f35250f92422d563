"""JPEG of each frame, for pages that decode no video themselves: what goes by the notebook's own connection there."""

from __future__ import annotations

import math
from typing import ClassVar, Final

import av
import numpy as np
import simplejpeg
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from reactor_nb.core.frames import height_of
from reactor_nb.errors import CarrierError
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.quality import GRADES, cap_bps

FLOOR: Final = 25
"""The least quality: below it a smaller picture looks better at the same size."""

SOFT: Final = 60
"""Down to this quality every frame is fitted into the rate. Below it frames that come less often look better."""

LEAST_FPS: Final = 10.0
"""How much less often: a frame may take as much of a narrow road as it carries in a tenth of a second."""

SCALES: Final = (1.0, 0.75, 0.5, 0.375, 0.25)
"""Sides of the picture that is encoded, of those of the frame: what the narrowest roads get."""

_LEAST_SIDE_PX: Final = 16
"""A picture is not made smaller than this: swscale spoils the colours of the smallest."""

_AGAIN: Final = 1.3
_STEP_UP: Final = 1.4

_POWER: Final = 0.68
"""Bytes fall with the scale of the quantization tables to this power: within a few percent from quality 25 to 92 on
the benchmark picture at three sizes."""


class JpegEncoder:
    """A JPEG file of each frame: quality first, then size, fitted to what the road carries.

    Every frame can be decoded alone, so a view may miss any. In BT.601 and full range, as JPEG files are; with all
    colours (4:4:4) where the quality asks for it. The file of a narrow road has smaller sides than the frame, whose
    own are `width_px` and `height_px`: the page draws it as large.

    How large a file of some quality will be is known from the one before; one that turns out far too large is made
    once more.
    """

    codec: ClassVar[str] = "JPEG"

    def __init__(self, settings: StreamSettings) -> None:
        self.settings = settings
        self._grade = GRADES[settings.quality]
        self._cap_bps = cap_bps(self.codec, settings)
        self._rate_bps = self._cap_bps
        self._reformatter = VideoReformatter()
        self._scales = list(SCALES)
        self._scale = 1.0
        self._weight = 0.0
        """Bytes per pixel at the quantization tables of quality 50."""

    def encode(self, pixels: NDArray[np.uint8], rtp_timestamp: int, is_keyframe: bool) -> EncodedFrame:
        soft_bytes, hard_bytes = self._room_bytes()
        height_px, width_px = height_of(pixels), pixels.shape[1]
        area_px = width_px * height_px
        self._scales = [scale for scale in SCALES if scale == 1.0 or min(width_px, height_px) * scale >= _LEAST_SIDE_PX]
        quality = self._chosen(area_px, soft_bytes, hard_bytes)
        payload = self._file(pixels, quality)
        self._weigh(len(payload), quality, area_px)
        if len(payload) > _AGAIN * hard_bytes and (quality > FLOOR or self._scale > self._scales[-1]):
            quality = self._chosen(area_px, soft_bytes, hard_bytes)
            payload = self._file(pixels, quality)
            self._weigh(len(payload), quality, area_px)
        return EncodedFrame(
            codec=self.codec,
            payload=payload,
            rtp_timestamp=rtp_timestamp,
            is_keyframe=True,
            width_px=width_px,
            height_px=height_px,
            rate_fps=self.settings.rate_fps,
        )

    def follow(self, rate_bps: int) -> None:
        self._rate_bps = min(rate_bps, self._cap_bps)

    def close(self) -> None:
        """Nothing is kept between frames."""

    def _room_bytes(self) -> tuple[float, float]:
        """What a frame may take if all are sent, and if the road lets no more than LEAST_FPS through. The cap is for
        all of them."""
        fps = self.settings.rate_fps
        soft = self._rate_bps / 8 / fps
        return soft, max(soft, min(self._rate_bps / 8 / LEAST_FPS, self._cap_bps / 8 / fps))

    def _chosen(self, area_px: int, soft_bytes: float, hard_bytes: float) -> int:
        """The quality of the next file; sets the scale of its sides."""
        best = self._grade.jpeg_quality
        if not self._weight:
            return best
        for scale in self._scales:
            # Of one picture in two sizes the smaller has less than its share, and must fit for good.
            margin = _STEP_UP if scale > self._scale else 1.0
            fits = [
                _quality_of(room / (self._weight * area_px * scale**2 * margin)) for room in (soft_bytes, hard_bytes)
            ]
            if fits[1] >= FLOOR or scale == self._scales[-1]:
                break
        self._scale = scale
        return max(min(best, max(fits[0], min(SOFT, fits[1]))), FLOOR)

    def _weigh(self, size_bytes: int, quality: int, area_px: int) -> None:
        self._weight = size_bytes / _tables(quality) ** -_POWER / (area_px * self._scale**2)

    def _file(self, pixels: NDArray[np.uint8], quality: int) -> bytes:
        sampling = "444" if self._grade.is_full_colour else "420"
        try:
            if pixels.ndim == 3 and self._scale == 1.0:
                return bytes(simplejpeg.encode_jpeg(pixels, quality, "RGB", sampling, False))
            planes = self._planes(pixels, "yuvj444p" if sampling == "444" else "yuvj420p")
            return bytes(simplejpeg.encode_jpeg_yuv_planes(*planes, quality, False))
        except ValueError as error:
            size = f"{pixels.shape[1]} x {height_of(pixels)}"
            raise CarrierError(f"JPEG cannot be encoded at {size} pixels: {error}") from error

    def _planes(self, pixels: NDArray[np.uint8], pixel_format: str) -> list[NDArray[np.uint8]]:
        """RGB, or planes in limited range, to the planes of a JPEG file at the scale in use."""
        is_planes = pixels.ndim == 2
        source = av.VideoFrame.from_numpy_buffer(pixels, format="yuv420p" if is_planes else "rgb24")
        frame = self._reformatter.reformat(
            source,
            width=_scaled_px(pixels.shape[1], self._scale),
            height=_scaled_px(height_of(pixels), self._scale),
            format=pixel_format,
            src_colorspace=Colorspace.ITU601,
            dst_colorspace=Colorspace.ITU601,
            src_color_range=ColorRange.MPEG if is_planes else ColorRange.JPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.AREA,
            threads=1,
        )
        return [
            np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width].copy()
            for plane in frame.planes
        ]


def _tables(quality: int) -> float:
    """The scale of the quantization tables that libjpeg makes of a quality: 1 at 50, 2 at 25, 0.4 at 80."""
    return 50 / quality if quality < 50 else (200 - 2 * quality) / 100


def _quality_of(share: float) -> int:
    """The highest quality, 1 to 97, whose files are this share of those of quality 50."""
    scale = max(share, 1e-9) ** (-1 / _POWER)
    quality = 50 / scale if scale > 1 else 100 - 50 * scale
    return int(min(max(quality, 1), 97))


def _scaled_px(side_px: int, scale: float) -> int:
    """Even, as colours are shared by two pixels, unless nothing is scaled."""
    return side_px if scale == 1.0 else math.floor(side_px * scale / 2) * 2
