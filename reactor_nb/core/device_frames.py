"""Frames that are made on a device: converted there, copied once and aside, and waited for by another thread.

Everything is queued on the device and nothing is waited for, until PendingBlock.wait(). torch is recognised, never
imported. The port below is all that knows a device, so that the same code runs on CPU tensors in the tests. CUDA
is untried: no card was at hand.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core import tensors
from reactor_nb.core.frames import Block, DeviceLayout, scale_of
from reactor_nb.core.layout import axes_of

MIN_PLANE_SIDE_PX = 16
"""Encoders pad smaller pictures, and those of odd sides: these travel as RGB."""


class Ready(Protocol):
    """The end of a copy."""

    def wait(self) -> None:
        """Return when the copy is there; raises what went wrong on the device until then. Gives up the GIL."""


class DevicePort(Protocol):
    """What is needed of a device."""

    def copy_out(self, sources: Sequence[Any]) -> tuple[list[NDArray[Any]], Ready]:
        """Copy contiguous tensors to the host: arrays that are filled once `Ready` is.

        The copies wait for what the calling thread has queued on its current stream so far, and that stream does
        not wait for them.
        """


class CudaPort:
    """One CUDA (or ROCm) device: copies into pinned memory, on a stream of their own.

    Threads: any.
    """

    def __init__(self, torch: ModuleType, device: Any) -> None:
        self._torch = torch
        self._device = device
        self._side = torch.cuda.Stream(device)

    def copy_out(self, sources: Sequence[Any]) -> tuple[list[NDArray[Any]], Ready]:
        torch, side = self._torch, self._side
        arrays = []
        with torch.cuda.device(self._device):
            side.wait_stream(torch.cuda.current_stream(self._device))
            with torch.cuda.stream(side):
                for source in sources:
                    host = self._pinned(source).copy_(source, non_blocking=True)
                    # Its memory is not to be used again by the model's stream before the copy is done.
                    source.record_stream(side)
                    arrays.append(host.numpy())  # which keeps the pinned memory
                done = torch.cuda.Event(blocking=True)  # else waiting for it burns a core
                done.record(side)
        return arrays, _CudaReady(done)

    def _pinned(self, like: Any) -> Any:
        """Of torch's cache of pinned memory: only the first few are allocated. Not pinned where there is none."""
        # The device is named, as the author may have set another default.
        options = {"dtype": like.dtype, "device": "cpu"}
        try:
            return self._torch.empty(like.shape, pin_memory=True, **options)
        except RuntimeError:
            return self._torch.empty(like.shape, **options)


class _CudaReady:
    def __init__(self, done: Any) -> None:
        self._done = done

    def wait(self) -> None:
        self._done.synchronize()


PORTS: dict[str, Callable[[ModuleType, Any], DevicePort]] = {"cuda": CudaPort}
"""Type of a device -> how to open it. Tensors on other devices are copied at once, and waited for."""

_lock = threading.Lock()
_open_ports: dict[Any, DevicePort] = {}


class DeviceFrame:
    """One exact frame that stays where it was made. `shape`: (H, W, 3).

    Threads: any.
    """

    def __init__(self, port: DevicePort, pixels: Any) -> None:
        self._port = port
        self._pixels = pixels
        self.shape: tuple[int, ...] = tuple(pixels.shape)

    def copy(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 in host memory of its own. Waits for the copy, not for what the model has queued.

        Raises:
            RuntimeError: torch's own; the device failed.
        """
        (pixels,), ready = self._port.copy_out([self._pixels])
        ready.wait()
        return pixels.copy()


class PendingBlock:
    """A block on its way from a device. Made by `start_copy`.

    Threads: `wait` on any, once.
    """

    def __init__(
        self, frames: NDArray[np.uint8], counts: NDArray[np.int32] | None, exact: DeviceFrame, ready: Ready, at_s: float
    ) -> None:
        self.emitted_s = at_s
        self._frames = frames
        self._counts = counts
        self._exact = exact
        self._ready = ready

    def __len__(self) -> int:
        return len(self._frames)

    def wait(self) -> Block:
        """The block, once the device has made and copied it.

        Raises:
            RuntimeError: torch's own; work that was queued before has failed on the device.
        """
        self._ready.wait()
        clipped, nan = (0, 0) if self._counts is None else (int(count) for count in self._counts)
        return Block(self._frames, self.emitted_s, clipped, nan, converted_s=time.monotonic(), exact=self._exact)


def start_copy(
    frames: Any, value_range: tuple[float, float] = (0.0, 1.0), layout: DeviceLayout = DeviceLayout.RGB
) -> PendingBlock | None:
    """Queue the conversion and the copy of a tensor on a device; None if `frames` is no such tensor, or is empty.

    All work is queued on the current stream of the calling thread, behind what made the tensor: conversion into
    uint8 RGB of our own, and into planes where the layout asks for them and the sides are even. One copy of the
    result then goes to pinned memory on a side stream, which waits for this work, and for which the model's stream
    does not wait; the counts of clipped values ride along. Of the RGB the last frame stays on the device.

    The tensor may be written to at once by work on the same stream.

    Args:
        frames, value_range: as to_block takes them.
    Raises:
        FrameShapeError, FrameTypeError, FrameError: as to_block.
        RuntimeError: torch's own, as when the device has no memory left.
    Threads: any.
    """
    torch = sys.modules.get("torch")
    # Without the attribute torch is just being imported, on another thread.
    tensor_type: Any = getattr(torch, "Tensor", ())
    if torch is None or not isinstance(frames, tensor_type) or frames.device.type not in PORTS:
        return None
    emitted_s = time.monotonic()
    scale, offset = scale_of(value_range)
    axes = axes_of(tuple(frames.shape))
    if axes is None:
        return None
    port = _port(torch, frames.device)
    rgb, counts = tensors.rgb_of(torch, frames, axes, scale, offset)
    _, height_px, width_px, _ = rgb.shape
    is_planar = (
        layout is DeviceLayout.PLANES
        and not (height_px % 2 or width_px % 2)
        and min(height_px, width_px) >= MIN_PLANE_SIDE_PX
    )
    sources = [tensors.planes_of(torch, rgb) if is_planar else rgb]
    if counts is not None:
        sources.append(counts)
    # Of a long block one frame is kept, not all of them. Before the copy, whose end says that this is there as well:
    # who reads it later may do so on another stream.
    newest = rgb[-1] if len(rgb) == 1 else rgb[-1].clone()
    arrays, ready = port.copy_out(sources)
    exact = DeviceFrame(port, newest)
    return PendingBlock(arrays[0], arrays[1] if counts is not None else None, exact, ready, emitted_s)


def _port(torch: ModuleType, device: Any) -> DevicePort:
    with _lock:
        port = _open_ports.get(device)
        if port is None:
            port = _open_ports[device] = PORTS[device.type](torch, device)
        return port
