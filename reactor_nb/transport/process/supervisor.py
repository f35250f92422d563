"""Keeps one media process running: starts it, reads what it says, starts another when it dies."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from reactor_nb.errors import MessageError, ReactorError
from reactor_nb.transport.process.control import Message
from reactor_nb.transport.process.spawn import MediaProcess

MOST_CRASHES = 3
CRASH_WINDOW_S = 10.0
READY_TIMEOUT_S = 20.0
SHUTDOWN_S = 0.3
THREAD_NAME = "reactor-media-link"


class CrashLimit:
    """Whether to try again: not after `most` crashes within `window_s`."""

    def __init__(self, most: int = MOST_CRASHES, window_s: float = CRASH_WINDOW_S) -> None:
        self._most = most
        self._window_s = window_s
        self._crashes_s: deque[float] = deque()

    def crashed(self, now_s: float) -> bool:
        """Count a crash; whether it was one too many."""
        self._crashes_s.append(now_s)
        while self._crashes_s[0] < now_s - self._window_s:
            self._crashes_s.popleft()
        return len(self._crashes_s) >= self._most


class SupervisorEvents(Protocol):
    """Told on the supervisor's thread."""

    def crashed(self, how: str) -> None:
        """It ended, or was not to be started, and nobody had told it to."""

    def renew(self, process: MediaProcess) -> None:
        """The process before is gone; from now on everything goes to this one, which is just being started."""

    def received(self, message: Message) -> None: ...

    def give_up(self, why: str) -> None:
        """There will be no further process."""


class Supervisor:
    """The thread `reactor-media-link`: one media process after another until close().

    Args:
        process: the first one, not yet started. Its sockets take messages and frames from the beginning.
        events: told of everything.
        limit: how many crashes are too many.
        make: makes each later process.
    Threads: close from any but its own.
    """

    def __init__(
        self,
        process: MediaProcess,
        events: SupervisorEvents,
        limit: CrashLimit,
        make: Callable[[], MediaProcess] = MediaProcess,
    ) -> None:
        self._process = process
        self._events = events
        self._limit = limit
        self._make = make
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def is_current(self) -> bool:
        """Whether this is the supervisor's thread."""
        return threading.current_thread() is self._thread

    def expect_end(self) -> None:
        """The process is about to be told to close: its end is no crash, and no other follows it."""
        self._ending.set()

    def close(self, timeout_s: float) -> None:
        """After expect_end: wait for the end of the process; after `timeout_s` it is killed. Idempotent."""
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._process.kill()
            self._thread.join(2.0)

    def _run(self) -> None:
        while True:
            process = self._process
            problem, is_over = self._live(process)
            # A kernel that shuts down ends its children first, and says so to us a moment later.
            if not self._ending.wait(SHUTDOWN_S if process.was_terminated else 0.0):
                self._events.crashed(problem)
                if is_over or not self._renew():
                    self._events.give_up(problem)
            # Last: until it is replaced the sinks go on writing into its socket.
            process.close()
            if self._process is process:
                return

    def _live(self, process: MediaProcess) -> tuple[str, bool]:
        """The process from start to end: how it ended, and whether that was once too often."""
        if self._ending.is_set():
            return "", True
        try:
            process.start()
        except ReactorError as unstartable:
            return str(unstartable), True
        return self._serve(process), self._limit.crashed(time.monotonic())

    def _renew(self) -> bool:
        try:
            process = self._make()
        except OSError as error:
            self._events.crashed(f"No media process can be made: {error}.")
            return False
        self._events.renew(process)
        self._process = process
        return True

    def _serve(self, process: MediaProcess) -> str:
        """Pass on what the process says until its end; how it ended."""
        late = threading.Timer(READY_TIMEOUT_S, process.kill)
        late.daemon = True
        late.start()
        said = ""
        try:
            while (message := process.receive()) is not None:
                if message["type"] == "ready":
                    late.cancel()
                self._events.received(message)
        except MessageError as error:
            said = f"{error} "
            process.kill()
        finally:
            late.cancel()
        process.wait(timeout_s=1.0)
        return said + process.epitaph()
