"""What an object holds in arrays and tensors, and giving back what nobody holds."""

from __future__ import annotations

import gc
import sys
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

_MOST_OBJECTS = 200_000
_NOT_FOLLOWED = (type, ModuleType, FunctionType, BuiltinFunctionType, str, bytes, int, float)


def held_bytes(root: object) -> int:
    """Bytes of the numpy arrays and torch tensors that can be reached from `root`, each counted once.

    Classes, modules and functions are not followed, and at most 200 000 objects are looked at: an estimate.
    """
    tensor_type: Any = getattr(sys.modules.get("torch"), "Tensor", ())
    seen = {id(root)}
    found: list[Any] = [root]
    total = 0
    while found and len(seen) < _MOST_OBJECTS:
        thing = found.pop()
        if isinstance(thing, np.ndarray):
            base = thing.base  # which the collector does not know of
            if not isinstance(base, np.ndarray):
                total += thing.nbytes
            elif id(base) not in seen:
                seen.add(id(base))
                found.append(base)
        elif isinstance(thing, tensor_type):
            total += thing.element_size() * thing.nelement()
            continue
        for referent in gc.get_referents(thing):
            if id(referent) not in seen and not isinstance(referent, _NOT_FOLLOWED):
                seen.add(id(referent))
                found.append(referent)
    return total


def free_unreferenced() -> None:
    """Collect garbage, then hand torch's cached GPU memory back to the device, if torch is loaded."""
    gc.collect()
    # Without the attribute torch is just being imported, on another thread.
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is not None and cuda.is_initialized():
        cuda.empty_cache()


def in_words(count: int) -> str:
    """`1.5 GB`, `12 MB` or `3 kB`."""
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1000:.3g} kB"
