"""What emit_block takes: shapes, dtypes, ranges, and what it says of the rest."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb.core.frames import black_block, to_block
from reactor_nb.errors import FrameError, FrameShapeError, FrameTypeError

_GENERATOR = np.random.default_rng(7)


def _rgb(frames: int = 2, height: int = 4, width: int = 5) -> NDArray[np.uint8]:
    return _GENERATOR.integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(lambda x: x, id="(N, H, W, 3)"),
        pytest.param(lambda x: x.transpose(0, 3, 1, 2), id="(N, 3, H, W)"),
        pytest.param(lambda x: x[None], id="(1, N, H, W, 3)"),
        pytest.param(lambda x: x.transpose(0, 3, 1, 2)[None], id="(1, N, 3, H, W)"),
        pytest.param(lambda x: x.transpose(3, 0, 1, 2)[None], id="(1, 3, T, H, W)"),
        pytest.param(lambda x: np.ascontiguousarray(x.transpose(0, 3, 1, 2)), id="(N, 3, H, W) in memory"),
        pytest.param(lambda x: np.ascontiguousarray(x.transpose(3, 0, 1, 2))[None], id="(1, 3, T, H, W) in memory"),
        pytest.param(list, id="a list of frames"),
        pytest.param(lambda x: tuple(x.transpose(0, 3, 1, 2)), id="a tuple of channels-first frames"),
    ],
)
def test_every_layout_gives_the_same_block(arrange: Any) -> None:
    pixels = _rgb()
    assert np.array_equal(to_block(arrange(pixels)).frames, pixels)
    values = pixels.astype(np.float32) / 255
    assert np.array_equal(to_block(arrange(values)).frames, pixels)


def test_a_single_frame_is_a_block_of_one() -> None:
    pixels = _rgb(1)[0]
    assert to_block(pixels).frames.shape == (1, 4, 5, 3)
    assert np.array_equal(to_block(pixels.transpose(2, 0, 1)).frames[0], pixels)


def test_a_view_with_a_negative_stride_is_copied_in_the_right_order() -> None:
    pixels = _rgb()
    assert np.array_equal(to_block(pixels[:, ::-1, ::-1]).frames, pixels[:, ::-1, ::-1])
    values = (pixels / 255).astype(np.float64)
    assert np.array_equal(to_block(values[:, ::-1]).frames, pixels[:, ::-1])


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
def test_the_block_is_a_copy_so_the_authors_buffer_may_be_reused(dtype: Any) -> None:
    array = np.ones((2, 4, 5, 3), dtype)
    block = to_block(array)
    before = block.frames.copy()
    array[:] = 0
    assert np.array_equal(block.frames, before)
    assert block.frames.flags.c_contiguous
    assert block.frames.flags.owndata


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value_range", [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_every_level_survives_a_way_through_floats(dtype: Any, value_range: tuple[float, float]) -> None:
    low, high = value_range
    levels = np.arange(256, dtype=np.uint8)
    pixels = np.repeat(levels.reshape(16, 16, 1), 3, axis=2)
    values = (pixels.astype(np.float64) / 255 * (high - low) + low).astype(dtype)
    block = to_block(values, value_range)
    assert np.array_equal(block.frames[0], pixels)
    assert (block.clipped, block.nan) == (0, 0)


def test_values_between_two_levels_are_rounded() -> None:
    values = np.full((2, 2, 3), 100.6 / 255, np.float32)
    assert (to_block(values).frames == 101).all()


def test_values_outside_the_range_are_clipped_and_counted() -> None:
    values = np.full((2, 2, 3), 0.5, np.float32)
    values[0, 0] = [-0.5, 1.5, np.inf]
    values[0, 1, 0] = -np.inf
    block = to_block(values)
    assert block.frames[0, 0, 0].tolist() == [0, 255, 255]
    assert block.frames[0, 0, 1, 0] == 0
    assert (block.clipped, block.nan) == (4, 0)


def test_a_rounding_error_of_the_model_is_not_counted_as_clipped() -> None:
    values = np.full((2, 2, 3), 1.0 + 1e-6, np.float32)
    values[0, 0, 0] = -1e-6
    block = to_block(values)
    assert block.clipped == 0
    assert block.frames[0, 1, 1].tolist() == [255, 255, 255]
    assert block.frames[0, 0, 0, 0] == 0


@pytest.mark.parametrize("value_range", [(0.0, 1.0), (-1.0, 1.0)])
def test_nan_is_black_and_counted(value_range: tuple[float, float]) -> None:
    values = np.ones((2, 2, 3), np.float32)
    values[1, 1, 1] = np.nan
    block = to_block(values, value_range)
    assert block.frames[0, 1, 1].tolist() == [255, 0, 255]
    assert (block.clipped, block.nan) == (0, 1)


def test_float64_values_that_no_float32_holds_are_clipped() -> None:
    block = to_block(np.full((2, 2, 3), 1e300))
    assert (block.frames == 255).all()
    assert block.clipped == 12


@pytest.mark.parametrize("empty", [[], np.empty((0, 4, 5, 3), np.float32), np.empty((1, 0, 4, 5, 3)), np.empty(0)])
def test_an_empty_input_gives_an_empty_block(empty: Any) -> None:
    assert len(to_block(empty)) == 0


@pytest.mark.parametrize(
    ("shape", "mend"),
    [
        ((8, 64, 64), "np.repeat(frames[..., None], 3, axis=-1)"),
        ((64, 64), "np.repeat(frames[..., None], 3, axis=-1)"),
        ((64, 64, 1), "np.repeat(frames, 3, axis=-1)"),
        ((8, 64, 64, 4), "frames[..., :3]"),
        ((4, 64, 64), "frames[..., :3, :, :]"),
        ((8, 1, 64, 64), "np.repeat(frames, 3, axis=-3)"),
        ((3, 8, 64, 64), "frames.swapaxes(0, 1)"),
        ((2, 8, 64, 64, 3), "frames[0]"),
        ((5, 0, 64, 3), "without pixels"),
        ((64,), "frames.shape"),
        ((), "frames.shape"),
    ],
)
def test_a_wrong_shape_is_named_with_the_line_that_mends_it(shape: tuple[int, ...], mend: str) -> None:
    with pytest.raises(FrameShapeError, match=re.escape(mend)) as caught:
        to_block(np.zeros(shape, np.uint8))
    assert f"got shape {shape}" in str(caught.value)
    assert "(N, H, W, 3)" in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "mend"),
    [
        (np.int64, ".astype(np.uint8)"),
        (np.uint16, ".astype(np.uint8)"),
        (bool, "* 255"),
        (np.complex64, "np.abs"),
        (object, "np.asarray"),
    ],
)
def test_a_wrong_dtype_is_named_with_the_line_that_mends_it(dtype: Any, mend: str) -> None:
    with pytest.raises(FrameTypeError, match=re.escape(mend)) as caught:
        to_block(np.zeros((4, 5, 3), dtype))
    assert np.dtype(dtype).name in str(caught.value)


@pytest.mark.parametrize("thing", ["frame.png", 7, {"frames": 1}, object()])
def test_what_is_no_array_is_refused_by_its_type(thing: Any) -> None:
    with pytest.raises(FrameTypeError, match=type(thing).__name__):
        to_block(thing)


def test_frames_of_different_sizes_in_one_sequence_are_refused() -> None:
    with pytest.raises(FrameShapeError, match="one by one"):
        to_block([_rgb(1, 4, 5)[0], _rgb(1, 4, 6)[0]])
    with pytest.raises(FrameShapeError, match="one by one"):
        to_block([[[1, 2, 3]], [[1, 2, 3], [4, 5, 6]]])


@pytest.mark.parametrize("value_range", [(1.0, 0.0), (0.0, 0.0), (0.0, np.inf), (0.0,), "ab", None])
def test_a_value_range_that_is_none_is_refused(value_range: Any) -> None:
    with pytest.raises(FrameError, match=r"value_range=\(-1, 1\)"):
        to_block(np.zeros((4, 5, 3), np.float32), value_range)


class _Image:
    """As an image of another library: it gives an array when asked."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._pixels = pixels

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.uint8]:
        return self._pixels


