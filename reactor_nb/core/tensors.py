"""Tensors that are no numpy arrays. torch comes in as an argument: it is recognised, never imported."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.layout import Axes, refuse_dtype

_GROUP_VALUES = 32_000_000

# BT.601 in limited range, from full-range RGB: weights of red, green and blue.
_LUMA = (0.299 * 219 / 255, 0.587 * 219 / 255, 0.114 * 219 / 255)
_BLUE = (-0.299 / 1.772 * 224 / 255, -0.587 / 1.772 * 224 / 255, 0.5 * 224 / 255)
_RED = (0.5 * 224 / 255, -0.587 / 1.402 * 224 / 255, -0.114 / 1.402 * 224 / 255)


def from_cpu_tensor(torch: ModuleType, tensor: Any) -> NDArray[Any]:
    """A view of a torch tensor in host memory; float types that numpy lacks become float32."""
    tensor = tensor.detach()
    if tensor.is_floating_point() and tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.float()
    array: NDArray[Any] = tensor.numpy()
    return array


def rgb_of(torch: ModuleType, tensor: Any, axes: Axes, scale: float, offset: float) -> tuple[Any, Any | None]:
    """(N, H, W, 3) uint8 where the tensor is, of its own and contiguous, and int32 counts of clipped and NaN values.

    The counts are None for uint8, which has none. Only queued on the device: nothing is waited for.

    Raises:
        FrameTypeError: neither uint8 nor float.
    """
    view = tensor.detach().reshape(axes.shape).permute(axes.order)
    if view.dtype == torch.uint8:
        return view.clone(memory_format=torch.contiguous_format), None
    if not view.is_floating_point():
        raise refuse_dtype(str(view.dtype).removeprefix("torch."))
    pixels = torch.empty(tuple(view.shape), dtype=torch.uint8, device=view.device)
    counts = torch.zeros(2, dtype=torch.int32, device=view.device)
    for part in _parts(view):
        scaled = view[part].float() * scale + offset
        is_nan = torch.isnan(scaled)
        counts += torch.stack([((scaled < 0.0) | (scaled >= 256.0)).sum(), is_nan.sum()]).to(torch.int32)
        # torch's clamp keeps NaN, and casting NaN to uint8 is undefined.
        pixels[part] = scaled.masked_fill_(is_nan, 0.0).clamp_(0.0, 255.0).to(torch.uint8)
    return pixels, counts


def planes_of(torch: ModuleType, rgb: Any) -> Any:
    """(N, H * 3 / 2, W) uint8 of (N, H, W, 3) uint8 RGB, both sides even: I420, BT.601, limited range.

    What swscale makes of it within one level; colour is the mean of four pixels. Only queued on the device.
    """
    count, height_px, width_px, _ = rgb.shape
    planes = torch.empty((count, height_px * 3 // 2, width_px), dtype=torch.uint8, device=rgb.device)
    flat = planes.view(count, -1)
    luma = height_px * width_px
    y = flat[:, :luma].view(count, height_px, width_px)
    u = flat[:, luma : luma * 5 // 4].view(count, height_px // 2, width_px // 2)
    v = flat[:, luma * 5 // 4 :].view(count, height_px // 2, width_px // 2)
    for part in _parts(rgb):
        colours = rgb[part].permute(0, 3, 1, 2).float()
        y[part] = _mixed(colours, _LUMA, 16.5)
        means = torch.nn.functional.avg_pool2d(colours, 2)
        u[part] = _mixed(means, _BLUE, 128.5)
        v[part] = _mixed(means, _RED, 128.5)
    return planes


def _mixed(colours: Any, weights: tuple[float, float, float], offset: float) -> Any:
    """A weighted sum of the channels of (N, 3, H, W); half a level in the offset makes the cast round."""
    mixed = colours[:, 0] * weights[0]
    mixed.add_(colours[:, 1], alpha=weights[1]).add_(colours[:, 2], alpha=weights[2]).add_(offset)
    return mixed.byte()


def _parts(frames: Any) -> Iterator[slice]:
    """Groups of frames: the scratch in float32 stays near 128 MB, however long a block is."""
    step = max(1, _GROUP_VALUES // max(1, frames[0].numel()))
    for start in range(0, len(frames), step):
        yield slice(start, start + step)


def from_device(
    torch: ModuleType, tensor: Any, axes: Axes, scale: float, offset: float
) -> tuple[NDArray[np.uint8], int, int]:
    """(N, H, W, 3) uint8 of a torch tensor on a device, and its counts of clipped and NaN values.

    Waits until the device has made it. Converted there, so that a quarter of the bytes travel; the counts ride at
    the end of the same copy, because asking for them apart would synchronise the device once more.
    """
    pixels, counts = rgb_of(torch, tensor, axes, scale, offset)
    if counts is None:
        return pixels.cpu().numpy(), 0, 0
    host: NDArray[np.uint8] = torch.cat([pixels.reshape(-1), counts.view(torch.uint8)]).cpu().numpy()
    size = pixels.numel()
    clipped, nan = np.frombuffer(host[size:].tobytes(), np.int32)
    return host[:size].reshape(tuple(pixels.shape)), int(clipped), int(nan)


def from_dlpack(tensor: Any) -> NDArray[Any]:
    """A host array of anything with DLPack; what lies on a device is copied (numpy 2.1 and later).

    Raises:
        BufferError, TypeError, ValueError, RuntimeError: the library's own reason.
    """
    from_any: Any = np.from_dlpack
    try:
        return np.asarray(from_any(tensor))
    except (BufferError, RuntimeError):
        return np.asarray(from_any(tensor, device="cpu", copy=True))
