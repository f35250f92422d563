"""Copying pixels without giving up the GIL.

np.copyto gives the GIL up and then waits up to 5 ms to get it back while another thread runs pure Python;
a memoryview keeps it. The copy of a 720p frame takes 0.1 ms, so keeping it holds nobody up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Between two pieces the interpreter may switch threads, as between any two lines: a long block holds
# the others up no longer than the 0.5 ms that a piece takes.
_PIECE_BYTES = 4 << 20


def copy_pixels(target: NDArray[np.uint8], source: NDArray[np.uint8]) -> None:
    """Copy (N, H, W, 3) or any other shape, the same for both.

    Contiguous arrays are copied as bytes, others with numpy, which gives up the GIL.
    Raises:
        ValueError: the shapes differ.
    Threads: any.
    """
    if target.shape != source.shape:
        raise ValueError(f"cannot copy pixels of shape {source.shape} into {target.shape}")
    if not source.size:
        return
    if not (target.flags.c_contiguous and source.flags.c_contiguous):
        np.copyto(target, source)
        return
    into, out_of = target.data.cast("B"), source.data.cast("B")
    for start in range(0, len(into), _PIECE_BYTES):
        into[start : start + _PIECE_BYTES] = out_of[start : start + _PIECE_BYTES]
