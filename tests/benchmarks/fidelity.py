"""How near a decoded picture is to what was emitted."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.patches import areas

Pixels = NDArray[np.uint8]

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_BLOCK_PX = 8
_PATCH_MARGIN = 0.2


def luma_psnr_db(shown: Pixels, emitted: Pixels) -> float:
    """Of BT.601 luma. Both (H, W, 3) uint8 RGB."""
    return _psnr_db(shown @ _LUMA, emitted @ _LUMA)


def block_psnr_db(shown: Pixels, emitted: Pixels) -> float:
    """Of RGB, averaged over blocks of 8 x 8 pixels: tells colour and brightness, forgives subsampled chroma."""
    return _psnr_db(_blocks(shown), _blocks(emitted))


def colour_error_percent(shown: Pixels, emitted: Pixels) -> float:
    """Mean over patches and channels of the difference of their mean colours, in % of the full range."""
    height_px, width_px = emitted.shape[:2]
    errors = []
    for area in areas(width_px, height_px, _PATCH_MARGIN):
        difference = shown[area].mean((0, 1), dtype=np.float64) - emitted[area].mean((0, 1), dtype=np.float64)
        errors.append(float(np.abs(difference).mean()))
    return 100 * sum(errors) / len(errors) / 255


def _psnr_db(shown: NDArray[np.float32], emitted: NDArray[np.float32]) -> float:
    mean_square = float(np.mean(np.square(shown - emitted, dtype=np.float64)))
    return math.inf if mean_square == 0 else 10 * math.log10(255**2 / mean_square)


def _blocks(pixels: Pixels) -> NDArray[np.float32]:
    """What does not fill a block at the right and lower edge is left out."""
    high, wide = pixels.shape[0] // _BLOCK_PX, pixels.shape[1] // _BLOCK_PX
    whole = pixels[: high * _BLOCK_PX, : wide * _BLOCK_PX]
    blocks: NDArray[np.float32] = whole.reshape(high, _BLOCK_PX, wide, _BLOCK_PX, 3).mean((1, 3), dtype=np.float32)
    return blocks
