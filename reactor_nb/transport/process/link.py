"""ProcessLink: the MediaLink whose peers, clocks and encoders live in a process of their own."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from reactor_nb import __version__
from reactor_nb.core.buffer import FrameSink
from reactor_nb.errors import CarrierError, ClosedError, MessageError, WrongThreadError
from reactor_nb.media.link import CommSettings, MessageListener, PacketListener, PeerSettings, StreamSettings
from reactor_nb.transport import protocol
from reactor_nb.transport.process import messages
from reactor_nb.transport.process.control import Message
from reactor_nb.transport.process.conversation import Conversation, give_up
from reactor_nb.transport.process.listeners import Listeners
from reactor_nb.transport.process.opened import OpenedName, OpenedNames
from reactor_nb.transport.process.road import FrameRoad
from reactor_nb.transport.process.shared_sink import SharedSink
from reactor_nb.transport.process.spawn import MediaProcess
from reactor_nb.transport.process.supervisor import THREAD_NAME, CrashLimit, Supervisor
from reactor_nb.transport.thread_link import ThreadLink

OFFER_TIMEOUT_S = 10.0
STATS_TIMEOUT_S = 0.5
HANGING_TIMEOUT_S = 2.0
CLOSE_NAME_TIMEOUT_S = 5.0

_NOTHING_YET: dict[str, Any] = {"rate_fps": None, "views": 0, "peers": {}, "encoders": {}, "errors": {}, "ended": {}}

_log = logging.getLogger(__name__)


class ProcessLink:
    """MediaLink to one media process, for any number of models.

    The process starts with the link, and is started again when it dies: streams, listeners and settings are kept
    here, the newest frame of each stream is sent again, and on_restart tells when views should connect. After too
    many crashes, or where none can be started, a ThreadLink in this process goes on; `where()` says why.

    Raises:
        OSError: there is no memory or descriptor to begin with.
    Threads: every method from any; listeners and callbacks of offers run on `reactor-media-link`, on which
        open_stream, close_name and close must not be called. A fork of this process may call close() and nothing else.
    """

    def __init__(self, limit: CrashLimit | None = None, make: Callable[[], MediaProcess] = MediaProcess) -> None:
        self._lock = threading.RLock()
        self._opening = threading.Lock()  # taken before the other: one session is opened at a time, whatever opens it
        self._owner_pid = os.getpid()
        self._names = OpenedNames()
        self._listeners = Listeners()
        self._threads: ThreadLink | None = None
        self._restarts = 0
        self._is_closed = self._is_deaf = False
        self._process = make()
        try:
            self._road = FrameRoad()
        except OSError:
            self._process.close()
            self._process.frames.close()
            raise
        self._conversation = Conversation(self._process.control)
        self._greet()
        self._supervisor = Supervisor(self._process, self, limit or CrashLimit(), make)

    def open_stream(self, name: str, settings: StreamSettings) -> FrameSink:
        self._refuse_own_thread("open_stream")
        with self._opening:
            with self._lock:
                self._refuse_closed()
                threads = self._threads
                known = self._names.add(name)
                before, known.sink = known.sink, None
                if threads is None:
                    known.session, known.settings = self._names.next_session(), settings
                    known.sink = SharedSink(
                        self._road,
                        known.stream,
                        known.session,
                        settings.rate_fps,
                        settings.smoothness,
                        device_layout=settings.device_layout,
                    )
                    self._open(known)
                sink = known.sink
            if before is not None:
                before.release()
            if threads is not None:
                return threads.open_stream(name, settings)
            assert sink is not None
            return sink

    def offer(self, name: str, view_id: str, sdp: str, settings: PeerSettings) -> Future[str]:
        with self._lock:
            self._refuse_closed()
            if self._threads is not None:
                return self._threads.offer(name, view_id, sdp, settings)
            self._names.add(name)
            process = self._process
            answer: Future[str] = self._conversation.ask(
                messages.offering(name, view_id, sdp, settings),
                OFFER_TIMEOUT_S,
                lambda: self._kill_if_hanging(name, process),
            )
        return answer

    def close_view(self, name: str, view_id: str) -> None:
        with self._lock:
            self._refuse_closed()
            known = self._names.get(name)
            if known is not None:
                known.carried.pop(view_id, None)
            if self._threads is not None:
                self._threads.close_view(name, view_id)
            elif known is not None:
                self._conversation.tell({"type": "close_view", "name": name, "view_id": view_id})

    def carry(self, name: str, view_id: str, settings: CommSettings) -> None:
        with self._lock:
            self._refuse_closed()
            known = self._names.add(name)
            if self._threads is not None:
                self._threads.carry(name, view_id, settings)
            else:
                self._conversation.tell(messages.carrying(name, view_id, settings))
            known.carry(view_id, settings)  # what was refused as too large is not told to the next process either

    def heard(self, name: str, view_id: str, message: dict[str, Any]) -> None:
        with self._lock:
            self._refuse_closed()
            known = self._names.get(name)
            if known is not None and message.get("type") == "bye":
                known.carried.pop(view_id, None)
            if self._threads is not None:
                self._threads.heard(name, view_id, message)
            elif known is not None:
                said: Message = {"type": "heard", "name": name, "view_id": view_id, "message": message}
                self._conversation.tell(said, is_droppable=True)

    def listen_packets(self, name: str, listener: PacketListener) -> None:
        with self._lock:
            self._refuse_closed()
            self._names.add(name).packet_listener = listener
            if self._threads is not None:
                self._threads.listen_packets(name, listener)

    def deafen(self, is_deaf: bool) -> None:
        with self._lock:
            self._refuse_closed()
            self._is_deaf = is_deaf
            if self._threads is not None:
                self._threads.deafen(is_deaf)
            else:
                self._conversation.tell({"type": "deafen", "is_deaf": is_deaf})

    def send(self, name: str, view_id: str | None, message: dict[str, Any]) -> int:
        text = protocol.encode(message)
        with self._lock:
            self._refuse_closed()
            if self._threads is not None:
                return self._threads.send_text(name, view_id, text)
            known = self._names.get(name)
            if known is None:
                return 0
            reachable = known.reachable
            count = len(reachable) if view_id is None else int(view_id in reachable)
            said: Message = {"type": "send", "name": name, "view_id": view_id, "text": text}
            if count and not self._conversation.tell(said, is_droppable=True):
                known.unsent += count
                return 0
            return count

    def listen(self, name: str, listener: MessageListener) -> None:
        with self._lock:
            self._refuse_closed()
            self._names.add(name).listener = listener
            if self._threads is not None:
                self._threads.listen(name, listener)

    def close_name(self, name: str) -> None:
        self._refuse_own_thread("close_name")
        with self._opening, self._lock:
            self._refuse_closed()
            known, threads = self._names.pop(name), self._threads
        if known is not None and known.sink is not None:
            known.sink.release()
        if threads is not None:
            threads.close_name(name)
        elif known is not None:
            self._conversation.wait({"type": "close_name", "name": name}, CLOSE_NAME_TIMEOUT_S)

    def stats(self, name: str) -> dict[str, Any]:
        """As MediaLink says; of a process that does not answer, what it said last, with `is_stale`."""
        with self._lock:
            self._refuse_closed()
            threads, known = self._threads, self._names.get(name)
        if threads is not None:
            found = threads.stats(name)
            return {**found, "is_stale": False, "where": self.where()} if found else {}
        if known is None:
            return {}
        answer = self._wait("stats", name)
        if answer is not None:
            known.stats = answer
        found = known.stats or _NOTHING_YET
        unsent = found.get("unsent", 0) + known.unsent
        return {**found, "unsent": unsent, "is_stale": answer is None, "where": self.where()}

    def timeline(self, name: str) -> dict[str, Any]:
        with self._lock:
            self._refuse_closed()
            threads, known = self._threads, self._names.get(name)
        if threads is not None:
            return threads.timeline(name)
        return (self._wait("timeline", name) or {}) if known is not None else {}

    def where(self) -> dict[str, Any]:
        with self._lock:
            if self._threads is not None:
                return {**self._threads.where(), "restarts": self._restarts}
            return {"media": "process", "pid": self._process.pid, "why": "", "restarts": self._restarts}

    def on_restart(self, listener: Callable[[], None]) -> None:
        self._listeners.on_restart(listener)

    def on_note(self, listener: Callable[[str], None]) -> None:
        self._listeners.on_note(listener)

    def close(self, timeout_s: float = 5.0) -> None:
        if os.getpid() != self._owner_pid:
            return  # a fork of the author: the process belongs to its parent
        self._refuse_own_thread("close")
        with self._lock:
            is_first, self._is_closed = not self._is_closed, True
            names, threads = self._names.take_all(), self._threads
            self._supervisor.expect_end()
            self._conversation.tell({"type": "close", "timeout_s": timeout_s})
        if not is_first:
            return
        for known in names:
            if known.sink is not None:
                known.sink.release()
        self._supervisor.close(timeout_s)
        self._road.close()
        self._conversation.end("The media link was closed.")
        if threads is not None:
            threads.close(timeout_s)

    # ------------------------------------------------------------------ told by the supervisor, on its thread

    def received(self, message: Message) -> None:
        kind = message["type"]
        if kind in ("done", "failed"):
            self._conversation.answered(message)
        elif kind == "said":
            name = message["name"]
            with self._lock:
                known = self._names.get(name)
                listener = known.listener if known is not None else None
            self._listeners.said(listener, name, message["view_id"], message["message"], self.send)
        elif kind == "packet":
            with self._lock:
                known = self._names.get(message["name"])
                packets = known.packet_listener if known is not None else None
            self._listeners.packet(packets, message["name"], message["message"], message["payload"])
        elif kind == "views":
            with self._lock:
                known = self._names.get(message["name"])
                if known is not None:
                    known.open_views = tuple(message["open"])
        elif kind == "log":
            self._listeners.note(message["text"])
        elif kind == "ready":
            self._ready(message)

    def crashed(self, how: str) -> None:
        self._listeners.note(how)

    def renew(self, process: MediaProcess) -> None:
        with self._lock:
            if self._is_closed:
                process.frames.close()  # it will not be started
                return
            lost = self._conversation.renew(process.control)
            self._process = process
            self._restarts += 1
            self._greet()
            for known in self._names:
                known.lose_peers()
                if known.sink is not None:
                    self._open(known)
                for view_id, settings in known.carried.items():
                    self._conversation.tell(messages.carrying(known.name, view_id, settings))
        give_up(lost, "The media process ended, and another one starts. Connect again.")
        # Now and not when it is ready: the offers of the views wait in its socket, and are answered that much sooner.
        self._listeners.restarted()

    def give_up(self, why: str) -> None:
        with self._opening:
            with self._lock:
                if self._is_closed:
                    return
                threads = self._threads = ThreadLink(why)
                for known in self._names:
                    if known.listener is not None:
                        threads.listen(known.name, known.listener)
                    if known.packet_listener is not None:
                        threads.listen_packets(known.name, known.packet_listener)
                    known.lose_peers()
                    for view_id, carried in known.carried.items():
                        threads.carry(known.name, view_id, carried)
                threads.deafen(self._is_deaf)
                opened = [(known.name, known.settings, known.sink) for known in self._names]
            for name, settings, sink in opened:
                if settings is not None and sink is not None:
                    with contextlib.suppress(ClosedError):  # the link is closed meanwhile
                        sink.divert(threads.open_stream(name, settings))
        self._road.disconnect()
        self._conversation.end("The media process ended. Connect again.")
        self._listeners.note("The media goes on in threads of the kernel, where a busy cell may slow the picture.")
        self._listeners.restarted()

    # ------------------------------------------------------------------ own

    def _greet(self) -> None:
        self._road.connect(self._process.frames)
        self._conversation.tell(messages.hello())
        if self._is_deaf:
            self._conversation.tell({"type": "deafen", "is_deaf": True})

    def _ready(self, message: Message) -> None:
        if not messages.is_of_this_release(message):
            raise MessageError(
                f"reactor_nb {message['package']} was installed while this kernel runs {__version__}. "
                "Restart the kernel."
            )

    def _open(self, known: OpenedName) -> None:
        """Open the newest session of a name in the process; its sink sends when that is done."""
        assert known.sink is not None
        sink = known.sink

        def opened(answer: Future[Any]) -> None:
            error = answer.exception()
            if error is None:
                sink.attach()
            elif not isinstance(error, CarrierError):  # else the process died, and the next one opens it
                self._listeners.note(f"{known.name} is not shown: {error}")

        self._conversation.ask(messages.opening(known)).add_done_callback(opened)

    def _wait(self, kind: str, name: str) -> Any:
        """The answer; None when there is none in time, or this thread is the one that would bring it."""
        if self._supervisor.is_current():
            return None
        return self._conversation.wait({"type": kind, "name": name}, STATS_TIMEOUT_S)

    def _kill_if_hanging(self, name: str, process: MediaProcess) -> None:
        """After an offer that got no answer: one that answers nothing at all would never get better."""
        if self._conversation.wait({"type": "stats", "name": name}, HANGING_TIMEOUT_S) is None:
            self._listeners.note(
                f"The media process {process.pid} does not answer; it is killed, and another one starts."
            )
            process.kill()

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise ClosedError("The media link is closed; run a model again to make a new one.")

    def _refuse_own_thread(self, method: str) -> None:
        if self._supervisor.is_current():
            raise WrongThreadError(f"{method}() was called on {THREAD_NAME}; call it from another thread.")
