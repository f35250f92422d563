"""Which codecs this machine can encode, in the order of preference, and how to open one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np

from reactor_nb.errors import CarrierError
from reactor_nb.media.encoders import RTP_CLOCK_HZ, EncodedFrame, Encoder
from reactor_nb.media.h264 import FullColourEncoder, H264Encoder
from reactor_nb.media.jpeg import JpegEncoder
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.nvenc import HardwareFirst, missing_hardware
from reactor_nb.media.quality import FULL_COLOUR
from reactor_nb.media.vp8 import Vp8Encoder


def _h264(settings: StreamSettings) -> Encoder:
    return H264Encoder(settings) if missing_hardware() else HardwareFirst(settings)


_ENCODERS: dict[str, Callable[[StreamSettings], Encoder]] = {
    "H264": _h264,
    FULL_COLOUR: FullColourEncoder,
    "VP8": Vp8Encoder,
    "JPEG": JpegEncoder,
}

CODECS: tuple[str, ...] = ("H264", "VP8")
"""What every page may be offered, best first: H.264 ultrafast takes half of VP8's time at 720p.

FULL_COLOUR stands before them where the quality asks for it and the page's offer names it.
"""

COMM_CODECS: tuple[str, ...] = (*CODECS, "JPEG")
"""What can go by the notebook's own connection, best first; FULL_COLOUR before them where the quality asks for it.

JPEG is for pages without WebCodecs; WebRTC has no such codec.
"""


def open_encoder(codec: str, settings: StreamSettings) -> Encoder:
    """An encoder of one of COMM_CODECS, or FULL_COLOUR. A codec is opened with the first frame, whose size it needs."""
    return _ENCODERS[codec](settings)


@functools.cache
def broken_codecs() -> dict[str, str]:
    """codec -> why it cannot be used here. Found by encoding one frame, as a build lists encoders it cannot open."""
    broken: dict[str, str] = {}
    pixels = np.zeros((64, 64, 3), np.uint8)
    for codec in _ENCODERS:
        encoder = open_encoder(codec, StreamSettings(rate_fps=30.0))
        try:
            if encoder.encode(pixels, 0, True) is None:
                broken[codec] = "the encoder holds frames back"
        except (CarrierError, av.FFmpegError) as error:
            broken[codec] = str(error)
        finally:
            encoder.close()
    return broken


def as_packet(frame: EncodedFrame) -> av.Packet[Any]:
    """The frame as the packet that an RTP sender takes."""
    packet = av.Packet(frame.payload)
    packet.pts = frame.rtp_timestamp
    packet.time_base = Fraction(1, RTP_CLOCK_HZ)
    return packet
