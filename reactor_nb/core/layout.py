"""Which axis of what was emitted is which; and the line that mends a shape or dtype that is none."""

from __future__ import annotations

from dataclasses import dataclass

from reactor_nb.errors import FrameShapeError, FrameTypeError

_NEEDED = "it needs (H, W, 3) or (N, H, W, 3)"


@dataclass(frozen=True, slots=True)
class Axes:
    """`reshape(shape)`, then `transpose(order)`, gives (N, H, W, 3) without a copy of contiguous input."""

    shape: tuple[int, ...]
    order: tuple[int, int, int, int]
    is_channels_first: bool


def axes_of(shape: tuple[int, ...]) -> Axes | None:
    """How to read `shape`; None for an empty block.

    Last axis 3 is channels-last, else third-last axis 3 is channels-first; a leading batch of 1 of five
    axes is dropped, and (1, 3, T, H, W) is read as T frames.

    Raises:
        FrameShapeError: any other shape.
    """
    shape = tuple(int(length) for length in shape)
    core = shape[1:] if len(shape) == 5 and shape[0] == 1 else shape
    if core and core[0] == 0:
        return None
    if len(core) in (3, 4) and 0 not in core:
        block = core if len(core) == 4 else (1, *core)
        if block[-1] == 3:
            return Axes(block, (0, 1, 2, 3), False)
        if block[-3] == 3:
            return Axes(block, (0, 2, 3, 1), True)
        if len(shape) == 5 and core[0] == 3:
            return Axes(block, (1, 2, 3, 0), True)
    raise FrameShapeError(f"emit_block got shape {shape}; {_NEEDED}. {_mend(shape)}")


def _mend(shape: tuple[int, ...]) -> str:
    axes = len(shape)
    if 0 in shape:
        return "A frame without pixels cannot be shown; emit nothing instead."
    if axes == 5 and shape[0] != 1:
        return "A batch? Emit one item of it: frames[0]."
    if axes in (3, 4) and shape[-1] == 4:
        return "RGBA frames? Emit frames[..., :3]."
    if axes in (3, 4) and shape[-1] == 1:
        return "Gray frames? Emit np.repeat(frames, 3, axis=-1)."
    if axes == 4 and shape[0] == 3:
        return "Channels before time, (3, T, H, W)? Emit frames.swapaxes(0, 1)."
    if axes in (3, 4) and shape[-3] == 4:
        return "RGBA frames, channels first? Emit frames[..., :3, :, :]. Latents? Decode them first."
    if axes == 4 and shape[-3] == 1:
        return "Gray frames, channels first? Emit np.repeat(frames, 3, axis=-3)."
    if axes in (2, 3):
        return "Gray frames? Emit np.repeat(frames[..., None], 3, axis=-1)."
    return "Frames are RGB, their channels on the last axis or before height and width: check frames.shape."


def refuse_dtype(dtype: str) -> FrameTypeError:
    """The error for a dtype that is neither uint8 nor float."""
    if "bool" in dtype:
        mend = "A mask? Emit frames.astype(np.uint8) * 255."
    elif "int" in dtype:
        mend = "Values from 0 to 255? Emit np.clip(frames, 0, 255).astype(np.uint8)."
    elif "complex" in dtype:
        mend = "Emit np.abs(frames), with value_range=(0, its greatest value)."
    else:
        mend = "Emit np.asarray(frames, dtype=np.float32), and its value_range."
    return FrameTypeError(f"emit_block got dtype {dtype}; it needs uint8, or float in value_range. {mend}")
