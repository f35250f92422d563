"""FrameReceiver: the end of the frame socket in the media process; hands each block to the queue of its session."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from reactor_nb.core.frame_queue import BufferedFrame, FrameQueue
from reactor_nb.core.frames import Block
from reactor_nb.core.pacing import Plan
from reactor_nb.transport.process.board import SLOTS, Board, Tally
from reactor_nb.transport.process.notices import (
    MAX_NOTICE_BYTES,
    BlockNotice,
    BoardNotice,
    EndNotice,
    NoticeError,
    SegmentNotice,
    unpack,
)
from reactor_nb.transport.process.segments import MappedSegment

THREAD_NAME = "reactor-frame-receiver"
_MAX_FDS = 4
_MAX_SEGMENTS = 4096

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReceiverCounts:
    """`refused` notices that cannot be; `segments` that are mapped."""

    refused: int
    segments: int


class CountedQueue:
    """A FrameSource: a FrameQueue that writes what it plays on the board.

    Threads: take on one clock's thread; everything else on any.
    """

    def __init__(self, queue: FrameQueue, board: Callable[[], Board | None], stream_id: int, session_no: int) -> None:
        self.queue = queue
        self.stream_id = stream_id
        self.session_no = session_no
        self.is_replaced = False
        """Another session has the slot on the board now."""
        self._board = board
        self._before: Tally | None = None
        self._played = 0
        self._next_number = 0

    def take(self, timeout_s: float | None = None) -> BufferedFrame | None:
        """As FrameQueue.take."""
        frame = self.queue.take(timeout_s)
        board = self._board()
        if board is None or self.is_replaced:
            return frame
        if self._before is None:
            # What a process before this one has played of the session. The board came before the first frame.
            self._before = board.read(self.stream_id, self.session_no) or Tally()
            self._next_number = self._before.next_number
        if frame is not None and frame.number >= self._next_number:  # else it is shown again after a restart
            self._played += 1
            self._next_number = frame.number + 1
        skipped = self._before.skipped + self.queue.counts().skipped
        tally = Tally(self._before.played + self._played, skipped, self._next_number)
        board.write(self.stream_id, self.session_no, tally)
        return frame

    def close(self) -> None:
        """As FrameQueue.close."""
        self.queue.close()


class FrameReceiver:
    """Reads notices on the thread `reactor-frame-receiver` until the kernel's end is closed.

    Whatever comes, no array leaves the memory that it was announced with: what does not fit is refused, counted
    and told of once.

    Args:
        end: the seqpacket socket; the receiver's own.
        lost: called once, on the receiver's thread, with why a block cannot be read although the kernel sent it: its
            memory will never be given back, so a new process is to begin anew.
    Threads: every method from any but the receiver's own. One lock guards the sessions.
    """

    def __init__(self, end: socket.socket, lost: Callable[[str], None] = lambda why: None) -> None:
        self._end = end
        self._lost = lost
        self._is_lost = False
        self._lock = threading.Lock()
        self._sessions: dict[int, CountedQueue] = {}
        self._segments: dict[int, MappedSegment] = {}
        self._board: Board | None = None
        self._refused = 0
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def add(self, stream_id: int, session_no: int, queue: FrameQueue) -> CountedQueue:
        """Blocks of that session go into `queue` from now on; what the clock is to play. Replaces the one before."""
        if not 0 <= stream_id < SLOTS:
            raise NoticeError(f"stream {stream_id} was opened; 0 to {SLOTS - 1} are known")
        counted = CountedQueue(queue, lambda: self._board, stream_id, session_no)
        with self._lock:
            before = self._sessions.get(stream_id)
            if before is not None:
                before.is_replaced = True
            self._sessions[stream_id] = counted
        return counted

    def drop(self, stream_id: int) -> None:
        """The stream is closed; blocks that still come are given back unseen. Idempotent.

        Its clock may still end: from now on it leaves the board to the next one of that number.
        """
        with self._lock:
            dropped = self._sessions.pop(stream_id, None)
            if dropped is not None:
                dropped.is_replaced = True

    def counts(self) -> ReceiverCounts:
        with self._lock:
            return ReceiverCounts(self._refused, len(self._segments))

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the kernel's end is closed; whether it is."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def close(self, timeout_s: float = 1.0) -> bool:
        """End the thread and close the socket; whether the thread is gone. Idempotent."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        is_gone = self.wait(timeout_s)
        self._end.close()
        return is_gone

    # What follows runs on the receiver's thread.

    def _run(self) -> None:
        while True:
            try:
                record, fds, flags, _ = socket.recv_fds(self._end, MAX_NOTICE_BYTES, _MAX_FDS)
            except OSError:
                return
            if not record and not fds:
                return
            try:
                self._follow(record, fds, is_cut=bool(flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)))
            except (NoticeError, OSError) as error:
                self._refuse(error)
            finally:
                for fd in fds:
                    os.close(fd)

    def _follow(self, record: bytes, fds: list[int], *, is_cut: bool) -> None:
        if is_cut:
            raise NoticeError(f"a record longer than {MAX_NOTICE_BYTES} bytes or with more descriptors came")
        notice = unpack(record)
        needed = 1 if isinstance(notice, SegmentNotice | BoardNotice) else 0
        if len(fds) != needed:
            raise NoticeError(f"a record came with {len(fds)} descriptors; it needs {needed}")
        match notice:
            case BlockNotice():
                self._take_block(notice)
            case EndNotice():
                self._take_end(notice)
            case SegmentNotice():
                self._drop_retired()
                if len(self._segments) >= _MAX_SEGMENTS:
                    raise NoticeError(f"more than {_MAX_SEGMENTS} segments came")
                self._segments[notice.segment_id] = MappedSegment(fds[0], notice.size_bytes)
            case BoardNotice():
                self._board = Board(fds[0])

    def _take_block(self, notice: BlockNotice) -> None:
        segment = self._segments.get(notice.segment_id)
        if segment is None:
            why = f"a block came in the unknown segment {notice.segment_id}"
            if not self._is_lost:
                self._is_lost = True
                self._lost(why)
            raise NoticeError(why)
        with self._lock:
            session = self._sessions.get(notice.stream_id)
        if session is None or session.session_no != notice.session_no:
            segment.give_back()
            return
        try:
            pixels = segment.array(notice.shape, notice.offset)
        except ValueError as error:
            segment.give_back()
            raise NoticeError(str(error)) from error
        block = Block(pixels, notice.emitted_s, converted_s=notice.converted_s)
        session.queue.add(block, notice.first_number, Plan(notice.first_due_s, notice.interval_s))
        self._drop_retired()

    def _take_end(self, notice: EndNotice) -> None:
        with self._lock:
            session = self._sessions.get(notice.stream_id)
        if session is None or session.session_no != notice.session_no:
            return
        if notice.is_dropping:
            session.queue.close()
        else:
            session.queue.finish()
        self._drop_retired()

    def _drop_retired(self) -> None:
        """Unmap what the kernel will not use again."""
        for segment_id in [each for each, segment in self._segments.items() if segment.is_done]:
            del self._segments[segment_id]

    def _refuse(self, error: Exception) -> None:
        with self._lock:
            self._refused += 1
            is_first = self._refused == 1
        if is_first:
            _log.error("The kernel sent what is no frame: %s", error)
