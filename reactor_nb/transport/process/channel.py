"""The two ends of the control socket: messages are posted without waiting, and read one by one."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import queue
import select
import socket
import threading
from collections import deque
from typing import Any

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
        self._chunk: Any = None  # made where it is used: in the kernel, by the reader
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
                data = self._socket.recv(_CHUNK_BYTES) if ended == -1 else self._take(ended)
            except OSError:
                return None
            if not data:
                return None
            self._received.extend(self._decoder.feed(data))
        return self._received.popleft()

    def _take(self, ended: int) -> bytes:
        """Wait for bytes; empty at the end of the socket, or when `ended` comes first.

        What is there when poll returns is taken without giving up the GIL a second time.
        """
        fd = self._socket.fileno()
        poll = select.poll()
        for each in (fd, ended):
            poll.register(each, select.POLLIN)
        if self._chunk is None:
            self._chunk = ctypes.create_string_buffer(_CHUNK_BYTES)
        while any(found == fd for found, _ in poll.poll()):
            size = _recv()(fd, self._chunk, _CHUNK_BYTES, socket.MSG_DONTWAIT)
            if size >= 0:
                return ctypes.string_at(self._chunk, size)
            number = ctypes.get_errno()
            if number not in (errno.EAGAIN, errno.EINTR):
                raise OSError(number, "the control socket cannot be read")
        return b""

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


@functools.cache
def _recv() -> Any:
    """recv(2) that keeps the GIL: in a kernel whose cell spins, `socket.recv` waits 5 ms to get it back."""
    library: Any = ctypes.PyDLL(None, use_errno=True)
    recv = library.recv
    recv.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    recv.restype = ctypes.c_ssize_t
    return recv
