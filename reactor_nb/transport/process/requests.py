"""What was asked of the media process and is not answered yet."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from concurrent.futures import Future, InvalidStateError
from typing import Any

from reactor_nb import errors
from reactor_nb.errors import CarrierError, ReactorError
from reactor_nb.transport.process.control import Message

_BY_CODE: dict[str, type[ReactorError]] = {
    each.code: each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ReactorError)
}


class Requests:
    """Futures by number. Threads: any; callbacks of a future run on the thread that answers or fails it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[int, Future[Any]] = {}
        self._last = 0

    def __len__(self) -> int:
        with self._lock:
            return len(self._pending)

    def add(self) -> tuple[int, Future[Any]]:
        """A number for the wire, and the future of its answer."""
        future: Future[Any] = Future()
        with self._lock:
            self._last += 1
            self._pending[self._last] = future
            return self._last, future

    def answer(self, message: Message) -> None:
        """Settle the request that a `done` or `failed` message belongs to; an unknown one was given up before."""
        future = self._take(message["id"])
        if future is None:
            return
        if message["type"] == "done":
            _settle(future, message["result"])
        else:
            _settle(future, error_of(message["error"]))

    def fail(self, request: int, error: ReactorError) -> bool:
        """Give one up; whether it was still pending."""
        future = self._take(request)
        if future is not None:
            _settle(future, error)
        return future is not None

    def take_all(self) -> list[Future[Any]]:
        """All that are pending; nobody else will settle them."""
        with self._lock:
            pending, self._pending = list(self._pending.values()), {}
        return pending

    def _take(self, request: int) -> Future[Any] | None:
        with self._lock:
            return self._pending.pop(request, None)


def error_of(wire: dict[str, Any]) -> ReactorError:
    """The error whose to_wire() this is, as far as it can be told."""
    kind = _BY_CODE.get(str(wire.get("code")), ReactorError)
    return kind(str(wire.get("message", "The media process gave no reason.")))


def fail_all(futures: Iterable[Future[Any]], why: str) -> None:
    """Give each one up, as who should answer has gone."""
    for future in futures:
        _settle(future, CarrierError(why))


def _settle(future: Future[Any], outcome: object) -> None:
    with contextlib.suppress(InvalidStateError):  # cancelled by who asked
        if isinstance(outcome, ReactorError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
