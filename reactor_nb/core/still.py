"""Still: one frame as a picture to keep, for posters and `session.snapshot()`."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What is compressed between two questions whether it is still wanted: 5 ms of noise.
_BAND_BYTES = 400_000


@dataclass(frozen=True, eq=False)
class Still:
    """A frame of a session; as the last line of a cell it shows itself.

    `pixels`: (H, W, 3) uint8 RGB, owned. `number`: counts from 0 within the session.
    """

    pixels: NDArray[np.uint8]
    number: int

    def png(self, level: int = 6) -> bytes:
        """The picture as a PNG file, without loss. `level` 1 takes a third of the time of 6 on a noisy picture."""
        return _png(self.pixels, zlib.compress(_filtered(self.pixels), level))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the PNG file and return where it is. Missing folders are made."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.png())
        return target

    def scaled(self, max_width_px: int) -> Still:
        """At most `max_width_px` wide, each pixel the mean of the area that it covers. Never enlarged."""
        height_px, width_px, _ = self.pixels.shape
        if width_px <= max_width_px:
            return self
        new_height_px = max(1, round(height_px * max_width_px / width_px))
        rows = _averaged(self.pixels.astype(np.float32), 0, new_height_px)
        small = _averaged(rows, 1, max_width_px)
        return Still(np.clip(np.rint(small), 0, 255).astype(np.uint8), self.number)

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        height_px, width_px, _ = self.pixels.shape
        return f"<Still {width_px}x{height_px}, frame {self.number}>"


def quick_png(pixels: NDArray[np.uint8], is_wanted: Callable[[], bool] = lambda: True) -> bytes | None:
    """(H, W, 3) uint8 RGB as a PNG file in half the time of `Still.png(1)` or less, up to half as large again.

    None as soon as `is_wanted` says no; it is asked every few milliseconds.
    """
    height_px, width_px, _ = pixels.shape
    rows = pixels.reshape(height_px, 3 * width_px)
    filtered = np.empty((height_px, 1 + 3 * width_px), np.uint8)
    filtered[:, 0] = 2  # the PNG filter Up: rows are neighbours in memory, so it costs no more than a copy
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    # Runs alone: a search for repeats takes two to four times as long on grain, and finds nothing there.
    stream = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    pieces = []
    step = max(1, _BAND_BYTES // filtered.shape[1])
    for top in range(0, height_px, step):
        if not is_wanted():
            return None
        pieces.append(stream.compress(filtered[top : top + step].data))
    pieces.append(stream.flush())
    return _png(pixels, b"".join(pieces))


def _png(pixels: NDArray[np.uint8], body: bytes) -> bytes:
    height_px, width_px, _ = pixels.shape
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _filtered(pixels: NDArray[np.uint8]) -> bytes:
    """Each row as itself, less its left or less its upper neighbour, whichever has the smallest values."""
    height_px, width_px, _ = pixels.shape
    left = pixels.copy()
    left[:, 1:] -= pixels[:, :-1]
    up = pixels.copy()
    up[1:] -= pixels[:-1]
    kinds = np.stack([pixels, left, up]).reshape(3, height_px, width_px * 3)
    costs = np.abs(kinds.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64)
    best = costs.argmin(axis=0)
    rows = np.empty((height_px, 1 + width_px * 3), np.uint8)
    rows[:, 0] = best  # the numbers of the PNG filters None, Sub and Up
    rows[:, 1:] = kinds[best, np.arange(height_px)]
    return rows.tobytes()


def _averaged(pixels: NDArray[np.float32], axis: int, length: int) -> NDArray[Any]:
    """The area mean along one axis: differences of the running sum at fractional borders."""
    old = pixels.shape[axis]
    sums = np.cumsum(pixels, axis=axis, dtype=np.float64)
    sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis)
    borders = np.linspace(0.0, old, length + 1)
    below = np.minimum(borders.astype(np.intp), old - 1)
    shape = [1, 1, 1]
    shape[axis] = length + 1
    share = (borders - below).reshape(shape)
    at = sums.take(below, axis)
    at += share * (sums.take(below + 1, axis) - at)
    means: NDArray[Any] = np.diff(at, axis=axis) * (length / old)
    return means
