"""CallQueue: the calls of one session, run one at a time on a thread of their own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from reactor_nb.core.command import CommandCall, CommandSpec
from reactor_nb.core.failure import author_traceback, in_a_line, strip
from reactor_nb.errors import CallQueueFullError, CommandFailedError, NotStreamingError

MOST_WAITING = 64


@dataclass(slots=True)
class _Waiting:
    call: CommandCall
    spec: CommandSpec
    validated: Mapping[str, Any]
    answer: Future[Any]


class CallQueue:
    """Runs commands in their order of arrival; an accepted call is always answered.

    Args:
        name: of the model; the thread is `reactor-commands-<name>`.
        perform: calls the author's method and returns what it returns.
        applied: told of every call that was run, with its failure or None; before the answer goes out.
        around: entered by the thread for its whole life, to bind log and context.
    Threads: `submit` on any; `perform` and `applied` run on the command thread.
    """

    def __init__(
        self,
        name: str,
        perform: Callable[[CommandSpec, Mapping[str, Any]], Any],
        applied: Callable[[CommandCall, Mapping[str, Any], CommandFailedError | None], None],
        around: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self._name = name
        self._perform = perform
        self._applied = applied
        self._around = around
        self._wake = threading.Condition()  # guards everything below
        self._waiting: deque[_Waiting] = deque()
        self._current: _Waiting | None = None
        self._is_closed = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many accepted calls have not begun."""
        with self._wake:
            return len(self._waiting)

    def start(self) -> None:
        """Begin to run calls."""
        with self._wake:
            if self._is_closed or self._thread is not None:
                return
            self._thread = threading.Thread(target=self._main, name=f"reactor-commands-{self._name}", daemon=True)
            self._thread.start()

    def is_current(self) -> bool:
        """Whether the caller is on the command thread."""
        return threading.current_thread() is self._thread

    def submit(self, call: CommandCall, spec: CommandSpec, validated: Mapping[str, Any]) -> Future[Any]:
        """Queue a validated call. Never waits.

        Raises:
            CallQueueFullError: 64 calls wait.
            NotStreamingError: the session ends or has ended.
        """
        with self._wake:
            if self._is_closed:
                raise self._ended(call.name)
            if len(self._waiting) >= MOST_WAITING:
                running = f" {self._current.call.name} is running." if self._current else ""
                raise CallQueueFullError(
                    f"{call.name} was refused: {MOST_WAITING} calls to {self._name} wait already.{running} "
                    "Wait for an answer before you send more: session.send(...)"
                )
            answer: Future[Any] = Future()
            self._waiting.append(_Waiting(call, spec, validated, answer))
            self._wake.notify_all()
            return answer

    def refuse(self) -> None:
        """Take no more calls, and answer those that have not begun. Returns at once. Idempotent."""
        with self._wake:
            self._is_closed = True
            left = list(self._waiting)
            self._waiting.clear()
            self._wake.notify_all()
        for waiting in left:
            self._answer(waiting, error=self._ended(waiting.call.name))

    def close(self, timeout_s: float) -> str | None:
        """Refuse, and wait for the command that runs; its name if it did not return in time. Idempotent."""
        self.refuse()
        thread = self._thread
        if thread is None or self.is_current():
            return None
        thread.join(max(0.0, timeout_s))
        if not thread.is_alive():
            return None
        with self._wake:
            current = self._current
        if current is None:
            return None
        self._answer(
            current,
            error=NotStreamingError(
                f"{current.call.name} had not returned when the session of {self._name} ended; it goes on by itself."
            ),
        )
        return current.call.name

    def _ended(self, command: str) -> NotStreamingError:
        return NotStreamingError(
            f"{command} was not run: the session of {self._name} has ended. Type: %reactor run {self._name}"
        )

    def _answer(self, waiting: _Waiting, *, result: Any = None, error: BaseException | None = None) -> None:
        with self._wake:
            if waiting.answer.done():
                return
            # Claimed under the lock, so that the end of the session and of the command cannot both answer.
            if not waiting.answer.running() and not waiting.answer.set_running_or_notify_cancel():
                return
            answer, waiting.answer = waiting.answer, _answered()
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)

    def _main(self) -> None:
        with self._around():
            while self._run_next():
                pass

    def _run_next(self) -> bool:
        with self._wake:
            self._wake.wait_for(lambda: self._is_closed or self._waiting)
            if not self._waiting:
                return False
            waiting = self._waiting.popleft()
            if not waiting.answer.set_running_or_notify_cancel():
                return True
            self._current = waiting
        result: Any = None
        failure: CommandFailedError | None = None
        try:
            result = self._perform(waiting.spec, waiting.validated)
        except BaseException as error:
            failure = self._failed(waiting.call, error)
        self._applied(waiting.call, waiting.validated, failure)
        with self._wake:
            self._current = None
        self._answer(waiting, result=result, error=failure)
        return True

    def _failed(self, call: CommandCall, error: BaseException) -> CommandFailedError:
        text, line = author_traceback(error), in_a_line(error)
        strip(error)
        failure = CommandFailedError(f"{call.name} raised {line}", text)
        failure.__cause__ = error
        return failure


def _answered() -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(None)
    return done


def new_call(number: int, name: str, params: Mapping[str, Any], source: str) -> CommandCall:
    """A CommandCall received now."""
    return CommandCall(str(number), name, dict(params), source, time.monotonic())
