"""How near a decoded picture is: PSNR of luma and of blocks, the colour of flat patches."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from tests.benchmarks import fidelity
from tests.benchmarks.patches import COLOURS, FlatPatches, areas
from tests.benchmarks.picture import PERIOD, MovingPicture
from tests.support import barcode


def test_the_same_pixels_are_infinitely_near() -> None:
    frame = MovingPicture(192, 128).frame(3)
    assert fidelity.luma_psnr_db(frame, frame) == math.inf
    assert fidelity.block_psnr_db(frame, frame) == math.inf


def test_a_shift_of_all_channels_has_the_psnr_of_the_textbook() -> None:
    frame = np.full((64, 64, 3), 100, np.uint8)
    shifted = frame + np.uint8(5)
    expected_db = 20 * math.log10(255 / 5)
    assert fidelity.luma_psnr_db(shifted, frame) == pytest.approx(expected_db, abs=1e-3)
    assert fidelity.block_psnr_db(shifted, frame) == pytest.approx(expected_db, abs=1e-3)


def test_luma_weighs_green_more_than_blue() -> None:
    frame = np.full((64, 64, 3), 100, np.uint8)
    green, blue = frame.copy(), frame.copy()
    green[..., 1] += 10
    blue[..., 2] += 10
    assert fidelity.luma_psnr_db(green, frame) < fidelity.luma_psnr_db(blue, frame) - 10


def test_blocks_forgive_what_averages_out_and_luma_does_not() -> None:
    """As subsampled chroma does: the colour of a block is right, that of its pixels is not."""
    frame = np.full((64, 64, 3), 100, np.uint8)
    shown = frame.copy()
    shown[:, ::2] += 20
    shown[:, 1::2] -= 20
    assert fidelity.block_psnr_db(shown, frame) == math.inf
    assert fidelity.luma_psnr_db(shown, frame) < 25


def test_the_edge_that_fills_no_block_is_left_out() -> None:
    frame = np.full((68, 69, 3), 100, np.uint8)
    shown = frame.copy()
    shown[64:], shown[:, 64:] = 0, 0
    assert fidelity.block_psnr_db(shown, frame) == math.inf


def test_a_colour_that_is_off_by_a_known_amount_is_told_in_percent() -> None:
    emitted = FlatPatches(640, 480).frame(1)
    shown = np.clip(emitted.astype(np.int16) * 0.9, 0, 255).astype(np.uint8)
    expected = 100 * np.mean([[value - int(value * 0.9) for value in colour] for colour in COLOURS]) / 255
    assert fidelity.colour_error_percent(shown, emitted) == pytest.approx(expected)
    assert fidelity.colour_error_percent(emitted, emitted) == 0


def test_patches_lie_beside_the_number_and_are_of_one_colour_each() -> None:
    frame = FlatPatches(640, 480).frame(12_345)
    assert barcode.read(frame) == 12_345
    for colour, area in zip(COLOURS, areas(640, 480), strict=True):
        assert (frame[area] == colour).all()


def test_the_benchmark_picture_is_the_same_wherever_it_is_made() -> None:
    ours, theirs = MovingPicture(192, 128), MovingPicture(192, 128)
    for number in (0, 1, 59, 60, 100_000):
        frame = ours.frame(number).copy()
        assert (frame == theirs.frame(number)).all()
        assert barcode.read(frame) == number


def test_the_benchmark_picture_moves_all_the_time_and_never_jumps() -> None:
    """Also from the last frame of its circle to the first: a cut would cost a codec a keyframe's worth of bits."""
    picture = MovingPicture(256, 192)
    frames = [picture.frame(number).astype(np.int16) for number in range(PERIOD + 1)]
    steps = [np.abs(later - earlier).mean() for earlier, later in pairwise(frames)]
    assert min(steps) > 2
    assert max(steps) < 2 * float(np.median(steps))
