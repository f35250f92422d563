"""The benchmark picture: a 1/f texture with grain and edges that moves, its frame number painted into it.

The same numbers give the same pixels in every process, so that what a page shows can be compared with what was
emitted without sending it anywhere. Nothing of this project is imported: a peer's own environment runs it too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.support import barcode

PERIOD = 60
"""Frames until the picture has gone round its circle and comes again."""

RADIUS_PX = 56
"""Of that circle: 5.9 pixels per frame, in a direction that changes all the time and never jumps."""

GRAIN = 3.4
"""Noise that is new in every frame, the same in all channels, as that of a camera: what no codec can predict."""

COLOUR_NOISE = 10.0
"""Noise that moves with the texture and leaves the luma nearly alone: what chroma subsampling takes away."""

_LUMA = np.array([0.299, 0.587, 0.114])


class MovingPicture:
    """Frames of the benchmark picture, made in advance: a call of `frame` costs 0.03 ms at 720p.

    At 720p, x264 ultrafast at 4 and 16 Mbit/s gives a luma PSNR of 34 and 36 dB, VP8 at aiortc's rate 30, JPEG of
    quality 85 gives 35; the loss of colour samples alone (4:2:0) caps plain RGB at 29 dB.

    Args:
        width_px, height_px: the size of a frame; 60 of them are kept, 166 MB at 720p.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self.width_px, self.height_px = width_px, height_px
        texture = _texture(height_px + 2 * RADIUS_PX, width_px + 2 * RADIUS_PX)
        random = np.random.default_rng(3)
        grain = random.normal(0, GRAIN, height_px * width_px).round().astype(np.int16)
        self._ring = [self._rendered(texture, grain, random, index) for index in range(PERIOD)]

    def frame(self, number: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 with the number painted in; the array is this object's and changes 60 frames later."""
        frame = self._ring[number % PERIOD]
        barcode.paint(frame, number)
        return frame

    def _rendered(
        self, texture: NDArray[np.int16], grain: NDArray[np.int16], random: np.random.Generator, index: int
    ) -> NDArray[np.uint8]:
        angle = 2 * np.pi * index / PERIOD
        top = RADIUS_PX + round(RADIUS_PX * float(np.sin(angle)))
        left = RADIUS_PX + round(RADIUS_PX * float(np.cos(angle)))
        here = np.roll(grain, random.integers(grain.size)).reshape(self.height_px, self.width_px, 1)
        moved = texture[top : top + self.height_px, left : left + self.width_px] + here
        frame: NDArray[np.uint8] = np.clip(moved, 0, 255).astype(np.uint8)
        return frame


def _texture(height_px: int, width_px: int) -> NDArray[np.int16]:
    random = np.random.default_rng(7)
    shared = _pink(random, height_px, width_px) * 40
    layers = [shared + 25 * _pink(random, height_px, width_px) for _ in range(3)]
    picture = np.stack(layers, -1) + 118
    _add_edges(picture, random)
    noise = random.normal(0, COLOUR_NOISE, picture.shape)
    picture += noise - 0.8 * (noise @ _LUMA)[..., None]
    return picture.round().astype(np.int16)


def _pink(random: np.random.Generator, height_px: int, width_px: int) -> NDArray[np.float64]:
    """Noise whose amplitude falls as frequency ** -1.2, as in photographs; mean 0, deviation 1."""
    side_px = max(height_px, width_px)
    rows = np.fft.fftfreq(height_px)[:, None] * side_px
    columns = np.fft.rfftfreq(width_px)[None] * side_px
    amplitude = np.maximum(np.hypot(rows, columns), 1.0) ** -1.2
    spectrum = np.fft.rfft2(random.normal(size=(height_px, width_px))) * amplitude
    noise = np.fft.irfft2(spectrum, s=(height_px, width_px))
    noise -= noise.mean()
    normed: NDArray[np.float64] = noise / noise.std()
    return normed


def _add_edges(picture: NDArray[np.float64], random: np.random.Generator) -> None:
    """Hard-edged discs and bars of one colour each, in place."""
    height_px, width_px = picture.shape[:2]
    y, x = np.mgrid[0:height_px, 0:width_px]
    for index in range(14):
        middle_y, middle_x = random.integers(height_px), random.integers(width_px)
        size_px = random.integers(height_px // 40, height_px // 12)
        if index % 2:
            inside = (y - middle_y) ** 2 + (x - middle_x) ** 2 < size_px**2
        else:
            inside = (abs(y - middle_y) < size_px // 4) & (abs(x - middle_x) < 2 * size_px)
        picture[inside] = random.integers(20, 236, 3) + 0.15 * (picture[inside] - 118)
