"""The one event loop of the media side, on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from reactor_nb.errors import ClosedError, ReactorError, WrongThreadError

THREAD_NAME = "reactor-media-loop"

T = TypeVar("T")

_log = logging.getLogger(__name__)


class MediaLoop:
    """An asyncio loop on the thread `reactor-media-loop`, started with the first use.

    Threads: submit, post, tasks and close from any thread; close not from the loop's own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop.

        Raises:
            ClosedError: after close().
        """
        try:
            with self._lock:
                return asyncio.run_coroutine_threadsafe(coroutine, self._running())
        except ClosedError:
            coroutine.close()
            raise

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function on the loop soon, in the order of the posts.

        Raises:
            ClosedError: after close().
        """
        with self._lock:
            self._running().call_soon_threadsafe(function, *args)

    def is_current(self) -> bool:
        """Whether this is the loop's thread."""
        return threading.current_thread() is self._thread

    def tasks(self) -> int:
        """How many tasks are not done: a number that stays the same while the same pages look on."""
        with self._lock:
            return len(asyncio.all_tasks(self._loop)) if self._loop is not None and not self._is_closed else 0

    def close(self, timeout_s: float = 5.0) -> None:
        """Cancel what still runs and join the thread. Idempotent.

        Raises:
            WrongThreadError: on the loop's own thread, which cannot wait for itself.
            ReactorError: the thread did not end within timeout_s.
        """
        if self.is_current():
            raise WrongThreadError(f"close() was called on {THREAD_NAME} itself; call it from another thread.")
        with self._lock:
            is_first, self._is_closed = not self._is_closed, True
            loop, thread = self._loop, self._thread
            if loop is not None and is_first:
                loop.call_soon_threadsafe(loop.stop)
        if thread is not None:
            thread.join(timeout_s)
            if thread.is_alive():
                raise ReactorError(f"{THREAD_NAME} did not stop within {timeout_s:g} s.")

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._is_closed:
            raise ClosedError("The media loop is closed; make a new link.")
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name=THREAD_NAME, daemon=True)
            self._thread.start()
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(_log_exception)
        try:
            loop.run_forever()
        finally:
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            loop.close()


def _log_exception(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _log.error("%s: %s", THREAD_NAME, context.get("message"), exc_info=context.get("exception"))
