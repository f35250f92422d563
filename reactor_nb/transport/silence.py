"""Which views have fallen silent on their data channel: the page pings there, so a road that breaks is soon known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

SILENT_S: Final = 1.2
"""The page pings every 0.4 s while it watches."""

_LATE_S: Final = 0.3
_GRACE_S: Final = 0.2


class Timers(Protocol):
    """What is needed of an event loop."""

    def time(self) -> float: ...
    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Any: ...


@dataclass(slots=True)
class _Watched:
    heard_s: float
    timer: Any = None
    is_silent: bool = False


class ChannelSilence:
    """Tells when a view that was heard is silent, and when it is heard again.

    Args:
        changed: called with a view and whether it is silent.
        timers: the loop.

    Threads: on the loop; `is_silent` from any.
    """

    def __init__(self, changed: Callable[[str, bool], None], timers: Timers) -> None:
        self._changed = changed
        self._timers = timers
        self._views: dict[str, _Watched] = {}

    def heard(self, view_id: str) -> None:
        """A view spoke, or its channel opened."""
        now_s = self._timers.time()
        view = self._views.get(view_id)
        if view is None:
            view = self._views[view_id] = _Watched(now_s)
            self._look_later(view_id, view, SILENT_S)
        view.heard_s = now_s
        if view.is_silent:
            view.is_silent = False
            self._look_later(view_id, view, SILENT_S)
            self._changed(view_id, False)

    def is_silent(self, view_id: str) -> bool:
        view = self._views.get(view_id)
        return view is not None and view.is_silent

    def forget(self, view_id: str) -> None:
        """Its channel is gone. Nothing is told of it."""
        view = self._views.pop(view_id, None)
        if view is not None and view.timer is not None:
            view.timer.cancel()

    def close(self) -> None:
        for view_id in list(self._views):
            self.forget(view_id)

    def _look_later(self, view_id: str, view: _Watched, delay_s: float) -> None:
        view.timer = self._timers.call_later(delay_s, self._look, view_id, view, self._timers.time() + delay_s)

    def _look(self, view_id: str, view: _Watched, due_s: float) -> None:
        now_s = self._timers.time()
        remaining_s = view.heard_s + SILENT_S - now_s
        if now_s - due_s > _LATE_S:
            # After a pause of the whole process the pings still wait in the socket: read them first.
            remaining_s = max(remaining_s, _GRACE_S)
        if remaining_s > 0:
            self._look_later(view_id, view, remaining_s)
            return
        view.timer = None
        view.is_silent = True
        self._changed(view_id, True)
