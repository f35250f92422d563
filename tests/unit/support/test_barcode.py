"""The frame number that tests read back from pixels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import barcode


@pytest.mark.parametrize("size", [(96, 96), (360, 640), (481, 637), (720, 1280)])
def test_a_painted_number_is_read_back(size: tuple[int, int]) -> None:
    for number in (0, 1, 299, 65_535, barcode.MAX_NUMBER):
        frame = np.full((*size, 3), 90, np.uint8)
        barcode.paint(frame, number)
        assert barcode.read(frame) == number


def test_noise_of_a_video_codec_does_not_change_the_number() -> None:
    noise = np.random.default_rng(0).integers(-60, 60, (480, 640, 3))
    frame = np.zeros((480, 640, 3), np.uint8)
    barcode.paint(frame, 123_456)
    assert barcode.read(np.clip(frame + noise, 0, 255).astype(np.uint8)) == 123_456


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_has_no_number(value: int) -> None:
    assert barcode.read(np.full((480, 640, 3), value, np.uint8)) is None