class _Tensor:
    """As a tensor of another library: it offers DLPack and nothing else."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._pixels = pixels

    def __dlpack__(self, **arguments: Any) -> Any:
        return self._pixels.__dlpack__(**arguments)

    def __dlpack_device__(self) -> Any:
        return self._pixels.__dlpack_device__()


class _Unreachable:
    def __dlpack__(self, **arguments: Any) -> Any:
        raise BufferError("it lies on a device")

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)


@pytest.mark.parametrize("wrap", [_Image, _Tensor])
def test_arrays_of_other_libraries_are_taken(wrap: Any) -> None:
    pixels = _rgb()
    block = to_block(wrap(pixels))
    assert np.array_equal(block.frames, pixels)
    assert not np.shares_memory(block.frames, pixels)


def test_a_tensor_that_cannot_be_reached_is_refused_with_its_own_reason() -> None:
    with pytest.raises(FrameTypeError, match="it lies on a device"):
        to_block(_Unreachable())


def test_black_is_one_frame_of_zeros() -> None:
    block = black_block(48, 64)
    assert block.frames.shape == (1, 48, 64, 3)
    assert not block.frames.any()
    assert (block.height_px, block.width_px) == (48, 64)


@pytest.mark.needs_torch
def test_torch_tensors_are_taken_with_gradients_and_in_bfloat16() -> None:
    import torch

    pixels = _rgb()
    tensor = torch.from_numpy(pixels.copy())
    assert np.array_equal(to_block(tensor).frames, pixels)
    assert np.array_equal(to_block((tensor / 255).requires_grad_().permute(0, 3, 1, 2)).frames, pixels)
    assert (to_block(torch.ones(2, 3, 8, 8, dtype=torch.bfloat16)).frames == 255).all()
    with pytest.raises(FrameTypeError, match="int64"):
        to_block(tensor.long())


@pytest.mark.needs_torch
def test_a_torch_tensor_on_a_device_is_converted_there() -> None:
    import torch

    from reactor_nb.core import tensors
    from reactor_nb.core.layout import axes_of

    pixels = _rgb()
    values = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2) / 255
    values[0, 0, 0, 0], values[0, 0, 0, 1] = torch.nan, 2.0
    axes = axes_of(tuple(values.shape))
    assert axes is not None
    host, clipped, nan = tensors.from_device(torch, values, axes, 255.0, 0.5)
    pixels[0, 0, 0, 0], pixels[0, 0, 1, 0] = 0, 255
    assert np.array_equal(host, pixels)
    assert (clipped, nan) == (1, 1)
