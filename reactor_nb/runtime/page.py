"""What pages say and are told: a call of a page as a call of a session, its answer, the messages of the model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from reactor_nb.core.command import to_json
from reactor_nb.core.session import Session, SessionEvent
from reactor_nb.errors import (
    CommandFailedError,
    MessageError,
    ParameterError,
    ReactorError,
    ResultError,
)
from reactor_nb.media.link import MediaLink
from reactor_nb.runtime.call_record import CallRecord, Reply
from reactor_nb.transport.protocol import nobody_listens

__all__ = ["ControlListener", "PageMessages", "Reply", "answer_call", "forward_messages", "reply_to_view"]

_log = logging.getLogger(__name__)

ControlListener = Callable[[dict[str, Any]], None]
"""Takes a `control` message: returns at once, or raises a ReactorError that says why it is refused."""


class PageMessages:
    """Answers what the pages of every model of a runtime say.

    Args:
        session_of: the newest session of a name; ModelNotFoundError without one.
        start, stop: what the two buttons of a View do; on a thread of their own, as a stop may wait for the model.
    Threads: any.
    """

    def __init__(
        self,
        session_of: Callable[[str], Session],
        start: Callable[[str], Any],
        stop: Callable[[str], Any],
    ) -> None:
        self._session_of = session_of
        self._acts: dict[str, Callable[[str], Any]] = {"start": start, "stop": stop}
        self._lock = threading.Lock()
        self._pressed: dict[tuple[str, str], threading.Thread] = {}  # ("start" or "stop", name) -> who follows it
        self._calls: dict[str, CallRecord] = {}
        self._controls: dict[str, ControlListener] = {}

    def handle(self, name: str, message: dict[str, Any], reply: Reply) -> None:
        """One `call`, `control`, `start` or `stop`, answered as Runtime.handle_page_message says."""
        kind = message.get("type")
        if kind == "call":
            call_id = message.get("id")
            answer = self._record_of(name).begin(call_id, reply) if call_id and isinstance(call_id, str) else reply
            if answer is not None:
                answer_call(lambda: self._session_of(name), message, answer)
        elif kind == "control":
            self._move(name, message, reply)
        elif kind in ("start", "stop"):
            self._press(kind, name, reply)

    def on_control(self, name: str, listener: ControlListener) -> Callable[[], None]:
        """Call `listener(message)` for each control that a page of `name` moves itself; the newest replaces."""
        with self._lock:
            self._controls[name] = listener

        def unsubscribe() -> None:
            with self._lock:
                if self._controls.get(name) is listener:
                    del self._controls[name]

        return unsubscribe

    def pressed(self) -> list[threading.Thread]:
        """The threads that follow a button; they end by themselves."""
        with self._lock:
            return list(self._pressed.values())

    def _record_of(self, name: str) -> CallRecord:
        with self._lock:
            return self._calls.setdefault(name, CallRecord())

    def _move(self, name: str, message: dict[str, Any], reply: Reply) -> None:
        """Answered when it was taken: what the model says to it is shown at the control, in every View."""
        with self._lock:
            listener = self._controls.get(name)
        answer: dict[str, Any] = {"type": "reply", "id": str(message.get("id", ""))}
        try:
            if listener is None:
                raise nobody_listens(name)
            listener(message)
        except ReactorError as refused:
            reply({**answer, "error": refused.to_wire()})
            return
        reply({**answer, "result": None})

    def _press(self, kind: str, name: str, reply: Reply) -> None:
        """Start or stop for a page. Pressed again while that is under way, it is one press."""
        with self._lock:
            before = self._pressed.get((kind, name))
            if before is None or not before.is_alive():
                thread = threading.Thread(
                    target=_act, args=(name, self._acts[kind], reply), name=f"reactor-{kind}-{name}", daemon=True
                )
                self._pressed[kind, name] = thread
                thread.start()


def _act(name: str, act: Callable[[str], Any], reply: Reply) -> None:
    """Start or stop for a page, and tell it what went wrong."""
    try:
        act(name)
    except ReactorError as error:
        reply({"type": "error", "error": error.to_wire()})


def answer_call(session_of: Callable[[], Session], message: dict[str, Any], reply: Reply) -> None:
    """Submit the call that `message` is, and reply once: {"type": "reply", "id", "result" | "error"}.

    Threads: any; returns at once. `reply` is called here for a refusal, else on the command thread.
    """
    call_id = str(message.get("id", ""))

    def answer(**content: Any) -> None:
        reply({"type": "reply", "id": call_id, **content})

    def finished(future: Future[Any]) -> None:
        error = future.exception()
        if error is None:
            try:
                answer(result=to_json(future.result()))
            except ReactorError as unsendable:
                answer(error=unsendable.to_wire())
        else:
            known = error if isinstance(error, ReactorError) else CommandFailedError(repr(error))
            answer(error=known.to_wire())

    name, params = message.get("name"), message.get("params", {})
    try:
        if not isinstance(name, str) or not isinstance(params, dict):
            raise ParameterError(
                f"a call needs a name and params; got {str(message)[:200]}. "
                'Send {"type": "call", "id": "1", "name": "move", "params": {}}'
            )
        future = session_of().submit(name, params, source="page")
    except ReactorError as refused:
        answer(error=refused.to_wire())
        return
    future.add_done_callback(finished)


def forward_messages(link: MediaLink, name: str, event: SessionEvent) -> None:
    """Send what a model says to every view of it; other events are passed over."""
    if event.kind == "message":
        _send(link, name, None, {"type": "message", "data": event.data["data"]})


def reply_to_view(link: MediaLink, name: str, view_id: str, answer: dict[str, Any]) -> None:
    """Send the answer of a call to the view that called; one that cannot be sent is answered with the reason."""
    try:
        link.send(name, view_id, answer)
    except MessageError as error:
        # A result that is too large for a page: the call is answered all the same.
        refusal = ResultError(str(error)).to_wire()
        _send(link, name, view_id, {**{key: answer[key] for key in ("type", "id") if key in answer}, "error": refusal})
    except ReactorError as error:
        _log.warning("An answer of %s to a page was not sent: %s", name, error)


def _send(link: MediaLink, name: str, view_id: str | None, message: dict[str, Any]) -> None:
    try:
        link.send(name, view_id, message)
    except ReactorError as error:
        _log.warning("A message of %s to its pages was not sent: %s", name, error)
