"""PagelessLink: the media of a host without pages. Frames are played by a clock, or only collected."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from reactor_nb.core.buffer import BufferedFrame, FrameBuffer, FrameSink
from reactor_nb.errors import CarrierError, ClosedError, ReactorError
from reactor_nb.media.clock import Clock
from reactor_nb.media.link import CommSettings, MessageListener, PacketListener, PeerSettings, StreamSettings
from reactor_nb.media.timeline import Timeline


class PagelessLink:
    """A MediaLink to which no page connects.

    Args:
        show: called with each frame when it is due, on the clock's thread; while it works the model is held.
        sink: takes the frames instead, without a clock.
    Threads: every method may be called from any.
    """

    def __init__(self, *, show: Callable[[BufferedFrame], None] | None = None, sink: FrameSink | None = None) -> None:
        self._show = show or (lambda frame: None)
        self._sink = sink
        self._lock = threading.Lock()
        self._clocks: dict[str, Clock] = {}
        self._timelines: dict[str, Timeline] = {}
        self._is_closed = False

    def open_stream(self, name: str, settings: StreamSettings) -> FrameSink:
        with self._lock:
            if self._is_closed:
                raise ClosedError("The link is closed; make a new Runtime.")
            before = self._clocks.pop(name, None)
        if before is not None:
            before.close(1.0)
        if self._sink is not None:
            return self._sink
        buffer = FrameBuffer(settings.rate_fps, smoothness=settings.smoothness)
        timeline = Timeline()

        def show(frame: BufferedFrame) -> None:
            timeline.shown(frame, is_watched=True)
            self._show(frame)

        with self._lock:
            self._timelines[name] = timeline
            self._clocks[name] = Clock(name, buffer, show)
        return buffer

    def wait_played(self, name: str, timeout_s: float | None = None) -> bool:
        """Wait until every frame of the newest stream of `name` was shown or dropped; whether it is so."""
        with self._lock:
            clock = self._clocks.get(name)
        return clock is None or clock.wait(timeout_s)

    def offer(self, name: str, view_id: str, sdp: str, settings: PeerSettings) -> Future[str]:
        refused: Future[str] = Future()
        refused.set_exception(CarrierError(f"{name} plays headless, without pages. Type: %reactor run {name}"))
        return refused

    def close_view(self, name: str, view_id: str) -> None:
        """There is none."""

    def carry(self, name: str, view_id: str, settings: CommSettings) -> None:
        """There is nobody to bring it to."""

    def heard(self, name: str, view_id: str, message: dict[str, Any]) -> None:
        """Nobody waits for what pages say."""

    def listen_packets(self, name: str, listener: PacketListener) -> None:
        """No page is sent anything."""

    def deafen(self, is_deaf: bool) -> None:
        """No page falls silent."""

    def send(self, name: str, view_id: str | None, message: dict[str, Any]) -> int:
        """Nobody is there: 0."""
        return 0

    def listen(self, name: str, listener: MessageListener) -> None:
        """No page will say anything."""

    def close_name(self, name: str) -> None:
        with self._lock:
            clock = self._clocks.pop(name, None)
            self._timelines.pop(name, None)
        if clock is not None:
            clock.close(1.0)

    def stats(self, name: str) -> dict[str, Any]:
        return {"views": 0}

    def timeline(self, name: str) -> dict[str, Any]:
        """What the clock knows; nobody is sent anything."""
        with self._lock:
            timeline = self._timelines.get(name)
        return timeline.report() if timeline is not None else {}

    def where(self) -> dict[str, Any]:
        return {"media": "threads", "pid": os.getpid(), "why": "no page connects", "restarts": 0}

    def on_restart(self, listener: Callable[[], None]) -> None:
        """No page is there to be told."""

    def on_note(self, listener: Callable[[str], None]) -> None:
        """Nothing happens here that is not told at once."""

    def close(self, timeout_s: float = 5.0) -> None:
        with self._lock:
            self._is_closed = True
            clocks, self._clocks = self._clocks, {}
        deadline_s = time.monotonic() + timeout_s
        stuck = [name for name, clock in clocks.items() if not clock.close(max(0.0, deadline_s - time.monotonic()))]
        if stuck:
            raise ReactorError(f"reactor-clock-{stuck[0]} did not stop: what shows its frames does not return.")
