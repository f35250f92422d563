"""The media process from inside: a ThreadLink whose frames come from the kernel, told what to do by messages."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from reactor_nb import __version__
from reactor_nb.core.frame_queue import FrameQueue
from reactor_nb.errors import CarrierError, MessageError, ReactorError
from reactor_nb.media.link import CommSettings, PeerSettings, StreamSettings
from reactor_nb.transport.process.channel import MAX_QUEUED_BYTES, Channel
from reactor_nb.transport.process.control import CONTROL_VERSION, Message
from reactor_nb.transport.process.receiver import FrameReceiver
from reactor_nb.transport.process.spawn import NO_DESCRIPTOR
from reactor_nb.transport.thread_link import ThreadLink

TICK_S = 1.0
"""How often the log's size is looked at, and the kernel where no pidfd tells of its end."""

CLOSE_TIMEOUT_S = 3.0
ORPHAN_TIMEOUT_S = 0.5
"""How long pages are said good-bye when the kernel has gone without a word."""

MAX_LOG_BYTES = 1024 * 1024

_log = logging.getLogger(__name__)


class Host:
    """Runs until the kernel says `close`, ends, or says what is no message.

    Args:
        control: the end of this process.
        receiver: hands the kernel's frames to the queue of their session.
        parent: a pidfd of the kernel, or NO_DESCRIPTOR.
        log: where this process prints to, memory that the kernel holds: only so much of it is kept.
    Threads: run() on the main thread, which waits for no page; what takes its time is answered from where it ends.
    """

    def __init__(
        self, control: Channel, receiver: FrameReceiver, parent: int = NO_DESCRIPTOR, log: int = NO_DESCRIPTOR
    ) -> None:
        self._control = control
        self._receiver = receiver
        self._parent = parent
        self._log = log
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._watcher = threading.Thread(target=self._watch, name="reactor-kernel-watch", daemon=True)
        self._parent_pid = os.getppid()
        self._link = ThreadLink(open_changed=self._tell_views)
        self._streams: dict[str, int] = {}
        self._listened: set[str] = set()
        self._close_timeout_s = ORPHAN_TIMEOUT_S
        self._handlers: dict[str, Callable[[Message], object]] = {
            "hello": self._hello,
            "open": self._open,
            "offer": self._offer,
            "close_view": lambda message: self._link.close_view(message["name"], message["view_id"]),
            "carry": self._carry,
            "heard": self._heard,
            "deafen": lambda message: self._link.deafen(message["is_deaf"]),
            "send": lambda message: self._link.send_text(message["name"], message["view_id"], message["text"]),
            "stats": self._stats,
            "timeline": lambda message: self._link.timeline(message["name"]),
            "close_name": self._close_name,
        }

    def run(self) -> None:
        """Serve the kernel to the end; everything is closed when it returns."""
        to_kernel = _ToKernel(self._control)
        logging.getLogger().addHandler(to_kernel)
        self._say({"type": "ready", "version": CONTROL_VERSION, "package": __version__, "pid": os.getpid()})
        self._watcher.start()
        try:
            while (message := self._control.receive()) is not None:
                if message["type"] == "close":
                    self._close_timeout_s = message["timeout_s"]
                    break
                self._handle(message)
        except MessageError as error:
            _log.error("The kernel said what is no message: %s", error)
        finally:
            logging.getLogger().removeHandler(to_kernel)
            self._end()

    def _handle(self, message: Message) -> None:
        request = message.get("id")
        try:
            result = self._handlers[message["type"]](message)
        except Exception as error:
            if request is not None:
                self._fail(request, error)
            else:
                _log.exception("A %s message of the kernel was not followed.", message["type"])
            return
        if request is None:
            return
        if isinstance(result, Future):
            result.add_done_callback(partial(self._settle, request))
        else:
            self._answer(request, result)

    def _hello(self, message: Message) -> None:
        if (message["version"], message["package"]) != (CONTROL_VERSION, __version__):
            raise SystemExit(f"The kernel runs reactor_nb {message['package']}; this is {__version__}.")

    def _open(self, message: Message) -> None:
        name, stream, session = message["name"], message["stream"], message["session"]
        settings = StreamSettings(**message["settings"])
        self._streams[name] = stream
        self._listen(name)
        self._link.play(name, settings, self._receiver.add(stream, session, FrameQueue(settings.rate_fps)))

    def _listen(self, name: str) -> None:
        """What pages say goes to the kernel, which knows whether anybody listens; and what they are sent by comm."""
        if name in self._listened:
            return
        self._listened.add(name)

        def tell(view_id: str, said: Message) -> None:
            message = {"type": "said", "name": name, "view_id": view_id, "message": said}
            if not self._control.post(message, is_droppable=True):
                raise CarrierError(
                    f"The kernel does not read: {MAX_QUEUED_BYTES >> 20} MiB wait for it, and {self._control.refused} "
                    f"messages were refused, this {said['type']} among them. Try again when it answers."
                )

        def bring(said: Message, payload: bytes) -> None:
            message = {"type": "packet", "name": name, "message": said, "payload": payload}
            if not self._control.post(message, is_droppable=True):
                raise CarrierError(f"The kernel does not read: {MAX_QUEUED_BYTES >> 20} MiB wait for it.")

        self._link.listen(name, tell)
        self._link.listen_packets(name, bring)

    def _carry(self, message: Message) -> None:
        self._listen(message["name"])
        settings = CommSettings(tuple(message["codecs"]), message["is_watching"])
        self._link.carry(message["name"], message["view_id"], settings)

    def _heard(self, message: Message) -> None:
        self._listen(message["name"])  # a ping is answered before the first session
        self._link.heard(message["name"], message["view_id"], message["message"])

    def _offer(self, message: Message) -> Future[str]:
        given = message["settings"]
        settings = PeerSettings(
            hostname=given["hostname"],
            ice_servers=tuple(given["ice_servers"]),
            interfaces=tuple(given["interfaces"]),
            wants_relay=bool(given.get("wants_relay")),
        )
        self._listen(message["name"])
        return self._link.offer(message["name"], message["view_id"], message["sdp"], settings)

    def _stats(self, message: Message) -> dict[str, Any]:
        return self._link.stats(message["name"])

    def _close_name(self, message: Message) -> Future[None]:
        stream = self._streams.pop(message["name"], None)
        self._listened.discard(message["name"])
        if stream is not None:
            self._receiver.drop(stream)
        return self._link.close_name_soon(message["name"])

    def _tell_views(self, name: str, view_ids: list[str]) -> None:
        self._say({"type": "views", "name": name, "open": view_ids})

    def _settle(self, request: int, done: Future[Any]) -> None:
        if done.cancelled():
            return  # this process ends, and with it every question
        error = done.exception()
        if error is None:
            self._answer(request, done.result())
        else:
            self._fail(request, error)

    def _answer(self, request: int, result: object) -> None:
        try:
            self._control.post({"type": "done", "id": request, "result": result})
        except MessageError as error:
            _log.error("The kernel was not answered: %s", error)
            self._fail(request, error)  # who asks is not to wait in vain

    def _fail(self, request: int, error: BaseException) -> None:
        known = error if isinstance(error, ReactorError) else ReactorError(f"{type(error).__name__}: {error}")
        self._say({"type": "failed", "id": request, "error": known.to_wire()})

    def _say(self, message: Message) -> None:
        try:
            self._control.post(message)  # False: it ends, or has not read for so long that it has asked nothing either
        except MessageError as error:
            _log.error("The kernel was not told: %s", error)

    def _watch(self) -> None:
        """Follow the kernel: its end-of-file does not come while a child of its own holds the socket."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if self._parent != NO_DESCRIPTOR:
            poll.register(self._parent, select.POLLIN)
        while not poll.poll(TICK_S * 1000):
            if self._parent == NO_DESCRIPTOR and os.getppid() != self._parent_pid:
                break
            if self._log != NO_DESCRIPTOR and os.fstat(self._log).st_size > MAX_LOG_BYTES:
                os.ftruncate(self._log, 0)
        self._control.end()

    def _end(self) -> None:
        self._receiver.close()
        try:
            self._link.close(self._close_timeout_s)
        except ReactorError as error:
            _log.error("%s", error)
        self._control.close(timeout_s=0.2)
        os.eventfd_write(self._wake, 1)
        self._watcher.join()
        os.close(self._wake)


class _ToKernel(logging.Handler):
    """Warnings of this process in a line each, for the logs of the sessions."""

    def __init__(self, control: Channel) -> None:
        super().__init__(logging.WARNING)
        self._control = control

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                text += f" {type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
            self._control.post({"type": "log", "text": text}, is_droppable=True)
        except Exception:  # a handler of logging never raises into the line that logs; this prints it instead
            self.handleError(record)
