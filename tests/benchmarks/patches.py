"""Flat patches of known colours, for the error of colour that a codec and its tags make."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.support import barcode

COLOURS = (
    *((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)),
    *((230, 180, 150), (90, 60, 40), (40, 90, 160), (128, 128, 128), (20, 20, 20), (240, 240, 240)),
)
"""The corners of RGB, skin, wood, sky and grays."""

_COLUMNS, _ROWS = 4, 3


class FlatPatches:
    """4 x 3 patches right of the number; nothing moves but the number.

    Args:
        width_px, height_px: the size of a frame.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self._frame = np.zeros((height_px, width_px, 3), np.uint8)
        for colour, area in zip(COLOURS, areas(width_px, height_px), strict=True):
            self._frame[area] = colour

    def frame(self, number: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, an array of its own."""
        frame = self._frame.copy()
        barcode.paint(frame, number)
        return frame


def areas(width_px: int, height_px: int, margin: float = 0.0) -> list[tuple[slice, slice]]:
    """Where the patches are, rows and columns; `margin` leaves that share of each side out, as codecs blur edges."""
    left = width_px // 4
    wide, high = (width_px - left) // _COLUMNS, height_px // _ROWS
    found = []
    for index in range(_COLUMNS * _ROWS):
        row, column = divmod(index, _COLUMNS)
        top, start = row * high, left + column * wide
        found.append(
            (
                slice(top + round(margin * high), top + high - round(margin * high)),
                slice(start + round(margin * wide), start + wide - round(margin * wide)),
            )
        )
    return found
