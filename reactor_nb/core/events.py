"""SessionEvent, and telling those who listen in the order in which things happened."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reactor_nb.core.failure import author_traceback
from reactor_nb.core.log import Log


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """What happened in a session.

    kind          data
    state         {"state": str}
    frame_size    {"width_px": int, "height_px": int}     at the first frame and at each change
    first_frame   {}
    message       {"data": dict}                          the model sent it; JSON values
    call          {"name": str, "params": dict, "source": str, "is_error": bool}     after it was applied
    snapshot      {"still": Still}
    """

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


Listener = Callable[[SessionEvent], None]


class Listeners:
    """Calls each listener with each event, in order, one event at a time.

    A listener must be quick. What it raises goes to the log and breaks nothing.

    Threads: any. The thread that caused an event tells of it, unless another is just telling: then that one does.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._untold: deque[SessionEvent] = deque()
        self._is_telling = False

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of what happens from now on; the returned function ends that."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def tell(self, kind: str, **data: Any) -> None:
        self.post(kind, **data)
        self.tell_posted()

    def post(self, kind: str, **data: Any) -> None:
        """Take a place in the order, to be told by `tell_posted`; may be called with a lock held."""
        with self._lock:
            self._untold.append(SessionEvent(kind, data))

    def tell_posted(self) -> None:
        with self._lock:
            if self._is_telling:
                return
            self._is_telling = True
        while True:
            with self._lock:
                if not self._untold:
                    self._is_telling = False
                    return
                event = self._untold.popleft()
                listeners = tuple(self._listeners)
            for listener in listeners:
                try:
                    listener(event)
                except Exception as error:
                    self._log.note(f"a listener failed at the event {event.kind!r}:\n{author_traceback(error)}")
