"""A frame number painted into pixels, so that a test knows which frame it sees.

A grid of 6 x 4 black and white cells in the top left corner: 20 bits of number and 4 of check sum.
A cell is 1/32 of the picture's width, so the code survives video coding, chroma subsampling and a page
that shows the picture at another size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 6, 4
NUMBER_BITS = 20
MAX_NUMBER = (1 << NUMBER_BITS) - 1
MIN_WIDTH_PX = 96


def paint(frame: NDArray[Any], number: int) -> None:
    """Write `number` into an (H, W, 3) uint8 picture, in place; W >= 96, H >= W / 8."""
    height_px, width_px = frame.shape[:2]
    if width_px < MIN_WIDTH_PX or height_px < width_px / 8:
        raise ValueError(f"a picture of {width_px} x {height_px} has no room for the code")
    word = (number & MAX_NUMBER) | (_check_sum(number & MAX_NUMBER) << NUMBER_BITS)
    edges = np.round(np.arange(COLUMNS + 1) * width_px / 32).astype(int)
    for bit in range(COLUMNS * ROWS):
        row, column = divmod(bit, COLUMNS)
        frame[edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = 255 * (word >> bit & 1)


def read(frame: NDArray[Any]) -> int | None:
    """The number in an (H, W, 3 or 4) uint8 picture, or None where there is no readable code."""
    luma = frame[..., :3].astype(np.float32).mean(axis=2)
    cell_px = frame.shape[1] / 32
    word = 0
    for bit in range(COLUMNS * ROWS):
        row, column = divmod(bit, COLUMNS)
        top, left = int((row + 0.3) * cell_px), int((column + 0.3) * cell_px)
        side = max(1, int(0.4 * cell_px))
        mean = luma[top : top + side, left : left + side].mean()
        if 100 < mean < 156:
            return None
        word |= int(mean > 128) << bit
    number = word & MAX_NUMBER
    return number if word >> NUMBER_BITS == _check_sum(number) else None


def _check_sum(number: int) -> int:
    """Never 0 for a black picture and never 15 for a white one, so neither reads as a number."""
    return (5 + sum(number >> shift & 15 for shift in range(0, NUMBER_BITS, 4)) * 7) & 15


READ_JS = """
(source) => {
  // source: a canvas, image or video. Returns the painted number, or null.
  const width = source.naturalWidth || source.videoWidth || source.width;
  if (!width) return null;
  const cell = width / 32;
  const area = [Math.ceil(6 * cell), Math.ceil(4 * cell)];
  const scratch = (window.__barcode ??= document.createElement("canvas"));
  if (scratch.width < area[0] || scratch.height < area[1]) [scratch.width, scratch.height] = area;
  const context = scratch.getContext("2d", { willReadFrequently: true });
  // "copy" replaces: an empty canvas drawn over the last reading would otherwise read as that.
  context.globalCompositeOperation = "copy";
  context.drawImage(source, 0, 0, ...area, 0, 0, ...area);
  const pixels = context.getImageData(0, 0, ...area).data;
  let word = 0;
  for (let bit = 0; bit < 24; bit++) {
    const top = Math.floor((Math.floor(bit / 6) + 0.3) * cell);
    const left = Math.floor(((bit % 6) + 0.3) * cell);
    const side = Math.max(1, Math.floor(0.4 * cell));
    let sum = 0;
    for (let y = top; y < top + side; y++)
      for (let x = left; x < left + side; x++) {
        const at = 4 * (y * area[0] + x);
        sum += pixels[at] + pixels[at + 1] + pixels[at + 2];
      }
    const mean = sum / (3 * side * side);
    if (mean > 100 && mean < 156) return null;
    if (mean > 128) word |= 1 << bit;
  }
  const number = word & 0xfffff;
  let check = 0;
  for (let shift = 0; shift < 20; shift += 4) check += (number >> shift) & 15;
  return word >>> 20 === ((5 + check * 7) & 15) ? number : null;
}
"""
