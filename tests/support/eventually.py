"""Waiting for something that another thread does, without a fixed sleep."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], timeout_s: float = 2.0, interval_s: float = 0.005) -> T:
    """The first truthy value of `check`; AssertionError with the last value after `timeout_s`."""
    pause = threading.Event()
    deadline_s = time.monotonic() + timeout_s
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() >= deadline_s:
            raise AssertionError(f"still {value!r} after {timeout_s:g} s")
        pause.wait(interval_s)
