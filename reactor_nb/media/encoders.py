"""What an encoder is, and what the ones built on PyAV share."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Protocol

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from reactor_nb.core.frames import height_of
from reactor_nb.errors import CarrierError
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.pixels import PlaneConverter

RTP_CLOCK_HZ = 90_000
RTP_TIME_BASE = Fraction(1, RTP_CLOCK_HZ)

FOREVER_FRAMES = 1_000_000
"""The group of pictures: keyframes are sent when asked for, and a periodic one would be a hitch."""

REOPEN_TICKS = RTP_CLOCK_HZ
"""An open codec is not replaced by one of another rate sooner than this, unless a keyframe is due anyway."""

SLOWEST = 4.0
"""A model this many times slower than its rate may spend as much more on each frame, and no slower one more."""

_GAPS = 3
_PIXELS_PER_THREAD_AND_S = 1280 * 720 * 20


@dataclass(frozen=True, slots=True)
class RateRange:
    """The rates, in bits per second, that an open codec serves, and the one that it was opened for."""

    low_bps: int
    opened_bps: int
    high_bps: int

    def holds(self, rate_bps: int) -> bool:
        return self.low_bps <= rate_bps <= self.high_bps


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame, ready to be cut into RTP packets.

    `width_px` and `height_px` are the model's, before padding. `number`: of the frame within its session; the same
    frame may be encoded more than once. `began_s`, `encoded_s`: time.monotonic() around conversion and encoding, set
    by the encoder thread.
    """

    codec: str
    payload: bytes
    rtp_timestamp: int
    is_keyframe: bool
    width_px: int
    height_px: int
    rate_fps: float
    number: int = -1
    began_s: float = math.nan
    encoded_s: float = math.nan


class Encoder(Protocol):
    """Frames of one stream in, one codec out. Threads: the encoder thread that opened it."""

    codec: ClassVar[str]

    def encode(self, pixels: NDArray[np.uint8], rtp_timestamp: int, is_keyframe: bool) -> EncodedFrame | None:
        """Encode (H, W, 3) uint8 RGB, or its planes as in Block; a new size opens the codec anew and gives a keyframe.

        `rtp_timestamp` counts 1/90000 s and must grow. None: the codec kept the frame to itself.
        """

    def follow(self, rate_bps: int) -> None:
        """Spend no more than this from the next frame on. Opens the codec anew only where that must be."""

    def close(self) -> None:
        """Free the codec. Idempotent."""


class PyAvEncoder(ABC):
    """An encoder of libavcodec behind the Encoder protocol."""

    codec: ClassVar[str]
    pixel_format: ClassVar[str] = "yuv420p"

    def __init__(self, settings: StreamSettings) -> None:
        self.settings = settings
        self._converter = PlaneConverter(self.pixel_format)
        self._context: VideoCodecContext | None = None
        self._rate_bps = settings.max_bitrate_bps
        self._rates = RateRange(0, 0, 0)
        self._opened_at = 0
        self._last_timestamp = -1
        self._gaps: deque[int] = deque(maxlen=_GAPS)

    def encode(self, pixels: NDArray[np.uint8], rtp_timestamp: int, is_keyframe: bool) -> EncodedFrame | None:
        frame = self._converter.to_planes(pixels)
        context = self._context_for(frame, rtp_timestamp, is_keyframe)
        frame.pts = rtp_timestamp
        frame.time_base = RTP_TIME_BASE
        frame.pict_type = PictureType.I if is_keyframe else PictureType.NONE
        packets = context.encode(frame)
        if not packets:
            return None
        return EncodedFrame(
            codec=self.codec,
            payload=b"".join(bytes(packet) for packet in packets),
            rtp_timestamp=rtp_timestamp,
            is_keyframe=any(packet.is_keyframe for packet in packets),
            width_px=pixels.shape[1],
            height_px=height_of(pixels),
            rate_fps=self.settings.rate_fps,
        )

    def follow(self, rate_bps: int) -> None:
        self._rate_bps = min(rate_bps, self.settings.max_bitrate_bps)

    def close(self) -> None:
        self._context = None

    def _context_for(self, frame: av.VideoFrame, rtp_timestamp: int, is_keyframe: bool) -> VideoCodecContext:
        """The open codec, told of the road's rate; a new one for another size, or a rate that it cannot serve."""
        context, rates = self._context, self._rates
        is_usable = context is not None and (context.width, context.height) == (frame.width, frame.height)
        if is_usable and not rates.holds(self._rate_bps):
            is_usable = not is_keyframe and rtp_timestamp - self._opened_at < REOPEN_TICKS
        if context is None or not is_usable:
            context = self._context = None  # Freed before the next one is allocated.
            rates = self._rates = self._range(self._rate_bps)
            context = self._opened(frame.width, frame.height, rates)
            self._context, self._opened_at = context, rtp_timestamp
        self._retune(context, max(rates.low_bps, min(self._rate_bps, rates.high_bps)), self._slowness(rtp_timestamp))
        return context

    def _slowness(self, rtp_timestamp: int) -> float:
        """How many times slower than the rate the last frames came, 1 to SLOWEST; one pause does not count."""
        if self._last_timestamp >= 0:
            self._gaps.append(rtp_timestamp - self._last_timestamp)
        self._last_timestamp = rtp_timestamp
        if len(self._gaps) < _GAPS:
            return 1.0
        times = min(self._gaps) * self.settings.rate_fps / RTP_CLOCK_HZ
        # In quarters: frames that come a little unevenly change nothing.
        return min(max(times * 4 // 1 / 4, 1.0), SLOWEST)

    def _opened(self, width_px: int, height_px: int, rates: RateRange) -> VideoCodecContext:
        try:
            return self._open(width_px, height_px, rates)
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise CarrierError(f"{self.codec} cannot be encoded at {width_px} x {height_px} pixels: {error}") from error

    @abstractmethod
    def _range(self, rate_bps: int) -> RateRange:
        """What a codec that is opened for `rate_bps` can be used for."""

    @abstractmethod
    def _open(self, width_px: int, height_px: int, rates: RateRange) -> VideoCodecContext: ...

    def _retune(self, context: VideoCodecContext, rate_bps: int, slowness: float) -> None:  # noqa: B027
        """Tell an open codec its rate, if it can be told; by its own time, in which frames always come at rate_fps."""

    def _new_context(self, codec_name: str, width_px: int, height_px: int) -> VideoCodecContext:
        context = av.CodecContext.create(codec_name, "w")
        assert isinstance(context, VideoCodecContext)
        context.width = width_px
        context.height = height_px
        context.pix_fmt = self.pixel_format
        context.time_base = RTP_TIME_BASE
        # Rate control spends the bitrate per frame, so a wrong rate here is a wrong bitrate.
        context.framerate = Fraction(self.settings.rate_fps).limit_denominator(1001)
        context.gop_size = FOREVER_FRAMES
        context.thread_count = thread_count(width_px, height_px, self.settings.rate_fps)
        return context


def thread_count(width_px: int, height_px: int, rate_fps: float) -> int:
    """Threads for one encoder, up to four and the machine's cores.

    One would carry 720p60; two for 720p30 take 4.3 ms of a frame's way instead of 6.3, for the same processor time
    and quality (`make bench-quick`, 2 cores).
    """
    wanted = -(-width_px * height_px * rate_fps // _PIXELS_PER_THREAD_AND_S)
    return int(max(1, min(wanted, 4, os.cpu_count() or 1)))
