"""Whatever comes on the frame socket, the receiver goes on, and shows nothing that is no frame."""

from __future__ import annotations

import dataclasses
import logging
import os
import socket
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reactor_nb.core.frame_queue import FrameQueue
from reactor_nb.transport.process.board import BOARD_BYTES, SLOTS, Board, Tally
from reactor_nb.transport.process.notices import BlockNotice, BoardNotice, Layout, NoticeError, SegmentNotice, pack
from reactor_nb.transport.process.receiver import FrameReceiver
from reactor_nb.transport.process.segments import WITH_MEDIA, Segment
from tests.support.eventually import eventually
from tests.unit.transport.process.sides import sockets

_BLOCK = BlockNotice(
    stream_id=0,
    session_no=1,
    segment_id=0,
    offset=0,
    count=1,
    height_px=16,
    width_px=16,
    layout=Layout.RGB,
    first_number=0,
    emitted_s=1.0,
    converted_s=1.0,
    first_due_s=1.0,
    interval_s=0.0,
)


class _Kernel:
    """Sends records as they are, and looks at what became of them."""

    def __init__(self) -> None:
        self.end, theirs = sockets()
        self.receiver = FrameReceiver(theirs)
        self.source = self.receiver.add(0, 1, FrameQueue(1000.0, keeps_late=True))
        self.segment = Segment(16 * 16 * 3)
        self.pixels = self.segment.array((1, 16, 16, 3))
        self.pixels[...] = 42
        self._numbers = iter(range(1 << 20))

    def send(self, record: bytes, *fds: int) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))] if fds else []
        self.end.sendmsg([record], rights)

    def announce(self) -> None:
        self.send(pack(SegmentNotice(self.segment.id, self.segment.size_bytes)), self.segment.fd)

    def block(self, **fields: int) -> bytes:
        notice = dataclasses.replace(_BLOCK, segment_id=self.segment.id, first_number=next(self._numbers))
        return pack(dataclasses.replace(notice, **fields))  # type: ignore[arg-type]

    def shows_frames(self) -> bool:
        """A frame that is sent now is shown."""
        self.segment.mark(WITH_MEDIA)
        self.send(self.block())
        frame = self.source.take(5.0)
        return frame is not None and bool((frame.pixels == 42).all())

    def shows_frames_anew(self) -> None:
        """A frame of another session is shown: what was sent before was dealt with, and nobody waits for it."""
        before, self.source = self.source, self.receiver.add(1, 1, FrameQueue(1000.0, keeps_late=True))
        self.send(self.block(stream_id=1))
        assert self.source.take(5.0) is not None
        self.source.close()
        self.source = before

    def shows_frames_anew_in(self, segment: Segment) -> None:
        """The same in memory of its own, so that the receiver looks what it may let go."""
        self.send(pack(SegmentNotice(segment.id, segment.size_bytes)), segment.fd)
        segment.forget_fd()
        mine, self.segment = self.segment, segment
        self.shows_frames_anew()
        self.segment = mine

    def close(self) -> None:
        self.segment.forget_fd()
        self.end.close()
        assert self.receiver.wait(5.0)
        self.source.close()
        assert self.receiver.close()


@pytest.fixture
def kernel() -> Iterator[_Kernel]:
    kernel = _Kernel()
    yield kernel
    kernel.close()


def test_a_block_whose_memory_was_let_go_while_it_was_on_its_way_is_shown(kernel: _Kernel) -> None:
    kernel.announce()
    assert kernel.shows_frames()
    kernel.segment.mark(WITH_MEDIA)
    kernel.segment.retire()
    kernel.shows_frames_anew_in(Segment(16 * 16 * 3))
    kernel.send(kernel.block())
    assert kernel.source.take(5.0) is not None


def test_a_block_in_memory_that_is_not_known_is_told_of_once_as_it_can_never_be_given_back() -> None:
    told: list[str] = []
    end, theirs = sockets()
    receiver = FrameReceiver(theirs, told.append)
    try:
        for number in range(3):
            end.send(pack(dataclasses.replace(_BLOCK, segment_id=7, first_number=number)))
        eventually(lambda: receiver.counts().refused == 3)
        assert told == ["a block came in the unknown segment 7"]
    finally:
        end.close()
        assert receiver.wait(5.0)
        assert receiver.close()


@given(st.lists(st.binary(min_size=1, max_size=400), max_size=20))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_refused_and_frames_go_on(kernel: _Kernel, records: list[bytes]) -> None:
    kernel.announce()
    for record in records:
        kernel.send(record)
    assert kernel.shows_frames()


