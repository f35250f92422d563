"""The kernel's end of the frame socket: notices are sent without waiting, and without giving up the GIL."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from reactor_nb.transport.process.board import BOARD_BYTES, Board
from reactor_nb.transport.process.notices import BoardNotice, Notice, SegmentNotice, pack
from reactor_nb.transport.process.segments import Segment

STALLED = "the media process does not read"
GONE = "the media process starts"

_FLAGS = getattr(socket, "MSG_DONTWAIT", 0) | getattr(socket, "MSG_NOSIGNAL", 0)
_NOT_CONNECTED = -1


class FrameRoad:
    """What all streams of one kernel share: the socket to the media process, and the board of its counts.

    Raises:
        OSError: no shared memory for the board.
    Threads: any; one lock guards the socket, so that a descriptor is never used after it was closed.
    """

    def __init__(self) -> None:
        self.board = Board()
        self._send = _sender()
        self._lock = threading.Lock()
        self._owner_pid = os.getpid()
        self._end: socket.socket | None = None
        self._fd = _NOT_CONNECTED
        self._connection = 0

    @property
    def connection(self) -> int:
        """Counts the media processes so far; each one knows nothing of what the one before was sent."""
        return self._connection

    def leads(self, connection: int) -> bool:
        """Whether the process of that connection is the one at the other end, as far as is known."""
        return self._is_at(connection) and self._fd != _NOT_CONNECTED

    def connect(self, end: socket.socket) -> None:
        """Use this seqpacket socket from now on; it is the road's own. The one before is closed.

        The media process at the other end must be new: the one before has ended.
        """
        with self._lock:
            self._drop_end()
            self._end, self._fd = end, end.fileno()
            self._connection += 1
            # The socket of a new process is empty: this neither waits nor fails unless the process is gone.
            with contextlib.suppress(OSError):
                _send_with(end, pack(BoardNotice(BOARD_BYTES)), self.board.fd)

    def disconnect(self) -> None:
        """The media process is gone: what is sent from now on is refused with GONE. Idempotent."""
        with self._lock:
            self._drop_end()

    def close(self) -> None:
        """Idempotent."""
        self.disconnect()
        self.board.close()

    def send(self, connection: int, notice: Notice) -> str:
        """Send to the process of that connection. Never waits. Empty when it was sent, else why not.

        Raises:
            NoticeError: a field that cannot be.
        """
        record = pack(notice)
        with self._lock:
            if not self._is_at(connection) or self._fd == _NOT_CONNECTED:
                return GONE
            if self._send(self._fd, record, len(record), _FLAGS) == len(record):
                return ""
            return _why(ctypes.get_errno())

    def send_segment(self, connection: int, segment: Segment) -> str:
        """As `send`, for memory that the process does not know; does nothing when it does."""
        if segment.is_known:
            return ""
        record = pack(SegmentNotice(segment.id, segment.size_bytes))
        with self._lock:
            if not self._is_at(connection) or self._end is None:
                return GONE
            try:
                # Gives up the GIL, which is rare enough: some four times in a session.
                _send_with(self._end, record, segment.fd)
            except OSError as error:
                return _why(error.errno)
        segment.is_known = True
        segment.forget_fd()
        return ""

    def send_patiently(self, connection: int, notice: Notice, timeout_s: float) -> str:
        """As `send`, and while the process does not read, try for `timeout_s`."""
        deadline_s = time.monotonic() + timeout_s
        while (why := self.send(connection, notice)) == STALLED:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                break
            # Of a copy: the socket itself may be closed while this waits.
            with self._lock:
                waited_for = self._end.dup() if self._end is not None else None
            if waited_for is not None:
                with waited_for:
                    select.select([], [waited_for], [], min(left_s, 0.1))
        return why

    def _is_at(self, connection: int) -> bool:
        # A fork of the author has the socket as well: what it emitted would come among its parent's frames.
        return connection == self._connection and os.getpid() == self._owner_pid

    def _drop_end(self) -> None:
        if self._end is not None:
            self._end.close()
        self._end, self._fd = None, _NOT_CONNECTED


def _send_with(end: socket.socket, record: bytes, fd: int) -> None:
    """Send a descriptor along. Not by socket.send_fds, which ignores its flags (3.11) and would wait."""
    end.sendmsg([record], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fd.to_bytes(4, sys.byteorder))], _FLAGS)


def _why(number: int | None) -> str:
    return STALLED if number in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.EINTR) else GONE


def _sender() -> Callable[[int, bytes, int, int], int]:
    """`send` of the C library. socket.send would give up the GIL, and wait 5 ms for it while a cell spins."""
    library: Any = ctypes.PyDLL(None, use_errno=True)
    send: Any = library.send
    send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    send.restype = ctypes.c_ssize_t
    result: Callable[[int, bytes, int, int], int] = send
    return result
