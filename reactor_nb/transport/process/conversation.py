"""The kernel's side of the control channel: messages told, questions asked, and their answers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from typing import Any

from reactor_nb import errors
from reactor_nb.errors import CarrierError, ReactorError
from reactor_nb.transport.process.channel import MAX_QUEUED_BYTES, Channel
from reactor_nb.transport.process.control import Message

_ASKED_AGAIN = frozenset({"offer", "stats", "timeline"})
"""Questions that come as often as pages and people ask; the others open and end what the process has."""

_BY_CODE: dict[str, type[ReactorError]] = {
    each.code: each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, ReactorError) and "code" in vars(each)
}


class Conversation:
    """With one media process after another.

    Threads: any; callbacks of an answer run on the thread that calls `answered`, `renew` or `end`. One lock
        guards the channel and what is pending, so nothing is asked of a process whose questions were given up.
    """

    def __init__(self, channel: Channel) -> None:
        self._lock = threading.Lock()
        self._channel = channel
        self._pending: dict[int, Future[Any]] = {}
        self._last = 0
        self._ended = ""
        self._late_refusal: threading.Timer | None = None

    def tell(self, message: Message, *, is_droppable: bool = False) -> bool:
        """Post a message; False if it was not taken, see Channel.post."""
        with self._lock:
            channel = self._channel
        return channel.post(message, is_droppable=is_droppable)

    def ask(
        self, question: Message, timeout_s: float | None = None, unanswered: Callable[[], None] = lambda: None
    ) -> Future[Any]:
        """Post a question, without its `id`; the answer. Without one after `timeout_s` it fails.

        Then `unanswered` is called, on a thread of its own. The exception of the future is the ReactorError that
        the process answered with, or a CarrierError; at once, when the process reads so little that there is no room
        for the question.
        """
        answer: Future[Any] = Future()
        is_unread = False
        with self._lock:
            why, channel = self._ended, self._channel
            self._last += 1
            number = self._last
            if not why:
                try:
                    is_taken = channel.post({**question, "id": number}, is_droppable=question["type"] in _ASKED_AGAIN)
                    is_unread = not is_taken and not channel.is_closed  # a closed one is about to be replaced
                    if is_unread:
                        why = (
                            f"The media process does not read: {MAX_QUEUED_BYTES >> 20} MiB wait for it, and "
                            f"{channel.refused} messages were refused, this {question['type']} among them. "
                            "Connect again."
                        )
                    else:
                        self._pending[number] = answer
                except ReactorError as error:
                    why = str(error)
        if why:
            answer.set_exception(CarrierError(why))
            if is_unread and timeout_s is not None:
                self._look_later(timeout_s, unanswered)
        elif timeout_s is not None:
            late = threading.Timer(timeout_s, self._give_up, (number, question["type"], timeout_s, unanswered))
            late.daemon = True
            answer.add_done_callback(lambda done: late.cancel())
            late.start()
        return answer

    def wait(self, question: Message, timeout_s: float) -> Any:
        """Ask and wait; None when there is no answer in time, or another process starts instead."""
        answer = self.ask(question)
        try:
            return answer.result(timeout_s)
        except TimeoutError:
            with self._lock:
                self._pending = {number: each for number, each in self._pending.items() if each is not answer}
        except ReactorError:
            pass
        return None

    def answered(self, message: Message) -> None:
        """Settle the question that a `done` or `failed` message belongs to; an unknown one was given up before."""
        with self._lock:
            answer = self._pending.pop(message["id"], None)
        if answer is None:
            return
        if message["type"] == "done":
            _settle(answer, message["result"])
        else:
            _settle(answer, error_of(message["error"]))

    def renew(self, channel: Channel) -> list[Future[Any]]:
        """Go on with another process; the questions that the one before did not answer, to be given up."""
        with self._lock:
            self._channel = channel
            return self._take_pending()

    def end(self, why: str) -> None:
        """Every question, pending or to come, fails with `why`. Idempotent."""
        with self._lock:
            self._ended = why
            pending = self._take_pending()
        give_up(pending, why)

    def _take_pending(self) -> list[Future[Any]]:
        if self._late_refusal is not None:
            self._late_refusal.cancel()
        pending, self._pending = list(self._pending.values()), {}
        return pending

    def _look_later(self, timeout_s: float, unanswered: Callable[[], None]) -> None:
        """For all questions that are refused until then, the first one's `unanswered` is called."""
        with self._lock:
            if self._late_refusal is not None and self._late_refusal.is_alive():
                return
            late = self._late_refusal = threading.Timer(timeout_s, unanswered)
            late.daemon = True
            late.start()

    def _give_up(self, number: int, kind: str, timeout_s: float, unanswered: Callable[[], None]) -> None:
        with self._lock:
            answer = self._pending.pop(number, None)
        if answer is not None:
            why = f"The media process did not answer the {kind} within {timeout_s:g} s. Connect again."
            _settle(answer, CarrierError(why))
            unanswered()


def give_up(answers: Iterable[Future[Any]], why: str) -> None:
    """Fail each one: who should answer has gone."""
    for answer in answers:
        _settle(answer, CarrierError(why))


def error_of(wire: dict[str, Any]) -> ReactorError:
    """The error whose to_wire() this is, as far as it can be told."""
    kind = _BY_CODE.get(str(wire.get("code")), ReactorError)
    return kind(str(wire.get("message", "The media process gave no reason.")))


def _settle(answer: Future[Any], outcome: object) -> None:
    with contextlib.suppress(InvalidStateError):  # cancelled by who asked
        if isinstance(outcome, ReactorError):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
