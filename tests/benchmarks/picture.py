"""The test picture: a hard texture that moves, with its frame number painted into it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.support import barcode


class MovingPicture:
    """Frames of a texture that drifts by some pixels per frame; 0.2 ms for one at 720p.

    Args:
        width_px, height_px: the size of a frame.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self.width_px, self.height_px = width_px, height_px
        self._texture = _texture(2 * height_px, 2 * width_px)

    def frame(self, number: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, an array of its own."""
        top = (3 * number) % self.height_px
        left = (5 * number) % self.width_px
        frame: NDArray[np.uint8] = self._texture[top : top + self.height_px, left : left + self.width_px].copy()
        barcode.paint(frame, number)
        return frame


def _texture(height_px: int, width_px: int) -> NDArray[np.uint8]:
    """Noise of several sizes over waves: neither flat, which any codec likes, nor white, which none does."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    picture = np.stack([np.sin(x / (19 + 7 * c)) + np.cos(y / (23 - 5 * c)) for c in range(3)], -1) * 28
    for block_px, strength in ((64, 45), (16, 35), (4, 22)):
        coarse = random.normal(0, strength, (height_px // block_px + 1, width_px // block_px + 1, 3))
        picture += coarse.repeat(block_px, 0).repeat(block_px, 1)[:height_px, :width_px]
    clipped: NDArray[np.uint8] = np.clip(picture + 120, 0, 255).astype(np.uint8)
    return clipped
