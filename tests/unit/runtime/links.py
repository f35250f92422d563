"""A MediaLink in memory: real buffers and clocks, pages that only keep what they are sent."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from reactor_nb.core.buffer import FrameBuffer
from reactor_nb.errors import ClosedError
from reactor_nb.media.link import CommSettings, MessageListener, PacketListener, PeerSettings, StreamSettings


class MemoryLink:
    """Threads: any."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str | None, dict[str, Any]]] = []
        self.settings: dict[str, StreamSettings] = {}
        self.listeners: dict[str, MessageListener] = {}
        self.carried: dict[str, CommSettings] = {}
        self.closed: list[str] = []
        self.heard_messages: list[tuple[str, str, dict[str, Any]]] = []
        self.packet_listeners: dict[str, PacketListener] = {}
        self.offers: list[PeerSettings] = []
        self.is_deaf = False
        self.restart_listeners: list[Callable[[], None]] = []
        self.note_listeners: list[Callable[[str], None]] = []
        self.is_closed = False
        self._sinks: list[FrameBuffer] = []
        self._clocks: list[threading.Thread] = []

    def open_stream(self, name: str, settings: StreamSettings) -> FrameBuffer:
        self._refuse_closed()
        sink = FrameBuffer(settings.rate_fps)
        clock = threading.Thread(target=_show, args=(sink,), name=f"reactor-clock-{name}", daemon=True)
        clock.start()
        self.settings[name] = settings
        self._sinks.append(sink)
        self._clocks.append(clock)
        return sink

    def offer(self, name: str, view_id: str, sdp: str, settings: PeerSettings) -> Future[str]:
        """Kept, and never answered: no page connects in these tests."""
        self._refuse_closed()
        self.offers.append(settings)
        return Future()

    def close_view(self, name: str, view_id: str) -> None:
        self._refuse_closed()
        self.closed.append(f"{name} {view_id}")

    def carry(self, name: str, view_id: str, settings: CommSettings) -> None:
        self._refuse_closed()
        self.carried[view_id] = settings

    def heard(self, name: str, view_id: str, message: dict[str, Any]) -> None:
        self._refuse_closed()
        self.heard_messages.append((name, view_id, message))

    def listen_packets(self, name: str, listener: PacketListener) -> None:
        self._refuse_closed()
        self.packet_listeners[name] = listener

    def deafen(self, is_deaf: bool) -> None:
        self._refuse_closed()
        self.is_deaf = is_deaf

    def send(self, name: str, view_id: str | None, message: dict[str, Any]) -> int:
        self._refuse_closed()
        self.sent.append((name, view_id, message))
        return 1

    def listen(self, name: str, listener: MessageListener) -> None:
        self._refuse_closed()
        self.listeners[name] = listener

    def close_name(self, name: str) -> None:
        self._refuse_closed()
        self.closed.append(name)

    def stats(self, name: str) -> dict[str, Any]:
        self._refuse_closed()
        return {"views": 0}

    def timeline(self, name: str) -> dict[str, Any]:
        self._refuse_closed()
        return {}

    def where(self) -> dict[str, Any]:
        return {"media": "threads", "pid": os.getpid(), "why": "no page connects", "restarts": 0}

    def on_restart(self, listener: Callable[[], None]) -> None:
        self.restart_listeners.append(listener)

    def on_note(self, listener: Callable[[str], None]) -> None:
        self.note_listeners.append(listener)

    def close(self, timeout_s: float = 5.0) -> None:
        self.is_closed = True
        for sink in self._sinks:
            sink.close()
        for clock in self._clocks:
            clock.join(timeout_s)

    def _refuse_closed(self) -> None:
        if self.is_closed:
            raise ClosedError("The link is closed; make a new one.")


def _show(sink: FrameBuffer) -> None:
    while sink.take() is not None:
        pass
