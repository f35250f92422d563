"""Frame and Block: an array or tensor in, an owned uint8 RGB block out.

A Frame is one (H, W, 3) uint8 RGB image, rows top to bottom; a Block is (N, H, W, 3) emitted at once.
Tensors are recognised through `sys.modules`, DLPack and `__array__`; torch is never imported.
"""

from __future__ import annotations

import enum
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core import tensors
from reactor_nb.core.layout import axes_of, refuse_dtype
from reactor_nb.core.pixel_copy import copy_pixels
from reactor_nb.errors import FrameError, FrameShapeError, FrameTypeError

# Float frames are converted in groups of about this many values: the scratch stays near 32 MB, and
# there are few numpy calls, each of which may wait 5 ms for the GIL while a cell spins.
_GROUP_VALUES = 8_000_000
# The bits of float32 256.0. As unsigned integers all of [0, 256) lies below; negative numbers,
# infinities and NaN lie above. One pass finds that nothing is to be mended.
_BITS_256 = np.float32(256.0).view(np.uint32)


Reserve: TypeAlias = Callable[[tuple[int, int, int, int]], NDArray[np.uint8] | None]
"""Given (N, H, W, 3), memory of that shape to convert into, C-contiguous; None: the caller allocates."""


class DeviceLayout(enum.Enum):
    """How frames that are made on a device are to come to the host."""

    RGB = "rgb"
    PLANES = "planes"
    """Half the bytes, ready to be encoded; for sinks whose frames are seen by encoders alone."""


