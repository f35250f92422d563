"""A limit on how long the author's code may keep the calling thread."""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN_S = 0.5
"""A second raise, for code that caught the first one: `except:` without a class."""


class OverTime(BaseException):
    """The limit has passed. A BaseException, so that `except Exception` of the author's does not catch it."""

    def __init__(self, limit_s: float = 0.0) -> None:
        super().__init__(limit_s)
        self.limit_s = limit_s


@contextmanager
def time_limit(limit_s: float) -> Iterator[None]:
    """Raise OverTime in the body once `limit_s` has passed.

    On the main thread of a system with SIGALRM it also ends a sleep or a read that waits; elsewhere it takes effect
    between two lines of Python. C code that never comes back to Python is ended by neither.

    Threads: any.
    """
    can_signal = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    with _by_alarm(limit_s) if can_signal else _by_thread(limit_s):
        yield


@contextmanager
def _by_alarm(limit_s: float) -> Iterator[None]:
    def too_long(number: int, frame: FrameType | None) -> None:
        raise OverTime(limit_s)

    began_s = time.monotonic()
    handler = signal.signal(signal.SIGALRM, too_long)
    left_s, interval_s = signal.setitimer(signal.ITIMER_REAL, limit_s, _AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left_s:
            # Somebody's own alarm goes on where it was, and rings at once if its time has come meanwhile.
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left_s - (time.monotonic() - began_s)), interval_s)


@contextmanager
def _by_thread(limit_s: float) -> Iterator[None]:
    ident = ctypes.c_ulong(threading.get_ident())
    lock = threading.Lock()
    is_over = threading.Event()

    class Over(OverTime):
        # Python makes the exception of a class, without arguments.
        def __init__(self) -> None:
            super().__init__(limit_s)

    def watch() -> None:
        wait_s = limit_s
        while not is_over.wait(wait_s):
            with lock:
                if not is_over.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Over))
            wait_s = _AGAIN_S

    watcher = threading.Thread(target=watch, name="reactor-time-limit", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with lock:
            is_over.set()
            # One that was set and not yet raised must not hit what comes after the body.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, None)
        watcher.join()
