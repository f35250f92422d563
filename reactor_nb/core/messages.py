"""Messages: what a model sends, kept for those who iterate over it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

MOST_KEPT = 1000


class Messages:
    """The newest 1000 messages of a session. Threads: any."""

    def __init__(self) -> None:
        self._came = threading.Condition()
        self._kept: deque[dict[str, Any]] = deque(maxlen=MOST_KEPT)
        self._count = 0
        self._is_closed = False

    def add(self, message: dict[str, Any]) -> None:
        with self._came:
            self._kept.append(message)
            self._count += 1
            self._came.notify_all()

    def close(self) -> None:
        """No more will come."""
        with self._came:
            self._is_closed = True
            self._came.notify_all()

    def iterate(self, timeout_s: float | None) -> Iterator[dict[str, Any]]:
        """From the oldest kept message on, until close() or until nothing comes for `timeout_s`."""
        number = 0
        while True:
            with self._came:
                self._came.wait_for(lambda seen=number: self._count > seen or self._is_closed, timeout_s)  # type: ignore[misc]
                if self._count <= number:
                    return
                number = max(number, self._count - len(self._kept))
                message = self._kept[number - self._count]
                number += 1
            yield message
