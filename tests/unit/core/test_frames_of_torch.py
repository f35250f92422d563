"""Frames from torch: every layout, type and range, against the same values through numpy."""

from __future__ import annotations

import math
from importlib.util import find_spec

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb.core.frames import to_block
from reactor_nb.errors import FrameShapeError, FrameTypeError

if find_spec("torch") is not None:  # else the mark below deselects every test
    import torch

pytestmark = pytest.mark.needs_torch


def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (8, 12, 3), np.uint8)


@pytest.mark.parametrize(
    "view",
    [
        lambda t: t,
        lambda t: t.permute(2, 0, 1),
        lambda t: t.permute(2, 0, 1)[None],
        lambda t: t.permute(2, 0, 1)[None, :, None],
        lambda t: t[None],
    ],
    ids=["(H, W, 3)", "(3, H, W)", "(1, 3, H, W)", "(1, 3, 1, H, W)", "(1, H, W, 3)"],
)
def test_every_layout_shows_the_same_picture(view) -> None:  # type: ignore[no-untyped-def]
    block = to_block(view(torch.from_numpy(picture())))
    assert block.frames.shape == (1, 8, 12, 3)
    assert np.array_equal(block.frames[0], picture())


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_every_float_type_shows_the_same_picture(name: str) -> None:
    floats = torch.from_numpy(picture()).to(torch.float32) / 127.5 - 1
    block = to_block(floats.to(getattr(torch, name)), value_range=(-1, 1))
    off = np.abs(block.frames[0].astype(int) - picture()).max()
    assert off <= (1 if name != "bfloat16" else 2)


def test_a_tensor_that_requires_grad_is_shown() -> None:
    floats = (torch.from_numpy(picture()).to(torch.float32) / 255).requires_grad_()
    assert np.array_equal(to_block(floats).frames[0], picture())


def test_a_tensor_that_is_not_contiguous_is_shown() -> None:
    wide = torch.from_numpy(np.repeat(picture(), 2, axis=1))
    assert np.array_equal(to_block(wide[:, ::2]).frames[0], picture())


def test_the_copy_is_ours() -> None:
    frame = torch.from_numpy(picture().copy())
    block = to_block(frame)
    frame.zero_()
    assert np.array_equal(block.frames[0], picture())


def test_a_batch_of_video_is_a_block() -> None:
    frames = np.stack([picture(), 255 - picture()])
    video = torch.from_numpy(frames).permute(3, 0, 1, 2)[None]  # (1, C, T, H, W)
    assert np.array_equal(to_block(video).frames, frames)


def test_nan_is_black_and_counted() -> None:
    floats = torch.full((8, 12, 3), 0.5)
    floats[0, 0] = math.nan
    block = to_block(floats)
    assert block.nan == 3
    assert (block.frames[0, 0, 0] == 0).all()


def test_integers_that_are_no_bytes_are_refused_with_the_mend() -> None:
    with pytest.raises(FrameTypeError, match="uint8"):
        to_block(torch.zeros((8, 12, 3), dtype=torch.int32))


def test_a_latent_is_refused_with_the_mend() -> None:
    with pytest.raises(FrameShapeError, match=r"\(1, 4, 64, 64\)"):
        to_block(torch.zeros((1, 4, 64, 64)))
