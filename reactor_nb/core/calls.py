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
from reactor_nb.errors import CallQueueFullError, CommandFailedError, NotStreamingError, ParameterError

MOST_WAITING = 64


Perform = Callable[[], Any]
"""Calls the author's method and returns what it returns."""
Applied = Callable[[CommandFailedError | None], None]
"""Told when it was run, with its failure or None; before the answer goes out."""


@dataclass(slots=True)
class _Waiting:
    name: str
    perform: Perform
    applied: Applied
    answer: Future[Any]


class CallQueue:
    """Runs commands in their order of arrival; an accepted call is always answered.

    Args:
        name: of the model; the thread is `reactor-commands-<name>`.
        around: entered by the thread for its whole life, to bind log and context.
    Threads: `submit` and `show` on any; what they are given runs on the command thread.
    """

    def __init__(
        self,
        name: str,
        around: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self._name = name
        self._around = around
        self._wake = threading.Condition()  # guards everything below
        self._waiting: deque[_Waiting] = deque()
        self._frame: _Waiting | None = None
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

    def submit(self, name: str, perform: Perform, applied: Applied) -> Future[Any]:
        """Queue a validated call of the command `name`. Never waits.

        Raises:
            CallQueueFullError: 64 calls wait.
            NotStreamingError: the session ends or has ended.
        """
        with self._wake:
            if self._is_closed:
                raise self._ended(name)
            if len(self._waiting) >= MOST_WAITING:
                running = f" {self._current.name} is running." if self._current else ""
                raise CallQueueFullError(
                    f"{name} was refused: {MOST_WAITING} calls to {self._name} wait already.{running} "
                    "Wait for an answer before you send more: session.send(...)"
                )
            answer: Future[Any] = Future()
            self._waiting.append(_Waiting(name, perform, applied, answer))
            self._wake.notify_all()
            return answer

    def show(self, name: str, perform: Perform, applied: Applied) -> Future[Any]:
        """Run `perform` when no call waits. One that is shown meanwhile takes its place: its future is cancelled.

        Raises:
            NotStreamingError: the session ends or has ended.
        """
        answer: Future[Any] = Future()
        with self._wake:
            if self._is_closed:
                raise self._ended(name)
            replaced, self._frame = self._frame, _Waiting(name, perform, applied, answer)
            self._wake.notify_all()
        if replaced is not None:
            replaced.answer.cancel()
        return answer

    def refuse(self) -> None:
        """Take no more calls, and answer those that have not begun. Returns at once. Idempotent."""
        with self._wake:
            self._is_closed = True
            left = [*self._waiting, *([self._frame] if self._frame is not None else [])]
            self._waiting.clear()
            self._frame = None
            self._wake.notify_all()
        for waiting in left:
            self._answer(waiting, error=self._ended(waiting.name))

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
                f"{current.name} had not returned when the session of {self._name} ended; it goes on by itself."
            ),
        )
        return current.name

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
            self._wake.wait_for(lambda: self._is_closed or self._waiting or self._frame)
            if self._waiting:
                waiting = self._waiting.popleft()
            elif self._frame is not None:
                waiting, self._frame = self._frame, None
            else:
                return False
            if not waiting.answer.set_running_or_notify_cancel():
                return True
            self._current = waiting
        result: Any = None
        failure: CommandFailedError | None = None
        try:
            result = waiting.perform()
        except BaseException as error:
            failure = _failed(waiting.name, error)
        waiting.applied(failure)
        with self._wake:
            self._current = None
        self._answer(waiting, result=result, error=failure)
        return True


def _failed(name: str, error: BaseException) -> CommandFailedError:
    text, line = author_traceback(error), in_a_line(error)
    strip(error)
    failure = CommandFailedError(f"{name} raised {line}", text)
    failure.__cause__ = error
    return failure


def _answered() -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(None)
    return done


def new_call(number: int, name: str, params: Mapping[str, Any], source: str) -> CommandCall:
    """A CommandCall received now."""
    return CommandCall(str(number), name, dict(params), source, time.monotonic())


def refuse_value_as_timeout(spec: CommandSpec | None, name: str, timeout_s: object, params: Mapping[str, Any]) -> None:
    """`send("set_speed", 0.9)` means speed=0.9, and would send the defaults with a time limit of 0.9 s.

    Raises:
        ParameterError: what stands in the place of the time limit is no number, or is likely a parameter.
    """
    is_time = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool)
    if timeout_s is None or (is_time and (params or spec is None or not spec.params)):
        return
    param = spec.params[0].name if spec is not None and spec.params else "value"
    raise ParameterError(
        f"send({name!r}, {timeout_s!r:.80}): what stands second is the time limit in seconds, and parameters go by "
        f"name. Type: session.send({name!r}, {param}={timeout_s!r:.80})",
        {param: "was given without its name"},
    )
