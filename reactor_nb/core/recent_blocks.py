"""RecentBlocks: when the last blocks of a session were made, emitted and handed over."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reactor_nb.core.stages import KEPT_FRAMES


@dataclass(slots=True)
class _Emitted:
    first_number: int
    frames: int
    released_s: float
    emitted_s: float
    converted_s: float
    returned_s: float = math.nan


class RecentBlocks:
    """The times of the blocks that hold the last KEPT_FRAMES frames, on the model's side.

    Threads: none of its own; its owner guards it.
    """

    def __init__(self) -> None:
        self._blocks: deque[_Emitted] = deque(maxlen=KEPT_FRAMES)
        self._released_s = math.nan

    def emitted(self, first_number: int, frames: int, emitted_s: float, converted_s: float) -> None:
        """A converted block is about to be handed over."""
        self._blocks.append(_Emitted(first_number, frames, self._released_s, emitted_s, converted_s))

    def returned(self, now_s: float) -> None:
        """The newest block was handed over, and emit_block returns to the model."""
        if self._blocks:
            self._blocks[-1].returned_s = now_s
        self._released_s = now_s

    def copy(self) -> RecentBlocks:
        """The same blocks; those that are still being handed over are shared."""
        copied = RecentBlocks()
        copied._blocks = self._blocks.copy()
        return copied

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row for each of the last KEPT_FRAMES frames, oldest first: `number`, `emitted_s`, `converted_s`.

        `model_ms`: what the model took for it, from emit_block's return to the next call, and `held_ms`: how long
        emit_block kept it after the conversion; of a block each frame has its share. None is unknown.
        """
        first = self._blocks[-1].first_number + self._blocks[-1].frames - KEPT_FRAMES if self._blocks else 0
        for block in self._blocks:
            model_ms = _share_ms(block.released_s, block.emitted_s, block.frames)
            held_ms = _share_ms(block.converted_s, block.returned_s, block.frames)
            for number in range(max(first, block.first_number), block.first_number + block.frames):
                yield {
                    "number": number,
                    "emitted_s": block.emitted_s,
                    "converted_s": block.converted_s,
                    "model_ms": model_ms,
                    "held_ms": held_ms,
                }


def _share_ms(begins_s: float, ends_s: float, frames: int) -> float | None:
    lasted_ms = 1000 * (ends_s - begins_s) / frames
    return None if math.isnan(lasted_ms) else max(0.0, lasted_ms)
