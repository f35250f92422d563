"""What pages say and are told: a call of a page as a call of a session, its answer, the messages of the model."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from reactor_nb.core.command import to_json
from reactor_nb.core.session import Session, SessionEvent
from reactor_nb.errors import CommandFailedError, MessageError, ParameterError, ReactorError, ResultError
from reactor_nb.media.link import MediaLink

_log = logging.getLogger(__name__)

Reply = Callable[[dict[str, Any]], None]


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
