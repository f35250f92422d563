"""H.264 by the encoder on an NVIDIA card, where it opens; libx264 takes over where it does not.

Untried: no machine of this project had a card with NVENC (A100, H100 and H200 have none; L4, L40 and RTX cards do).
What is tried, with a fake in its place, is that a card which refuses, at first or later, costs no frame.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ClassVar

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from reactor_nb.core.frames import height_of
from reactor_nb.errors import CarrierError, ConfigError
from reactor_nb.media.encoders import EncodedFrame, Encoder, PyAvEncoder, RateRange
from reactor_nb.media.h264 import BUFFER_S, H264Encoder
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.nvenc_switch import SWITCH, is_nvenc_off
from reactor_nb.media.quality import GRADES

LEAST_WIDTH_PX, LEAST_HEIGHT_PX = 160, 64
"""Smaller pictures than about this NVENC refuses, and libx264 encodes in no time."""

_DOWN, _UP = 0.8, 1.4
_SMPTE170M, _LIMITED = 6, 1

_log = logging.getLogger(__name__)


class NvencEncoder(PyAvEncoder):
    """Constrained-baseline H.264 of NVENC: constant quality with a cap, no frame held back."""

    codec: ClassVar[str] = "H264"

    def _range(self, rate_bps: int) -> RateRange:
        return RateRange(round(rate_bps * _DOWN), rate_bps, round(rate_bps * _UP))

    def _open(self, width_px: int, height_px: int, rates: RateRange) -> VideoCodecContext:
        context = self._new_context("h264_nvenc", width_px, height_px)
        context.colorspace = context.color_primaries = context.color_trc = _SMPTE170M
        context.color_range = _LIMITED
        context.bit_rate = rates.opened_bps
        context.options = {
            "preset": "p3",
            "tune": "ull",
            "profile": "baseline",
            "rc": "vbr",
            "cq": str(GRADES[self.settings.quality].nvenc_qp),
            "maxrate": str(rates.opened_bps),
            "bufsize": str(round(rates.opened_bps * BUFFER_S)),
            "zerolatency": "1",
            "delay": "0",
            "bf": "0",
            "forced-idr": "1",
            "no-scenecut": "1",
        }
        context.open()
        return context


@functools.cache
def missing_hardware() -> str:
    """Why no encoder on a card is used here, in a few words, "" if one is. Found by encoding a frame."""
    try:
        if is_nvenc_off():
            return f"{SWITCH} is off"
    except ConfigError as neither:  # told where the model is run; here the media goes on
        return str(neither)
    encoder = NvencEncoder(StreamSettings(rate_fps=30.0))
    try:
        encoded = encoder.encode(np.zeros((256, 256, 3), np.uint8), 0, True)
        return "" if encoded is not None else "NVENC holds frames back here"
    except (CarrierError, av.FFmpegError) as error:
        _log.debug("NVENC does not open: %s", error)
        return f"no NVENC here ({_reason(error)})"
    finally:
        encoder.close()


def _reason(error: BaseException) -> str:
    """What the system said, without the arguments and the log that libavcodec's error carries."""
    cause = error.__cause__ or error
    said = cause.strerror if isinstance(cause, av.FFmpegError) else str(cause)
    return (said or type(cause).__name__).splitlines()[0]


class HardwareFirst:
    """An H.264 encoder on a card, and one on the processor for what the first cannot take.

    After its first failure the card is not asked again: the processor encodes the same frame, as a keyframe.

    Args:
        hardware, software: make the two; each at most once.
    """

    codec: ClassVar[str] = "H264"

    def __init__(
        self,
        settings: StreamSettings,
        hardware: Callable[[StreamSettings], Encoder] = NvencEncoder,
        software: Callable[[StreamSettings], Encoder] = H264Encoder,
    ) -> None:
        self._make_software = functools.partial(software, settings)
        self._hardware: Encoder | None = hardware(settings)
        self._software: Encoder | None = None
        self._rate_bps = settings.max_bitrate_bps
        self._was_small = False

    def encode(self, pixels: NDArray[np.uint8], rtp_timestamp: int, is_keyframe: bool) -> EncodedFrame | None:
        is_small = pixels.shape[1] < LEAST_WIDTH_PX or height_of(pixels) < LEAST_HEIGHT_PX
        is_keyframe, self._was_small = is_keyframe or is_small != self._was_small, is_small
        if self._hardware is not None and not is_small:
            self._hardware.follow(self._rate_bps)
            try:
                return self._hardware.encode(pixels, rtp_timestamp, is_keyframe)
            except (CarrierError, av.FFmpegError, ValueError) as error:
                _log.warning("The encoder of the card failed, the processor takes over: %s", error)
                self._hardware.close()
                self._hardware = None
                is_keyframe = True
        if self._software is None:
            self._software = self._make_software()
        self._software.follow(self._rate_bps)
        return self._software.encode(pixels, rtp_timestamp, is_keyframe)

    def follow(self, rate_bps: int) -> None:
        self._rate_bps = rate_bps

    def close(self) -> None:
        for encoder in (self._hardware, self._software):
            if encoder is not None:
                encoder.close()
