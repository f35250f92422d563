"""One call of a command's method, an `async def` run to its end."""

from __future__ import annotations

import contextvars
import inspect
import threading
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reactor_nb.core.command import CommandSpec


def invoke(instance: object, spec: CommandSpec, validated: Mapping[str, Any]) -> Any:
    """Run the command's method of `instance`, an `async def` to its end, and return its result as it is.

    What the method raises is passed on untouched.

    Threads: the method runs on the caller's. Only where an event loop is running there (a notebook cell), an
        `async def` runs on a thread of its own meanwhile.
    """
    return finished(getattr(instance, spec.method_name)(**validated))


def finished(result: Any) -> Any:
    """What a method returned, an awaitable awaited to its end. Threads: as `invoke`."""
    return _finish(_awaited(result)) if inspect.isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


def _finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    # Here, for it takes 12 ms to import, which most models and the command line do without.
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    outcome: list[Any] = []
    failures: list[BaseException] = []

    def run_alone() -> None:
        try:
            outcome.append(asyncio.run(coroutine))
        except BaseException as error:
            failures.append(error)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run_alone,), name="reactor-async-command", daemon=True)
    thread.start()
    thread.join()
    if failures:
        raise failures.pop()
    return outcome[0]
