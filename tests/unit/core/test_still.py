"""A frame as a PNG and as a smaller picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from reactor_nb.core.still import Still, quick_png


def _decoded(png: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (48, 64), (33, 35)])
def test_a_png_holds_the_exact_pixels(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert np.array_equal(_decoded(Still(noise, 0).png()), noise)
    ramp = np.broadcast_to(np.arange(size[1], dtype=np.uint8)[None, :, None], (*size, 3)).copy()
    assert np.array_equal(_decoded(Still(ramp, 0).png()), ramp)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (33, 35), (500, 640)])
def test_a_quick_png_holds_the_exact_pixels(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    png = quick_png(noise)
    assert png is not None
    assert np.array_equal(_decoded(png), noise)


def test_a_quick_png_that_is_not_wanted_any_more_is_given_up_at_once() -> None:
    answers = iter([True, False])
    assert quick_png(np.zeros((720, 1280, 3), np.uint8), lambda: next(answers)) is None
    assert next(answers, "none left") == "none left"


def test_a_smooth_picture_is_small() -> None:
    rows, columns = np.mgrid[0:360, 0:640]
    smooth = np.stack([rows // 2, columns // 3, (rows + columns) // 5], axis=-1).astype(np.uint8)
    assert len(Still(smooth, 0).png()) < smooth.nbytes / 20


def test_a_scaled_still_keeps_its_aspect_and_its_mean() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    small = Still(noise, 5).scaled(640)
    assert small.pixels.shape == (360, 640, 3)
    assert small.number == 5
    exact = noise.reshape(360, 2, 640, 2, 3).mean(axis=(1, 3))
    assert np.abs(small.pixels - exact).max() <= 0.51


def test_scaling_by_a_fraction_covers_every_pixel_equally() -> None:
    flat = np.full((7, 10, 3), 201, np.uint8)
    assert (Still(flat, 0).scaled(3).pixels == 201).all()
    edge = np.zeros((1, 3, 3), np.uint8)
    edge[:, 1] = 90
    assert Still(edge, 0).scaled(2).pixels[0, :, 0].tolist() == [30, 30]


def test_a_small_still_is_not_enlarged() -> None:
    still = Still(np.zeros((4, 6, 3), np.uint8), 0)
    assert still.scaled(640) is still


def test_a_still_is_saved_where_it_says(tmp_path: Path) -> None:
    still = Still(np.full((4, 6, 3), 9, np.uint8), 3)
    path = still.save(tmp_path / "stills" / "frame.png")
    assert np.array_equal(_decoded(path.read_bytes()), still.pixels)
    assert still._repr_png_() == still.png()
    assert repr(still) == "<Still 6x4, frame 3>"