class ExactFrame(Protocol):
    """A frame that stays where it was made. `shape`: (H, W, 3)."""

    shape: tuple[int, ...]

    def copy(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB, an array of the caller's own."""


@dataclass(frozen=True, slots=True)
class Block:
    """Frames emitted at once.

    `frames`: (N, H, W, 3) uint8 RGB, or (N, H * 3 / 2, W) uint8 planes in I420, BT.601, limited range, with even
    sides; C-contiguous, owned by the block. `exact`: the last frame as RGB where it was made, if `frames` came from
    a device. `emitted_s`: time.monotonic() of the emission. `clipped`, `nan`: how many values lay outside the range,
    and were no number. `is_black`: painted for an emitted None. `converted_s`: time.monotonic() when the pixels were
    here; nan where it is not known.
    """

    frames: NDArray[np.uint8]
    emitted_s: float
    clipped: int = 0
    nan: int = 0
    is_black: bool = False
    converted_s: float = math.nan
    exact: ExactFrame | None = None

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def is_planar(self) -> bool:
        return self.frames.ndim == 3

    @property
    def height_px(self) -> int:
        return height_of(self.frames[0]) if len(self) else 0

    @property
    def width_px(self) -> int:
        return int(self.frames.shape[2])

    @property
    def newest(self) -> ExactFrame:
        """The last frame as RGB: an array, or what stays on its device."""
        return self.frames[-1] if self.exact is None else self.exact


def height_of(picture: NDArray[np.uint8]) -> int:
    """Of a frame as (H, W, 3) RGB, or as (H * 3 / 2, W) planes."""
    rows = int(picture.shape[0])
    return rows if picture.ndim == 3 else rows * 2 // 3


def black_block(height_px: int, width_px: int, reserve: Reserve | None = None) -> Block:
    """One black frame."""
    emitted_s = time.monotonic()
    out = _room((1, height_px, width_px, 3), reserve)
    out.fill(0)
    return Block(out, emitted_s, is_black=True, converted_s=time.monotonic())


def to_block(frames: Any, value_range: tuple[float, float] = (0.0, 1.0), *, reserve: Reserve | None = None) -> Block:
    """An owned uint8 copy of `frames`; an empty input gives a block of no frames.

    Args:
        frames: (H, W, 3), (N, H, W, 3) or channels-first; a leading batch of 1 is dropped, (1, C, T, H, W)
            included. uint8, or float in `value_range`. An array, a tensor on any device, anything with
            `__array__` or DLPack, or a sequence of frames of one size.
        value_range: what black and white are in float input. Values more than half a level outside are
            clipped and counted; NaN is black and counted. A tensor on a device is converted there and waited
            for; device_frames.start_copy does not wait.
        reserve: gives the memory to convert into, once for the whole block; without it, or when it gives
            None, the block lives on the heap.
    Raises:
        FrameShapeError, FrameTypeError: the message names the line that mends it.
        FrameError: a `value_range` that is none.
    Threads: any; no state is kept.
    """
    emitted_s = time.monotonic()
    scale, offset = scale_of(value_range)
    sources = list(_sources_of(frames, scale, offset))
    if not sources:
        return Block(np.empty((0, 0, 0, 3), np.uint8), emitted_s, converted_s=emitted_s)
    sizes = sorted({source.view.shape[1:3] for source in sources})
    if len(sizes) > 1:
        raise FrameShapeError(
            f"emit_block got a sequence of frames of different sizes, {sizes[0]} and {sizes[-1]}. "
            "Emit them one by one: for frame in frames: get_ctx().emit_block(frame)."
        )
    out = _room((sum(len(source.view) for source in sources), *sizes[0], 3), reserve)
    start = clipped = nan = 0
    for source in sources:
        target = out[start : start + len(source.view)]
        more_clipped, more_nan = _fill(target, source, scale, offset)
        start, clipped, nan = start + len(target), clipped + more_clipped, nan + more_nan
    return Block(out, emitted_s, clipped, nan, converted_s=time.monotonic())


@dataclass(frozen=True, slots=True)
class _Source:
    """What one array or tensor was found to be: uint8 or float in host memory, not copied yet.

    `view`: (N, H, W, 3), strides as they come. `clipped`, `nan`: counted already, on a device.
    """

    view: NDArray[Any]
    is_channels_first: bool
    clipped: int = 0
    nan: int = 0


def _sources_of(frames: Any, scale: float, offset: float) -> Iterator[_Source]:
    """One for each array; none for what is empty."""
    if isinstance(frames, (list, tuple)) and any(_is_array_like(item) for item in frames):
        for item in frames:
            yield from _sources_of(item, scale, offset)
        return
    torch = sys.modules.get("torch")
    # Without the attribute torch is just being imported, on another thread.
    tensor_type: Any = getattr(torch, "Tensor", ())
    if torch is not None and isinstance(frames, tensor_type):
        if frames.device.type != "cpu":
            axes = axes_of(tuple(frames.shape))
            if axes is not None:
                pixels, clipped, nan = tensors.from_device(torch, frames, axes, scale, offset)
                yield _Source(pixels, False, clipped, nan)
            return
        array = tensors.from_cpu_tensor(torch, frames)
    else:
        array = _as_array(frames)
    axes = axes_of(array.shape)
    if axes is None:
        return
    if array.dtype.kind == "V" and array.dtype.name.startswith(("bfloat16", "float8")):
        array = array.astype(np.float32)  # ml_dtypes of jax
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise refuse_dtype(str(array.dtype))
    yield _Source(array.reshape(axes.shape).transpose(axes.order), axes.is_channels_first)


def _room(shape: tuple[int, int, int, int], reserve: Reserve | None) -> NDArray[np.uint8]:
    room = reserve(shape) if reserve is not None else None
    return np.empty(shape, np.uint8) if room is None else room


def _fill(out: NDArray[np.uint8], source: _Source, scale: float, offset: float) -> tuple[int, int]:
    """Fills `out`; returns the counts of clipped and NaN values."""
    view = source.view
    if view.dtype != np.uint8:
        return _convert(view, out, scale, offset, is_channels_first=source.is_channels_first)
    if source.is_channels_first:
        # Three strided copies take a third of the time of one transposing copy.
        for channel in range(3):
            out[..., channel] = view[..., channel]
    else:
        copy_pixels(out, view)
    return source.clipped, source.nan


def _convert(
    view: NDArray[Any], out: NDArray[np.uint8], scale: float, offset: float, *, is_channels_first: bool
) -> tuple[int, int]:
    """Fills `out`; returns the counts of clipped and NaN values."""
    clipped = nan = 0
    step = max(1, _GROUP_VALUES // max(1, view[0].size))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(view), step):
            source, target = view[start : start + step], out[start : start + step]
            if is_channels_first:  # worked on plane by plane, as it lies in memory
                source = source.transpose(0, 3, 1, 2)
            # Half a level is in the offset, so that the cast's truncation rounds.
            scratch = np.multiply(source, np.float32(scale), dtype=np.float32, casting="same_kind", order="C")
            scratch += np.float32(offset)
            if scratch.view(np.uint32).max() >= _BITS_256:
                more_clipped, more_nan = _mend(scratch)
                clipped, nan = clipped + more_clipped, nan + more_nan
            if is_channels_first:
                for channel in range(3):
                    np.copyto(target[..., channel], scratch[:, channel], casting="unsafe")
            else:
                np.copyto(target, scratch, casting="unsafe")
    return clipped, nan


def _mend(scratch: NDArray[np.float32]) -> tuple[int, int]:
    is_nan = np.isnan(scratch)
    nan = int(np.count_nonzero(is_nan))
    clipped = int(np.count_nonzero(scratch < 0.0)) + int(np.count_nonzero(scratch >= 256.0))
    if nan:
        scratch[is_nan] = 0.0
    np.clip(scratch, 0.0, 255.0, out=scratch)
    return clipped, nan


def scale_of(value_range: tuple[float, float]) -> tuple[float, float]:
    """What float input is multiplied by, and what is then added, so that cutting off the fraction rounds.

    Raises:
        FrameError: these are no two numbers, of black and of white.
    """
    try:
        low, high = (float(bound) for bound in value_range)
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise FrameError(
            f"emit_block got value_range={value_range!r}; it needs two finite numbers, of black and of white. "
            "Type emit_block(frames, value_range=(-1, 1)) for frames from -1 to 1."
        )
    scale = 255.0 / (high - low)
    return scale, 0.5 - low * scale


def _is_array_like(item: Any) -> bool:
    return hasattr(item, "__array__") or hasattr(item, "__dlpack__") or hasattr(item, "__array_interface__")


def _as_array(frames: Any) -> NDArray[Any]:
    if isinstance(frames, np.ndarray):
        return frames
    if not isinstance(frames, (list, tuple)) and not _is_array_like(frames):
        raise FrameTypeError(
            f"emit_block got a {type(frames).__name__}; it needs an array or tensor (H, W, 3) or (N, H, W, 3), "
            "uint8 or float. Emit np.asarray(frames) if it is an image of another library."
        )
    reasons: list[str] = []
    if hasattr(frames, "__dlpack__"):
        try:
            return tensors.from_dlpack(frames)
        except (AttributeError, BufferError, TypeError, ValueError, RuntimeError) as error:
            reasons.append(str(error))
    is_sequence = isinstance(frames, (list, tuple))
    try:
        if is_sequence or hasattr(frames, "__array__") or hasattr(frames, "__array_interface__"):
            return np.asarray(frames)
    except (TypeError, ValueError, RuntimeError) as error:
        if is_sequence:
            raise FrameShapeError(
                "emit_block got a sequence that is no block: its rows or frames differ in size. "
                "Emit frames of different sizes one by one: for frame in frames: get_ctx().emit_block(frame)."
            ) from error
        reasons.append(str(error))
    raise FrameTypeError(
        f"emit_block got a {type(frames).__name__} that gives no array ({'; '.join(reasons)}). "
        "Bring it to the host first: emit frames.get(), or np.asarray(frames)."
    )
