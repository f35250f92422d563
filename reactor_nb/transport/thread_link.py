"""The media on threads of the kernel: the MediaLink that notebook and headless runtime use."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from reactor_nb.core.buffer import FrameBuffer, FrameSink
from reactor_nb.core.frame_queue import FrameSource
from reactor_nb.errors import ClosedError, ReactorError, WrongThreadError
from reactor_nb.media.link import CommSettings, MessageListener, PacketListener, PeerSettings, StreamSettings
from reactor_nb.transport.loop import THREAD_NAME, MediaLoop

if TYPE_CHECKING:
    from reactor_nb.transport.views import Views

_log = logging.getLogger(__name__)


class ThreadLink:
    """MediaLink with a loop, clocks and encoders on threads of this process.

    aiortc and av take half a second to import; the loop's thread does that in the background from the
    moment the link is made, while the model loads.

    Args:
        why: why the media is not in a process of its own, for `where()`.
        open_changed: told which views are open after each change; must not wait, nor call the link.
    Threads: every method from any; those that wait (open_stream, play, close_name, close) not from the loop's own.
    """

    def __init__(
        self, why: str = "", *, open_changed: Callable[[str, list[str]], None] = lambda name, view_ids: None
    ) -> None:
        self._why = why
        self._open_changed = open_changed
        self._loop = MediaLoop()
        self._lock = threading.Lock()
        self._names: dict[str, Views] = {}
        self._closing: list[threading.Thread] = []
        self._is_closed = False
        self._is_deaf = False
        self._loop.post(_warm_up)

    def open_stream(self, name: str, settings: StreamSettings) -> FrameSink:
        buffer = FrameBuffer(
            settings.rate_fps,
            smoothness=settings.smoothness,
            keeps_late=False,
            device_layout=settings.device_layout,
        )
        self.play(name, settings, buffer)
        return buffer

    def play(self, name: str, settings: StreamSettings, source: FrameSource) -> None:
        """As open_stream, with frames that somebody else puts into `source`."""
        self._refuse_loop_thread("open_stream")
        self._views(name).open(settings, source)

    def offer(self, name: str, view_id: str, sdp: str, settings: PeerSettings) -> Future[str]:
        return self._loop.submit(self._accept(name, view_id, sdp, settings))

    def close_view(self, name: str, view_id: str) -> None:
        views = self._existing(name)
        if views is not None:
            self._loop.submit(views.drop(view_id))

    def carry(self, name: str, view_id: str, settings: CommSettings) -> None:
        self._views(name).carry(view_id, settings)

    def heard(self, name: str, view_id: str, message: dict[str, Any]) -> None:
        views = self._existing(name)
        if views is not None:
            views.heard(view_id, message)

    def listen_packets(self, name: str, listener: PacketListener) -> None:
        self._views(name).listen_packets(listener)

    def deafen(self, is_deaf: bool) -> None:
        with self._lock:
            self._refuse_closed()
            self._is_deaf = is_deaf
            names = list(self._names.values())
        for views in names:
            views.deafen(is_deaf)

    def send(self, name: str, view_id: str | None, message: dict[str, Any]) -> int:
        views = self._existing(name)
        return views.send(view_id, message) if views is not None else 0

    def send_text(self, name: str, view_id: str | None, text: str) -> int:
        """As send, with a message that protocol.encode has made text of."""
        views = self._existing(name)
        return views.send_text(view_id, text) if views is not None else 0

    def listen(self, name: str, listener: MessageListener) -> None:
        self._views(name).listener = listener

    def close_name(self, name: str) -> None:
        self._refuse_loop_thread("close_name")
        views = self._take(name)
        if views is not None:
            self._end_name(views)

    def close_name_soon(self, name: str) -> Future[None]:
        """As close_name, for who cannot wait until it is done: a page may take seconds to let go.

        When this returns the name is free: whatever is asked of it next is of a new stream.
        """
        done: Future[None] = Future()
        views = self._take(name)
        if views is None:
            done.set_result(None)
            return done
        closing = threading.Thread(target=self._settle_end, args=(views, done), name=f"reactor-close-{name}")
        closing.daemon = True
        with self._lock:
            self._closing = [*(each for each in self._closing if each.is_alive()), closing]
            closing.start()
        return done

    def stats(self, name: str) -> dict[str, Any]:
        views = self._existing(name)
        return {**views.stats(), "tasks": self._loop.tasks(), "where": self.where()} if views is not None else {}

    def where(self) -> dict[str, Any]:
        return {"media": "threads", "pid": os.getpid(), "why": self._why, "restarts": 0}

    def on_restart(self, listener: Callable[[], None]) -> None:
        """Threads of this process end with it."""

    def on_note(self, listener: Callable[[str], None]) -> None:
        """What is to be said here is logged where it happens."""

    def timeline(self, name: str) -> dict[str, Any]:
        views = self._existing(name)
        return views.stream.timeline.report() if views is not None else {}

    def close(self, timeout_s: float = 5.0) -> None:
        self._refuse_loop_thread("close")
        deadline_s = time.monotonic() + timeout_s
        with self._lock:
            self._is_closed = True
            names, self._names = list(self._names.values()), {}
            closing, self._closing = self._closing, []
        stuck: list[str] = []
        for views in names:
            stuck += self._end(views, max(deadline_s - time.monotonic(), 0.2))
        for thread in closing:
            thread.join(max(deadline_s - time.monotonic(), 0.2))
            if thread.is_alive():
                stuck.append(thread.name)
        self._loop.close(max(deadline_s - time.monotonic(), 0.2))
        if stuck:
            raise ReactorError(f"{', '.join(stuck)} did not stop within {timeout_s:g} s.")

    def _take(self, name: str) -> Views | None:
        """Free a name: its views are told of no more, and nobody listens to them."""
        with self._lock:
            self._refuse_closed()
            views = self._names.pop(name, None)
            if views is not None:
                views.listener = None
                self._open_changed(name, [])
        return views

    def _end_name(self, views: Views) -> None:
        stuck = self._end(views, timeout_s=5.0)
        if stuck:
            raise ReactorError(f"{', '.join(stuck)} did not stop within 5 s.")

    def _settle_end(self, views: Views, done: Future[None]) -> None:
        try:
            self._end_name(views)
        except Exception as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    def _end(self, views: Views, timeout_s: float) -> list[str]:
        deadline_s = time.monotonic() + timeout_s
        stuck = []
        try:
            self._loop.submit(views.close_carriers()).result(timeout_s)
        except (TimeoutError, CancelledError, ClosedError):  # or the loop ended first
            stuck.append(f"the views of {views.name}")
        stuck += views.stream.close(max(deadline_s - time.monotonic(), 0.1))
        views.listener = None
        return stuck

    async def _accept(self, name: str, view_id: str, sdp: str, settings: PeerSettings) -> str:
        return await self._views(name).accept(view_id, sdp, settings)

    def _views(self, name: str) -> Views:
        # Imported here: this module must cost nothing until a stream is wanted.
        from reactor_nb.transport.views import Views

        with self._lock:
            self._refuse_closed()
            if name not in self._names:
                views = Views(name, self._loop, lambda _, view_ids: self._tell_open(views, view_ids))
                self._names[name] = views
                if self._is_deaf:
                    views.deafen(True)
            return self._names[name]

    def _tell_open(self, views: Views, view_ids: list[str]) -> None:
        with self._lock:
            if self._names.get(views.name) is views:
                self._open_changed(views.name, view_ids)

    def _existing(self, name: str) -> Views | None:
        with self._lock:
            self._refuse_closed()
            return self._names.get(name)

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise ClosedError("The media link is closed; run a model again to make a new one.")

    def _refuse_loop_thread(self, method: str) -> None:
        if self._loop.is_current():
            raise WrongThreadError(f"{method}() was called on {THREAD_NAME}; call it from another thread.")


def _warm_up() -> None:
    started_s = time.monotonic()
    from reactor_nb.media.codecs import broken_codecs
    from reactor_nb.transport import views  # noqa: F401

    for codec, why in broken_codecs().items():
        _log.warning("The %s encoder cannot be used: %s", codec, why)
    _log.debug("aiortc and the encoders were ready after %.2f s", time.monotonic() - started_s)
