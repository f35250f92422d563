"""How sharp a stream is: four words, and what each asks of an encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Quality = Literal["low", "balanced", "high", "exact"]

QUALITIES: Final[tuple[Quality, ...]] = get_args(Quality)
DEFAULT_QUALITY: Final[Quality] = "balanced"


@dataclass(frozen=True, slots=True)
class Grade:
    """What a quality asks of the encoders.

    `crf` is libx264's constant quality (0 best, 51 worst), `cq_level` libvpx's (0 to 63), `cq` NVENC's (1 to 51):
    below it no bits are spent. `cap_bps` is the most that is sent unless the user says otherwise.
    """

    crf: int
    cq_level: int
    cq: int
    cap_bps: int


_BALANCED = Grade(crf=19, cq_level=10, cq=21, cap_bps=16_000_000)

GRADES: Final[dict[Quality, Grade]] = {
    "low": Grade(crf=28, cq_level=30, cq=30, cap_bps=3_000_000),
    "balanced": _BALANCED,
    "high": Grade(crf=14, cq_level=4, cq=15, cap_bps=40_000_000),
    # In motion as balanced: what stands still is sent without loss beside the stream.
    "exact": _BALANCED,
}
