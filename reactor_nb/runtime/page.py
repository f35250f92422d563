"""A call of a page as a call of a session, and its answer as one message."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from reactor_nb.core.command import to_json
from reactor_nb.core.session import Session
from reactor_nb.errors import CommandFailedError, ParameterError, ReactorError

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
