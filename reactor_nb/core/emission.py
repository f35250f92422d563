"""Emission: what a session has emitted so far; counts, rate and the newest exact frame."""

from __future__ import annotations

import math
import threading
import time
import zlib
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.frames import Block, ExactFrame
from reactor_nb.core.recent_blocks import RecentBlocks

# What black is painted at before the first frame.
_FIRST_SIZE_PX = (480, 640)


class RateMeter:
    """Frames per second over the last emissions. Threads: guarded by its owner."""

    def __init__(self) -> None:
        self._emissions: deque[tuple[float, int]] = deque(maxlen=60)
        self._frozen_fps: float | None = None

    def count(self, frames: int, now_s: float) -> None:
        if self._frozen_fps is None:
            self._emissions.append((now_s, frames))

    def rate_fps(self, now_s: float) -> float:
        """Falls towards 0 when nothing comes any more; 0 before the second emission."""
        if self._frozen_fps is not None:
            return self._frozen_fps
        if len(self._emissions) < 2:
            return 0.0
        first_s, last_s = self._emissions[0][0], self._emissions[-1][0]
        frames = sum(count for _, count in self._emissions) - self._emissions[0][1]
        # A pause counts once it is clearly longer than the usual time between emissions.
        usual_s = (last_s - first_s) / (len(self._emissions) - 1)
        span_s = max(last_s - first_s, now_s - first_s - 2 * usual_s)
        return frames / span_s if span_s > 0 else 0.0

    def freeze(self, now_s: float) -> None:
        self._frozen_fps = self.rate_fps(now_s)

    def start(self) -> None:
        """Begin anew. Does nothing while it runs already."""
        if self._frozen_fps is not None:
            self._frozen_fps = None
            self._emissions.clear()


@dataclass(frozen=True, slots=True)
class Noticed:
    """What a block is the first of."""

    is_first: bool
    is_new_size: bool
    warning: str


@dataclass(frozen=True, slots=True)
class _Packed:
    """A frame without loss, in fewer bytes. `shape`: (H, W, 3)."""

    bytes: bytes
    shape: tuple[int, ...]


class Emission:
    """Counts what is emitted. Threads: any; one lock guards every field."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._meter = RateMeter()
        self._recent = RecentBlocks()
        self._newest: ExactFrame | None = None
        self._packed: _Packed | None = None
        self._frames = 0
        self._emissions = 0
        self._empty = 0
        self._clipped = 0
        self._nan = 0
        self._black = 0
        self._convert_s = 0.0
        self._held_s = 0.0

    @property
    def frames(self) -> int:
        with self._lock:
            return self._frames

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width of the newest frame; 480, 640 before the first."""
        with self._lock:
            return self._size_px() or _FIRST_SIZE_PX

    def newest(self) -> tuple[NDArray[np.uint8], int] | None:
        """A copy of the newest frame, and its number. One that is on a device is copied now.

        Raises:
            RuntimeError: torch's own; the device has failed.
        """
        with self._lock:
            newest, packed, number = self._newest, self._packed, self._frames - 1
        if packed is not None:
            unpacked = np.frombuffer(zlib.decompress(packed.bytes), np.uint8)
            return unpacked.reshape(packed.shape).copy(), number  # a caller may write to what it gets
        return None if newest is None else (newest.copy(), number)

    def count_empty(self) -> str:
        """An emission of no frames; what to tell of it, the first time."""
        with self._lock:
            self._empty += 1
            is_first = self._empty == 1
        return "emit_block got a block of no frames, which shows nothing; it is counted as empty." if is_first else ""

    def begin(self, block: Block) -> Noticed:
        """A converted block is about to be handed over."""
        now_s = time.monotonic()
        with self._lock:
            newest = block.newest
            is_first = self._newest is None
            is_new_size = self._newest is None or self._newest.shape != newest.shape
            warning = self._warning(block)
            self._newest = newest
            converted_s = now_s if math.isnan(block.converted_s) else block.converted_s
            self._recent.emitted(self._frames, len(block), block.emitted_s, converted_s)
            self._frames += len(block)
            self._emissions += 1
            self._clipped += block.clipped
            self._nan += block.nan
            self._black += block.is_black
            self._convert_s += now_s - block.emitted_s
            self._meter.count(len(block), block.emitted_s)
        return Noticed(is_first, is_new_size, warning)

    def handed_over(self, held_s: float) -> None:
        """The hand-over took `held_s`, in which a fast model is held."""
        now_s = time.monotonic()
        with self._lock:
            self._held_s += held_s
            self._recent.returned(now_s)

    def recent(self) -> list[dict[str, Any]]:
        """A row for each of the last 300 frames, as RecentBlocks.rows."""
        with self._lock:
            recent = self._recent.copy()  # the rows are made while frames go on
        return list(recent.rows())

    def set_monitoring(self, is_on: bool) -> None:
        with self._lock:
            if is_on:
                self._meter.start()
            else:
                self._meter.freeze(time.monotonic())

    def end(self) -> None:
        """The rate stands still, and of the frames the newest is kept, packed.

        A notebook holds each ended session in its output history: unpacked, every re-run of a cell would
        cost a raw frame for as long as the kernel lives.
        """
        with self._lock:
            self._meter.freeze(time.monotonic())
            newest = self._newest
        if newest is None:
            return
        try:
            packed = _Packed(zlib.compress(np.ascontiguousarray(newest.copy()).data, level=1), newest.shape)
        except RuntimeError:
            return  # torch's: the device that has the frame has failed; newest() says so to whoever asks
        with self._lock:
            self._packed, self._newest = packed, None

    def stats(self) -> dict[str, Any]:
        with self._lock:
            height_px, width_px = self._size_px() or (0, 0)
            emissions = max(1, self._emissions)
            return {
                "rate_fps": self._meter.rate_fps(time.monotonic()),
                "width_px": width_px,
                "height_px": height_px,
                "emissions": self._emissions,
                "empty_blocks": self._empty,
                "clipped_values": self._clipped,
                "nan_values": self._nan,
                "convert_ms": 1000 * self._convert_s / emissions,
                "held_ms": 1000 * self._held_s / emissions,
            }

    def _size_px(self) -> tuple[int, int] | None:
        kept = self._newest if self._newest is not None else self._packed
        return None if kept is None else (kept.shape[0], kept.shape[1])

    def _warning(self, block: Block) -> str:
        """Each kind once in a session."""
        warnings = []
        if block.clipped and not self._clipped:
            warnings.append(
                f"{block.clipped} values of a frame lay outside value_range and were clipped. Frames from -1 to 1? "
                "Type: emit_block(frames, value_range=(-1, 1)). From 0 to 255? value_range=(0, 255)."
            )
        if block.is_black and not self._black:
            warnings.append("emit_block(None) paints black. Was a frame meant? See that generate() returns its frame.")
        if block.nan and not self._nan:
            warnings.append(f"{block.nan} values of a frame were NaN and are black. Look for them: np.isnan(frames)")
        return " ".join(warnings)