@given(st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_block_notice_with_wrong_bytes_shows_nothing_beyond_the_segment(kernel: _Kernel, data: st.DataObject) -> None:
    kernel.announce()
    record = bytearray(kernel.block())
    for _ in range(data.draw(st.integers(1, 3))):
        record[data.draw(st.integers(0, len(record) - 1))] ^= data.draw(st.integers(1, 255))
    kernel.send(bytes(record))
    kernel.shows_frames_anew()
    frame = kernel.source.take(0.0)
    while frame is not None:
        assert frame.pixels.size <= kernel.segment.size_bytes
        assert (frame.pixels == 42).all()
        frame = kernel.source.take(0.0)


@pytest.mark.parametrize(
    "fields",
    [
        {"segment_id": 1 << 60},
        {"offset": 1},
        {"count": 2},
        {"height_px": 4000, "width_px": 4000},
        {"layout": Layout.I420, "count": 3},
    ],
    ids=repr,
)
def test_a_block_that_does_not_lie_in_its_segment_is_refused_and_given_back(
    kernel: _Kernel, fields: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    kernel.announce()
    kernel.segment.mark(WITH_MEDIA)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            kernel.send(kernel.block(**fields))
        eventually(lambda: kernel.receiver.counts().refused == 3)
    assert len(caplog.records) == 1
    if "segment_id" not in fields:
        del kernel.pixels
        assert kernel.segment.is_free
    assert kernel.shows_frames()


def test_planes_come_as_such(kernel: _Kernel) -> None:
    kernel.announce()
    kernel.send(kernel.block(layout=Layout.I420))
    frame = kernel.source.take(5.0)
    assert frame is not None and frame.pixels.shape == (24, 16)


def test_memory_without_a_descriptor_or_a_block_with_one_is_refused(kernel: _Kernel) -> None:
    kernel.send(pack(SegmentNotice(kernel.segment.id, kernel.segment.size_bytes)))
    kernel.send(pack(BoardNotice(BOARD_BYTES)))
    kernel.announce()
    kernel.send(kernel.block(), kernel.segment.fd)
    kernel.send(pack(SegmentNotice(77, 4096)), kernel.segment.fd, kernel.segment.fd)
    eventually(lambda: kernel.receiver.counts().refused == 4)
    assert kernel.shows_frames()


def test_memory_that_is_none_is_refused(kernel: _Kernel) -> None:
    read, write = os.pipe()
    kernel.send(pack(SegmentNotice(5, 4096)), read)
    kernel.send(pack(SegmentNotice(6, 1 << 30)), kernel.segment.fd)
    kernel.send(pack(BoardNotice(BOARD_BYTES)), write)
    eventually(lambda: kernel.receiver.counts().refused == 3)
    os.close(read)
    os.close(write)
    kernel.announce()
    assert kernel.shows_frames()


def test_no_descriptor_is_kept_of_what_was_refused(kernel: _Kernel) -> None:
    kernel.announce()
    assert kernel.shows_frames()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        kernel.send(kernel.block(), kernel.segment.fd)
        kernel.send(b"garbage", kernel.segment.fd, kernel.segment.fd)
        kernel.send(b"x" * 300, *[kernel.segment.fd] * 9)
    eventually(lambda: kernel.receiver.counts().refused == 150)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_block_of_a_session_that_is_not_open_is_given_back(kernel: _Kernel) -> None:
    kernel.announce()
    del kernel.pixels
    for fields in ({"stream_id": 9}, {"session_no": 2}):
        kernel.segment.mark(WITH_MEDIA)
        kernel.send(kernel.block(**fields))
        eventually(lambda: kernel.segment.is_free)
    kernel.receiver.drop(0)
    kernel.receiver.drop(0)
    kernel.segment.mark(WITH_MEDIA)
    kernel.send(kernel.block())
    eventually(lambda: kernel.segment.is_free)


def test_a_frame_can_be_read_after_its_segment_was_retired(kernel: _Kernel) -> None:
    kernel.announce()
    kernel.send(kernel.block())
    frame = kernel.source.take(5.0)
    assert frame is not None
    kernel.segment.retire()
    kernel.send(pack(dataclasses.replace(_BLOCK, segment_id=kernel.segment.id, stream_id=3)))
    other = Segment(4096)
    kernel.send(pack(SegmentNotice(other.id, other.size_bytes)), other.fd)
    other.forget_fd()
    eventually(lambda: kernel.receiver.counts().segments == 1)
    assert (frame.pixels == 42).all()


def test_a_stream_beyond_the_board_is_refused(kernel: _Kernel) -> None:
    with pytest.raises(NoticeError, match=f"stream {SLOTS}"):
        kernel.receiver.add(SLOTS, 1, FrameQueue(30.0))


def test_a_stream_that_is_closed_leaves_its_place_on_the_board_to_the_next_one(kernel: _Kernel) -> None:
    board = Board()
    kernel.send(pack(BoardNotice(BOARD_BYTES)), board.fd)
    kernel.announce()
    assert kernel.shows_frames()
    before = kernel.source
    kernel.receiver.drop(0)
    kernel.source = kernel.receiver.add(0, 2, FrameQueue(1000.0, keeps_late=True))
    kernel.segment.mark(WITH_MEDIA)
    kernel.send(kernel.block(session_no=2))
    assert kernel.source.take(5.0) is not None
    before.close()
    before.take(0.0)
    assert board.read(0, 2) == Tally(1, 0, 2)
    board.close()


def test_the_board_tells_the_counts_of_the_session_that_was_asked_for() -> None:
    board = Board()
    seen = Board(board.fd)
    seen.write(5, 3, Tally(10, 2, 13))
    assert board.read(5, 3) == Tally(10, 2, 13)
    assert board.read(5, 4) is None
    assert board.read(SLOTS - 1, 1) is None
    board.close()
    board.close()
    seen.write(5, 3, Tally(11, 2, 14))
    assert board.read(5, 3) == Tally(11, 2, 14)


def test_the_counts_go_on_where_the_process_before_ended(kernel: _Kernel) -> None:
    board = Board()
    board.write(0, 1, Tally(5, 1, 6))
    kernel.send(pack(BoardNotice(BOARD_BYTES)), board.fd)
    kernel.announce()
    for number, played in ((5, 5), (6, 6), (9, 7)):
        kernel.send(kernel.block(first_number=number))
        assert kernel.source.take(5.0) is not None
        assert board.read(0, 1) == Tally(played, 1, max(6, number + 1))
    board.close()
    assert np.array_equal(kernel.pixels, np.full((1, 16, 16, 3), 42))
