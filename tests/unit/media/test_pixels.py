from __future__ import annotations

import numpy as np
import pytest

from reactor_nb.media.pixels import MIN_SIDE_PX, PlaneConverter, padded_to_even

RNG = np.random.default_rng(7)


def test_even_pictures_are_not_copied() -> None:
    pixels = np.zeros((48, 64, 3), np.uint8)
    assert padded_to_even(pixels) is pixels


@pytest.mark.parametrize(
    ("height_px", "width_px", "encoded"),
    [(481, 641, (482, 642)), (1, 1, (16, 16)), (17, 20, (18, 20)), (48, 5, (48, 16))],
)
def test_odd_and_tiny_sides_are_filled_with_their_edge(height_px: int, width_px: int, encoded: tuple[int, int]) -> None:
    pixels = RNG.integers(0, 255, (height_px, width_px, 3), dtype=np.uint8)
    padded = padded_to_even(pixels)
    assert padded.shape[:2] == encoded
    assert min(encoded) >= MIN_SIDE_PX
    assert (padded[:height_px, :width_px] == pixels).all()
    assert (padded[-1, -1] == pixels[-1, -1]).all()


def test_planes_are_bt601_in_the_limited_range() -> None:
    expected = {(255, 255, 255): (235, 128, 128), (0, 0, 0): (16, 128, 128), (255, 0, 0): (81, 90, 240)}
    for colour, planes in expected.items():
        pixels = np.full((32, 32, 3), colour, np.uint8)
        frame = PlaneConverter().to_planes(pixels)
        found = tuple(round(float(np.asarray(plane).mean())) for plane in frame.planes)
        assert np.abs(np.subtract(found, planes)).max() <= 1, (colour, found)


def test_colour_is_averaged_over_four_pixels_and_not_picked() -> None:
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[::2, ::2] = (255, 0, 0)
    red = np.asarray(PlaneConverter().to_planes(pixels).planes[2]).mean()
    assert abs(red - (128 + 112 / 4)) <= 2


def test_sizes_may_change_between_frames() -> None:
    converter = PlaneConverter()
    for height_px, width_px in ((32, 48), (480, 640), (31, 47), (32, 48)):
        frame = converter.to_planes(np.zeros((height_px, width_px, 3), np.uint8))
        assert (frame.height, frame.width) == (height_px + height_px % 2, width_px + width_px % 2)
