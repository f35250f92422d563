"""Tensors that are no numpy arrays. torch comes in as an argument: it is recognised, never imported."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.layout import Axes, refuse_dtype


def from_cpu_tensor(torch: ModuleType, tensor: Any) -> NDArray[Any]:
    """A view of a torch tensor in host memory; float types that numpy lacks become float32."""
    tensor = tensor.detach()
    if tensor.is_floating_point() and tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.float()
    array: NDArray[Any] = tensor.numpy()
    return array


def from_device(
    torch: ModuleType, tensor: Any, axes: Axes, scale: float, offset: float
) -> tuple[NDArray[np.uint8], int, int]:
    """(N, H, W, 3) uint8 of a torch tensor on a device, and its counts of clipped and NaN values.

    Converted on the device, so that a quarter of the bytes travel; the counts ride at the end of the same
    copy, because asking for them apart would synchronise the device once more.
    """
    view = tensor.detach().reshape(axes.shape).permute(axes.order)
    shape = tuple(view.shape)
    if view.dtype == torch.uint8:
        return view.contiguous().cpu().numpy(), 0, 0
    if not view.is_floating_point():
        raise refuse_dtype(str(view.dtype).removeprefix("torch."))
    scaled = view.float() * scale + offset
    is_nan = torch.isnan(scaled)
    counts = torch.stack([((scaled < 0.0) | (scaled >= 256.0)).sum(), is_nan.sum()]).to(torch.int32)
    # torch's clamp keeps NaN, and casting NaN to uint8 is undefined.
    pixels = scaled.masked_fill(is_nan, 0.0).clamp(0.0, 255.0).to(torch.uint8).contiguous()
    host: NDArray[np.uint8] = torch.cat([pixels.reshape(-1), counts.view(torch.uint8)]).cpu().numpy()
    size = pixels.numel()
    clipped, nan = np.frombuffer(host[size:].tobytes(), np.int32)
    return host[:size].reshape(shape), int(clipped), int(nan)


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
