"""A block is converted straight into the memory that the sink gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reactor_nb.core.frames import black_block, to_block
from reactor_nb.core.pixel_copy import copy_pixels
from reactor_nb.errors import FrameShapeError

_PIXELS = np.random.default_rng(3).integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)


class _Store:
    """Gives memory full of a wrong colour and keeps what it gave."""

    def __init__(self) -> None:
        self.given: list[NDArray[np.uint8]] = []

    def reserve(self, shape: tuple[int, int, int, int]) -> NDArray[np.uint8]:
        self.given.append(np.full(shape, 77, np.uint8))
        return self.given[-1]


@pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(lambda x: x, id="contiguous"),
        pytest.param(lambda x: np.repeat(x, 2, axis=2)[:, :, ::2], id="every second column"),
        pytest.param(lambda x: x[:, ::-1][:, ::-1], id="a view"),
        pytest.param(lambda x: x.transpose(0, 3, 1, 2), id="channels first"),
        pytest.param(lambda x: x.astype(np.float32) / 255, id="float32"),
        pytest.param(lambda x: (x.astype(np.float16) / 255).transpose(0, 3, 1, 2), id="float16, channels first"),
        pytest.param(list, id="a list of frames"),
        pytest.param(lambda x: [x[:1], np.empty((0, 6, 8, 3), np.uint8), x[1:]], id="a list of blocks, one empty"),
        pytest.param(lambda x: [x[0], [x[1]]], id="a list in a list"),
    ],
)
def test_what_is_emitted_lands_in_the_reserved_memory_once(arrange: Any) -> None:
    store = _Store()
    block = to_block(arrange(_PIXELS), reserve=store.reserve)
    assert len(store.given) == 1
    assert block.frames is store.given[0]
    assert np.array_equal(block.frames, _PIXELS)
    assert block.emitted_s <= block.converted_s


def test_black_lands_in_the_reserved_memory_too() -> None:
    store = _Store()
    block = black_block(6, 8, store.reserve)
    assert block.frames is store.given[0]
    assert not block.frames.any()


def test_without_room_the_block_lives_on_the_heap() -> None:
    block = to_block(_PIXELS, reserve=lambda shape: None)
    assert np.array_equal(block.frames, _PIXELS)
    assert not np.shares_memory(block.frames, _PIXELS)


def test_nothing_is_reserved_for_what_is_no_block() -> None:
    store = _Store()
    assert len(to_block(np.empty((0, 6, 8, 3), np.uint8), reserve=store.reserve)) == 0
    assert len(to_block([], reserve=store.reserve)) == 0
    with pytest.raises(FrameShapeError, match="different sizes"):
        to_block([_PIXELS[0], _PIXELS[1, :4]], reserve=store.reserve)
    assert not store.given


@given(st.integers(0, 3), st.integers(1, 40), st.integers(1, 40), st.booleans(), st.booleans())
def test_copied_pixels_equal_their_source_whatever_the_strides(
    frames: int, height: int, width: int, is_source_strided: bool, is_target_strided: bool
) -> None:
    def room(is_strided: bool) -> NDArray[np.uint8]:
        wide = np.random.default_rng(5).integers(0, 256, (frames, height, 2 * width, 3), dtype=np.uint8)
        return wide[:, :, ::2] if is_strided else np.ascontiguousarray(wide[:, :, :width])

    source, target = room(is_source_strided), room(is_target_strided)
    target[...] = 0
    copy_pixels(target, source)
    assert np.array_equal(target, source)


def test_a_block_of_several_pieces_is_copied_whole() -> None:
    source = np.random.default_rng(1).integers(0, 256, (3, 700, 900, 3), dtype=np.uint8)  # 5.7 MB
    target = np.zeros_like(source)
    copy_pixels(target, source)
    assert np.array_equal(target, source)


def test_pixels_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot copy"):
        copy_pixels(np.zeros((1, 2, 2, 3), np.uint8), np.zeros((1, 2, 3, 3), np.uint8))
