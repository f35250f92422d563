"""CallRecord: each call of a page is run once, by whichever road it comes and however often."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MOST_CALLS = 256
MOST_BYTES = 2_000_000
"""Of answers that are kept to be given again. What a page was sent is at most 250 kB."""

Reply = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class _Call:
    answer: dict[str, Any] | None = None
    size_bytes: int = 0
    asking: list[Reply] = field(default_factory=list)


class CallRecord:
    """The newest calls of one model's pages, by id, with their answers.

    A page that loses the road by which it has sent a call sends it again by the other one, with the same id: it
    cannot know whether the call or its answer was lost. The page takes the first answer that comes.

    Threads: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: OrderedDict[str, _Call] = OrderedDict()
        self._bytes = 0

    def begin(self, call_id: str, reply: Reply) -> Reply | None:
        """What to answer the call with, once; None if it came before: `reply` gets the answer of its first run."""
        with self._lock:
            before = self._calls.get(call_id)
            if before is None:
                self._calls[call_id] = _Call(asking=[reply])
                self._forget()
                return lambda answer: self._answer(call_id, reply, answer)
            if before.answer is None:
                before.asking.append(reply)
                return None
            answer = before.answer
        reply(answer)
        return None

    def _answer(self, call_id: str, first: Reply, answer: dict[str, Any]) -> None:
        size_bytes = _size_of(answer)
        with self._lock:
            call = self._calls.get(call_id)
            asking = [first]
            if call is not None and call.answer is None:
                asking, call.asking = call.asking, []
                call.answer, call.size_bytes = answer, size_bytes
                self._bytes += size_bytes
                self._forget()
        for reply in asking:
            reply(answer)

    def _forget(self) -> None:
        """The oldest first, but not the newest: it has just come."""
        while len(self._calls) > MOST_CALLS or (self._bytes > MOST_BYTES and len(self._calls) > 1):
            self._bytes -= self._calls.popitem(last=False)[1].size_bytes


def _size_of(answer: dict[str, Any]) -> int:
    try:
        return len(json.dumps(answer))
    except (TypeError, ValueError):  # it cannot be sent either, and is answered with that
        return 0
