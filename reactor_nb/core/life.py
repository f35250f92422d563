"""Life: where a session stands between its start and its end, and waiting for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from reactor_nb.core.events import Listeners
from reactor_nb.errors import ReactorError

STATES = ("loading", "ready", "streaming", "stopping", "ended", "failed")


class Life:
    """States, times and the end. A state never goes back, and there is one end.

    Threads: any. One Condition guards every field, and is notified of every change.
    """

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._changed = threading.Condition()
        self._state = STATES[0]
        self._error: ReactorError | None = None
        self._has_begun = False
        self._is_stop_requested = False
        self._has_returned = False
        self._is_ending = False
        self._is_told = False
        self._started_s = time.monotonic()
        self._begun_s = 0.0
        self._ended_s = 0.0

    @property
    def state(self) -> str:
        with self._changed:
            return self._state

    @property
    def error(self) -> ReactorError | None:
        with self._changed:
            return self._error

    @property
    def is_over(self) -> bool:
        """Ended or failed."""
        return self.state in ("ended", "failed")

    @property
    def is_told(self) -> bool:
        """Over, and everyone who listens has been told."""
        with self._changed:
            return self._is_told

    @property
    def has_begun(self) -> bool:
        """start_session was called, or is about to be."""
        with self._changed:
            return self._has_begun

    @property
    def has_returned(self) -> bool:
        """start_session has returned, or will never begin."""
        with self._changed:
            return self._has_returned

    @property
    def is_stop_requested(self) -> bool:
        with self._changed:
            return self._is_stop_requested

    @property
    def is_stopping(self) -> bool:
        """The author's loop is to end."""
        with self._changed:
            return self._is_stop_requested or self._is_ending

    def loading_s(self) -> float:
        with self._changed:
            return (self._begun_s or self._ended_s or time.monotonic()) - self._started_s

    def running_s(self) -> float:
        with self._changed:
            return (self._ended_s or time.monotonic()) - self._begun_s if self._has_begun else 0.0

    def start(self) -> None:
        """Loading is counted from now."""
        with self._changed:
            self._started_s = time.monotonic()

    def begin(self) -> bool:
        """start_session is about to be called; False if a stop came before."""
        with self._changed:
            if self._is_stop_requested or self._is_ending:
                return False
            self._has_begun = True
            self._begun_s = time.monotonic()
            self._changed.notify_all()
            return True

    def request_stop(self) -> bool:
        """Whether this is the first request, of a session that is not over."""
        with self._changed:
            if self._is_stop_requested or self._is_told:
                return False
            self._is_stop_requested = True
            return True

    def move(self, state: str) -> None:
        """Go on to a later state, and tell of it; a state that lies behind is passed over."""
        with self._changed:
            if STATES.index(state) <= STATES.index(self._state) or self._state == "ended":
                return
            self._state = state
            # Its place in the order is taken under the lock, so that no listener sees an older state last.
            self._listeners.post("state", state=state)
            self._changed.notify_all()
        self._listeners.tell_posted()

    def returned(self) -> None:
        with self._changed:
            self._has_returned = True
            self._changed.notify_all()

    def claim_end(self) -> bool:
        """Whether the caller is the one who ends the session."""
        with self._changed:
            if self._is_ending:
                return False
            self._is_ending = True
            self._has_returned = True
            self._changed.notify_all()
            return True

    def end(self, error: ReactorError | None) -> None:
        """By whoever claimed it, when everything is closed."""
        with self._changed:
            self._error = error
            self._ended_s = time.monotonic()
        self.move("ended" if error is None else "failed")

    def told(self) -> None:
        with self._changed:
            self._is_told = True
            self._changed.notify_all()

    def notify(self) -> None:
        """Something else that is waited for has changed."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, check: Callable[[], bool], timeout_s: float | None) -> bool:
        """Wait until `check()`, which is called with the lock held at every change."""
        with self._changed:
            return self._changed.wait_for(check, timeout_s)
