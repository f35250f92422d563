"""How sharp a stream is: four words, and what each asks of an encoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from reactor_nb.media.link import StreamSettings

Quality = Literal["low", "balanced", "high", "exact"]

QUALITIES: Final[tuple[Quality, ...]] = get_args(Quality)
DEFAULT_QUALITY: Final[Quality] = "balanced"


FULL_COLOUR: Final = "H264-444"
"""The codec of the qualities that keep the colour of every pixel, for pages that decode it."""

UNCHAINED: Final = frozenset({"JPEG"})
"""Codecs whose every frame can be decoded alone: a view may miss any of them."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What a quality asks of the encoders.

    The first three are quantizers below which no bits are spent, each in its codec's own scale: `h264_qp` (0 to 51),
    `vp8_level` (0 to 63), `nvenc_qp` (0 to 51). `jpeg_quality` is the best that is spent on a JPEG (1 to 97).
    `cap_bps` is the most that is sent unless the user says otherwise, `jpeg_cap_bps` the same for JPEG, which takes
    about four times as much to look like it.
    `is_full_colour`: every pixel keeps a colour of its own, where the page decodes it.
    """

    h264_qp: int
    vp8_level: int
    nvenc_qp: int
    jpeg_quality: int
    cap_bps: int
    jpeg_cap_bps: int
    is_full_colour: bool = False


_BALANCED = Grade(h264_qp=20, vp8_level=10, nvenc_qp=20, jpeg_quality=80, cap_bps=16_000_000, jpeg_cap_bps=80_000_000)

GRADES: Final[dict[Quality, Grade]] = {
    "low": Grade(h264_qp=28, vp8_level=40, nvenc_qp=28, jpeg_quality=50, cap_bps=3_000_000, jpeg_cap_bps=24_000_000),
    "balanced": _BALANCED,
    "high": Grade(
        h264_qp=14,
        vp8_level=4,
        nvenc_qp=14,
        jpeg_quality=92,
        cap_bps=40_000_000,
        jpeg_cap_bps=160_000_000,
        is_full_colour=True,
    ),
    # In motion as balanced: what stands still is sent without loss beside the stream.
    "exact": replace(_BALANCED, is_full_colour=True),
}


def cap_bps(codec: str, settings: StreamSettings) -> int:
    """The most that an encoder may spend: what the user said, else what the quality allows this codec."""
    grade = GRADES[settings.quality]
    is_chosen = settings.max_bitrate_bps != grade.cap_bps
    return settings.max_bitrate_bps if is_chosen or codec not in UNCHAINED else grade.jpeg_cap_bps
