"""The two ends of the control socket: messages are posted without waiting, and read one by one."""

from __future__ import annotations

import contextlib
import queue
import select
import socket
import threading
from collections import deque

from reactor_nb.transport.process.control import Decoder, Message, Table, pack

MAX_QUEUED_BYTES = 8 * 1024 * 1024
"""Of messages while the other side does not read; what is more is dropped or refused by the caller, counted."""

RESERVED_BYTES = 8 * 1024 * 1024
"""Beyond that, for what may not be dropped: what opens and ends, and answers."""

_CHUNK_BYTES = 256 * 1024


class Channel:
    """One end of a stream socket.

    Posting only puts bytes into a queue: a system call would give up the GIL, and in a kernel whose cell spins it
    takes 5 ms to get it back. The thread `reactor-media-writer` writes them.

    Args:
        outgoing, incoming: the tables of control.py.
    Threads: post and close from any; receive on one.
    """

    def __init__(self, end: socket.socket, outgoing: Table, incoming: Table) -> None:
        self._socket = end
        self._outgoing = outgoing
        self._decoder = Decoder(incoming)
        self._received: deque[Message] = deque()
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._queued_bytes = 0
        self._refused = 0
        self._lock = threading.Lock()
        self._is_closed = False
        self._writer = threading.Thread(target=self._write, name="reactor-media-writer", daemon=True)
        self._writer.start()

    def post(self, message: Message, *, is_droppable: bool = False) -> bool:
        """Queue a message; False if the channel is closed or too much waits. What may be dropped is refused sooner.

        Raises:
            MessageError: it is not in the table or too large.
        """
        data = pack(message, self._outgoing)
        with self._lock:
            if self._is_closed:
                return False
            limit = MAX_QUEUED_BYTES + (0 if is_droppable else RESERVED_BYTES)
            # Alone it may be larger: a still of 4K.
            if self._queued_bytes and self._queued_bytes + len(data) > limit:
                self._refused += 1
                return False
            self._queued_bytes += len(data)
        self._queue.put(data)
        return True

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more messages."""
        return self._is_closed

    @property
    def refused(self) -> int:
        """How many messages found too much waiting."""
        return self._refused

    def receive(self, ended: int = -1) -> Message | None:
        """Wait for the next message; None when the other side has ended, or after close().

        Args:
            ended: a pidfd of the other side: its end-of-file does not come while a fork holds its socket.
        Raises:
            MessageError: what came is no message; the channel is of no use any more.
        """
        while not self._received:
            try:
                data = self._socket.recv(_CHUNK_BYTES) if self._has_data(ended) else b""
            except OSError:
                return None
            if not data:
                return None
            self._received.extend(self._decoder.feed(data))
        return self._received.popleft()

    def _has_data(self, ended: int) -> bool:
        """Wait for bytes or the end of the socket; False when `ended` comes first."""
        if ended == -1:
            return True  # recv waits by itself
        poll = select.poll()
        for each in (self._socket.fileno(), ended):
            poll.register(each, select.POLLIN)
        return any(found == self._socket.fileno() for found, _ in poll.poll())

    def end(self) -> None:
        """No more messages either way, and receive() returns None. What was queued may be lost. Idempotent."""
        with self._lock:
            self._is_closed = True
        self._queue.put(None)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # close() alone would not wake who reads or writes

    def close(self, timeout_s: float = 1.0) -> None:
        """Write what is queued, for so long, then end and close the socket. Idempotent.

        Threads: not while another thread receives.
        """
        with self._lock:
            self._is_closed = True
        self._queue.put(None)
        self._writer.join(timeout_s)
        self.end()
        self._writer.join()
        self._socket.close()

    def _write(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._socket.sendall(data)
            except OSError:
                return  # the reader sees the same end, and tells it
            with self._lock:
                self._queued_bytes -= len(data)
