"""ProcessLink: the MediaLink whose peers, clocks and encoders live in a process of their own."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from reactor_nb import __version__
from reactor_nb.core.buffer import FrameSink
from reactor_nb.errors import CarrierError, ClosedError, MessageError, ReactorError, WrongThreadError
from reactor_nb.media.link import MessageListener, PeerSettings, StreamSettings
from reactor_nb.transport import protocol
from reactor_nb.transport.process.control import CONTROL_VERSION, Message
from reactor_nb.transport.process.opened import OpenedName, OpenedNames
from reactor_nb.transport.process.requests import Requests, fail_all
from reactor_nb.transport.process.road import FrameRoad
from reactor_nb.transport.process.shared_sink import SharedSink
from reactor_nb.transport.process.spawn import MediaProcess
from reactor_nb.transport.process.supervisor import THREAD_NAME, CrashLimit, Supervisor
from reactor_nb.transport.thread_link import ThreadLink

OFFER_TIMEOUT_S = 10.0
STATS_TIMEOUT_S = 0.5
HANGING_TIMEOUT_S = 2.0
CLOSE_NAME_TIMEOUT_S = 5.0

_log = logging.getLogger(__name__)


class ProcessLink:
    """MediaLink to one media process, for any number of models.

    The process starts with the link, and is started again when it dies: streams, listeners and settings are kept
    here, the newest frame of each stream is sent again, and on_restart tells when views should connect. After too
    many crashes, or where none can be started, a ThreadLink in this process goes on; `where()` says why.

    Threads: every method from any; listeners and callbacks of offers run on `reactor-media-link`, on which
        open_stream, close_name and close must not be called. A fork of this process may call close() and nothing else.
    """

    def __init__(self, limit: CrashLimit | None = None, make: Callable[[], MediaProcess] = MediaProcess) -> None:
        self._lock = threading.RLock()
        self._owner_pid = os.getpid()
        self._names = OpenedNames()
        self._requests = Requests()
        self._restart_listeners: list[Callable[[], None]] = []
        self._note_listeners: list[Callable[[str], None]] = []
        self._threads: ThreadLink | None = None
        self._restarts = 0
        self._is_closed = False
        self._road = FrameRoad()
        self._process = make()
        self._greet()
        self._supervisor = Supervisor(self._process, self, limit or CrashLimit(), make)

    def open_stream(self, name: str, settings: StreamSettings) -> FrameSink:
        self._refuse_own_thread("open_stream")
        with self._lock:
            self._refuse_closed()
            if self._threads is not None:
                return self._threads.open_stream(name, settings)
            known = self._names.add(name)
            before = known.sink
            known.session, known.settings = self._names.next_session(), settings
            sink = known.sink = SharedSink(
                self._road,
                known.stream,
                known.session,
                settings.rate_fps,
                settings.smoothness,
                device_layout=settings.device_layout,
            )
            self._open(known)
        if before is not None:
            before.release()
        return sink

    def offer(self, name: str, view_id: str, sdp: str, settings: PeerSettings) -> Future[str]:
        with self._lock:
            self._refuse_closed()
            if self._threads is not None:
                return self._threads.offer(name, view_id, sdp, settings)
            self._names.add(name)
            request, answer = self._requests.add()
            try:
                self._process.control.post(
                    {
                        "type": "offer",
                        "id": request,
                        "name": name,
                        "view_id": view_id,
                        "sdp": sdp,
                        "settings": dataclasses.asdict(settings),
                    }
                )
            except ReactorError as error:
                self._requests.fail(request, error)
                return answer
        late = threading.Timer(OFFER_TIMEOUT_S, self._give_up_offer, (request, name, self._process))
        late.daemon = True
        answer.add_done_callback(lambda done: late.cancel())
        late.start()
        return answer

    def close_view(self, name: str, view_id: str) -> None:
        with self._lock:
            self._refuse_closed()
            if self._threads is not None:
                self._threads.close_view(name, view_id)
            elif self._names.get(name) is not None:
                self._process.control.post({"type": "close_view", "name": name, "view_id": view_id})

    def send(self, name: str, view_id: str | None, message: dict[str, Any]) -> int:
        text = protocol.encode(message)
        with self._lock:
            self._refuse_closed()
            if self._threads is not None:
                return self._threads.send_text(name, view_id, text)
            known = self._names.get(name)
            if known is None:
                return 0
            count = len(known.open_views) if view_id is None else known.open_views.count(view_id)
            said: Message = {"type": "send", "name": name, "view_id": view_id, "text": text}
            if count and not self._process.control.post(said, is_droppable=True):
                known.unsent += count
                return 0
            return count

    def listen(self, name: str, listener: MessageListener) -> None:
        with self._lock:
            self._refuse_closed()
            self._names.add(name).listener = listener
            if self._threads is not None:
                self._threads.listen(name, listener)
            else:
                self._process.control.post({"type": "listen", "name": name})

    def close_name(self, name: str) -> None:
        self._refuse_own_thread("close_name")
        with self._lock:
            self._refuse_closed()
            known = self._names.pop(name)
            threads = self._threads
        if threads is not None:
            threads.close_name(name)
        elif known is not None:
            if known.sink is not None:
                known.sink.release()
            self._ask("close_name", name, CLOSE_NAME_TIMEOUT_S)

    def stats(self, name: str) -> dict[str, Any]:
        """As MediaLink says; of a process that does not answer, what it said last, with `is_stale`."""
        with self._lock:
            self._refuse_closed()
            threads, known = self._threads, self._names.get(name)
        if threads is not None:
            return {**threads.stats(name), "where": self.where()} if known is not None else {}
        if known is None:
            return {}
        answer = self._ask("stats", name, STATS_TIMEOUT_S)
        if answer is not None:
            known.stats = answer
        found = known.stats or {"rate_fps": None, "views": 0, "peers": {}, "encoders": {}, "errors": {}, "ended": {}}
        unsent = found.get("unsent", 0) + known.unsent
        return {**found, "unsent": unsent, "is_stale": answer is None, "where": self.where()}

    def timeline(self, name: str) -> dict[str, Any]:
        with self._lock:
            self._refuse_closed()
            threads, known = self._threads, self._names.get(name)
        if threads is not None:
            return threads.timeline(name)
        return (self._ask("timeline", name, STATS_TIMEOUT_S) or {}) if known is not None else {}

    def where(self) -> dict[str, Any]:
        with self._lock:
            if self._threads is not None:
                return {**self._threads.where(), "restarts": self._restarts}
            return {"media": "process", "pid": self._process.pid, "why": "", "restarts": self._restarts}

    def on_restart(self, listener: Callable[[], None]) -> None:
        with self._lock:
            self._restart_listeners.append(listener)

    def on_note(self, listener: Callable[[str], None]) -> None:
        with self._lock:
            self._note_listeners.append(listener)

    def close(self, timeout_s: float = 5.0) -> None:
        if os.getpid() != self._owner_pid:
            return  # a fork of the author: the process belongs to its parent
        self._refuse_own_thread("close")
        with self._lock:
            is_first, self._is_closed = not self._is_closed, True
            names, threads = self._names.take_all(), self._threads
            self._supervisor.expect_end()
            self._process.control.post({"type": "close", "timeout_s": timeout_s})
        if not is_first:
            return
        for known in names:
            if known.sink is not None:
                known.sink.release()
        self._supervisor.close(timeout_s)
        self._road.close()
        fail_all(self._requests.take_all(), "The media link was closed.")
        if threads is not None:
            threads.close(timeout_s)

    # ------------------------------------------------------------------ told by the supervisor, on its thread

    def received(self, message: Message) -> None:
        kind = message["type"]
        if kind in ("done", "failed"):
            self._requests.answer(message)
        elif kind == "said":
            self._forward(message["name"], message["view_id"], message["message"])
        elif kind == "views":
            with self._lock:
                known = self._names.get(message["name"])
                if known is not None:
                    known.open_views = tuple(message["open"])
        elif kind == "log":
            self._note(message["text"])
        elif kind == "ready":
            self._ready(message)

    def crashed(self, how: str) -> None:
        self._note(how)

    def renew(self, process: MediaProcess) -> None:
        with self._lock:
            lost = self._requests.take_all()
            if self._is_closed:
                return
            self._process = process
            self._restarts += 1
            self._greet()
            for known in self._names:
                known.open_views = ()
                if known.sink is not None:
                    self._open(known)
                if known.listener is not None:
                    process.control.post({"type": "listen", "name": known.name})
        fail_all(lost, "The media process ended, and another one starts. Connect again.")

    def give_up(self, why: str) -> None:
        with self._lock:
            if self._is_closed:
                return
            threads = self._threads = ThreadLink(why)
            for known in self._names:
                if known.settings is not None and known.sink is not None:
                    known.sink.divert(threads.open_stream(known.name, known.settings))
                if known.listener is not None:
                    threads.listen(known.name, known.listener)
            self._road.disconnect()
        self._note("The media goes on in threads of the kernel, where a busy cell may slow the picture.")
        fail_all(self._requests.take_all(), "The media process ended. Connect again.")
        self._tell_restarted()

    # ------------------------------------------------------------------ own

    def _greet(self) -> None:
        self._road.connect(self._process.frames)
        self._process.control.post({"type": "hello", "version": CONTROL_VERSION, "package": __version__})

    def _ready(self, message: Message) -> None:
        if (message["version"], message["package"]) != (CONTROL_VERSION, __version__):
            raise MessageError(
                f"reactor_nb {message['package']} was installed while this kernel runs {__version__}. "
                "Restart the kernel."
            )
        if self._restarts:
            self._tell_restarted()

    def _open(self, known: OpenedName) -> None:
        """Open the newest session of a name in the process; its sink sends when that is done."""
        assert known.settings is not None and known.sink is not None
        sink = known.sink
        request, opened = self._requests.add()
        opened.add_done_callback(lambda done: sink.attach() if done.exception() is None else None)
        self._process.control.post(
            {
                "type": "open",
                "id": request,
                "name": known.name,
                "stream": known.stream,
                "session": known.session,
                "settings": dataclasses.asdict(known.settings),
            }
        )

    def _tell_restarted(self) -> None:
        with self._lock:
            listeners = tuple(self._restart_listeners)
        for listener in listeners:
            try:
                listener()
            except Exception:
                _log.exception("A listener was not told that the media process is there again.")

    def _note(self, text: str) -> None:
        _log.info("%s", text)
        with self._lock:
            listeners = tuple(self._note_listeners)
        for listener in listeners:
            listener(text)

    def _forward(self, name: str, view_id: str, message: dict[str, Any]) -> None:
        with self._lock:
            known = self._names.get(name)
            listener = known.listener if known is not None else None
        if listener is None:
            return
        try:
            listener(view_id, message)
        except Exception as error:
            _log.exception("The listener of %s failed on a %s message.", name, message["type"])
            self.send(name, view_id, protocol.refusal(message, error))

    def _ask(self, kind: str, name: str, timeout_s: float) -> Any:
        """The answer; None when there is none in time."""
        if self._supervisor.is_current():
            return None
        with self._lock:
            request, answer = self._requests.add()
            self._process.control.post({"type": kind, "id": request, "name": name})
        try:
            return answer.result(timeout_s)
        except TimeoutError:
            self._requests.fail(request, ReactorError("given up"))
        except CarrierError:
            pass
        return None

    def _give_up_offer(self, request: int, name: str, process: MediaProcess) -> None:
        why = f"The media process did not answer the offer within {OFFER_TIMEOUT_S:g} s. Connect again."
        # The page tries again; a process that hangs would never answer.
        if self._requests.fail(request, CarrierError(why)) and self._ask("stats", name, HANGING_TIMEOUT_S) is None:
            self._note(f"The media process {process.pid} does not answer; it is killed, and another one starts.")
            process.kill()

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise ClosedError("The media link is closed; run a model again to make a new one.")

    def _refuse_own_thread(self, method: str) -> None:
        if self._supervisor.is_current():
            raise WrongThreadError(f"{method}() was called on {THREAD_NAME}; call it from another thread.")
