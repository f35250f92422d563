"""Who is told what the media process says: whoever raises is logged, and keeps no process from coming back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from reactor_nb.errors import NotStreamingError, ReactorError
from reactor_nb.media.link import MessageListener, PacketListener
from reactor_nb.transport import protocol

_log = logging.getLogger(__name__)


class Listeners:
    """Of one link, whatever its names. Threads: any; listeners are called on the thread that tells."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._restarted: list[Callable[[], None]] = []
        self._noted: list[Callable[[str], None]] = []
        self._failed: set[str] = set()

    def on_restart(self, listener: Callable[[], None]) -> None:
        with self._lock:
            self._restarted.append(listener)

    def on_note(self, listener: Callable[[str], None]) -> None:
        with self._lock:
            self._noted.append(listener)

    def restarted(self) -> None:
        """Every peer was lost at once."""
        with self._lock:
            listeners = tuple(self._restarted)
        for listener in listeners:
            try:
                listener()
            except Exception:
                _log.exception("A listener was not told that the media process is there again.")

    def note(self, text: str) -> None:
        """A sentence that a person should know."""
        _log.info("%s", text)
        with self._lock:
            listeners = tuple(self._noted)
        for listener in listeners:
            try:
                listener(text)
            except Exception:
                _log.exception("A listener was not told: %s", text)

    def said(
        self,
        listener: MessageListener | None,
        name: str,
        view_id: str,
        message: dict[str, Any],
        send: Callable[[str, str, dict[str, Any]], object],
    ) -> None:
        """A view of a name said something; who cannot be served is told so by `send`."""
        try:
            if listener is None:
                raise protocol.nobody_listens(name)
            listener(view_id, message)
            return
        except NotStreamingError as refused:
            error: Exception = refused
        except Exception as failed:
            _log.exception("The listener of %s failed on a %s message.", name, message["type"])
            error = failed
        try:
            send(name, view_id, protocol.refusal(message, error))
        except ReactorError as unsent:  # as when the link was closed at this moment
            _log.debug("View %s of %s was not told why its %s was refused: %s", view_id, name, message["type"], unsent)

    def packet(self, listener: PacketListener | None, name: str, message: dict[str, Any], payload: bytes) -> None:
        """Pages of a name are to be sent this by comm; nobody who listens is no mistake, a session may have ended."""
        if listener is None:
            return
        try:
            listener(message, payload)
        except Exception:
            if name not in self._failed:  # it comes with every frame
                self._failed.add(name)
                _log.exception("Pages of %s cannot be sent what goes by comm.", name)
