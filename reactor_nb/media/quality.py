"""How sharp a stream is: four words, and what each asks of an encoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

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
    `vp8_level` (0 to 63), `nvenc_qp` (0 to 51). `cap_bps` is the most that is sent unless the user says otherwise.
    `is_full_colour`: every pixel keeps a colour of its own, where the page decodes it.
    """

    h264_qp: int
    vp8_level: int
    nvenc_qp: int
    cap_bps: int
    is_full_colour: bool = False


_BALANCED = Grade(h264_qp=20, vp8_level=10, nvenc_qp=20, cap_bps=16_000_000)

GRADES: Final[dict[Quality, Grade]] = {
    "low": Grade(h264_qp=28, vp8_level=40, nvenc_qp=28, cap_bps=3_000_000),
    "balanced": _BALANCED,
    "high": Grade(h264_qp=14, vp8_level=4, nvenc_qp=14, cap_bps=40_000_000, is_full_colour=True),
    # In motion as balanced: what stands still is sent without loss beside the stream.
    "exact": replace(_BALANCED, is_full_colour=True),
}
