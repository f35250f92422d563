"""Shared memory is used again when both sides are done with it, is bounded, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import resource
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_nb.transport.process.segments import (
    FREE,
    STATE_BYTES,
    WITH_MEDIA,
    MappedSegment,
    Segment,
    SegmentPool,
    sealed_memory,
)

_SMALL = (1, 48, 64, 3)


@contextlib.contextmanager
def no_file_above(size_bytes: int) -> Iterator[None]:
    """Memory above that size cannot be had: the system itself refuses it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _open_descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_memory_has_the_shape_that_was_asked_for_and_begins_on_a_page() -> None:
    array = SegmentPool().reserve((2, 480, 640, 3))
    assert array is not None
    assert array.shape == (2, 480, 640, 3)
    assert array.flags.c_contiguous and array.flags.writeable
    assert array.ctypes.data % STATE_BYTES == 0


def test_a_segment_is_used_again_when_its_array_is_gone() -> None:
    pool = SegmentPool()
    array = pool.reserve(_SMALL)
    assert array is not None
    at = array.ctypes.data
    size = pool.size_bytes
    del array
    again = pool.reserve(_SMALL)
    assert again is not None
    assert again.ctypes.data == at
    assert pool.size_bytes == size


def test_a_segment_is_not_used_again_while_a_view_of_its_newest_frame_lives() -> None:
    pool = SegmentPool()
    array = pool.reserve((3, 48, 64, 3))
    assert array is not None
    newest = array[-1]
    newest[...] = 9
    del array
    other = pool.reserve((3, 48, 64, 3))
    assert other is not None
    other[...] = 1
    assert (newest == 9).all()


def test_a_segment_is_not_used_again_before_the_media_process_is_done_with_it() -> None:
    pool = SegmentPool()
    array = pool.reserve(_SMALL)
    assert array is not None
    segment = pool.segment_of(array)
    assert segment is not None
    segment.mark(WITH_MEDIA)
    at = array.ctypes.data
    del array
    other = pool.reserve(_SMALL)
    assert other is not None and other.ctypes.data != at
    segment.mark(FREE)
    third = pool.reserve(_SMALL)
    assert third is not None and third.ctypes.data == at


def test_only_the_very_array_that_was_reserved_belongs_to_a_segment() -> None:
    pool = SegmentPool()
    array = pool.reserve(_SMALL)
    assert array is not None
    assert pool.segment_of(array) is not None
    assert pool.segment_of(array[:]) is None
    assert pool.segment_of(np.zeros(_SMALL, np.uint8)) is None
    pool.clear()
    assert pool.segment_of(array) is None


def test_what_waits_for_the_media_process_is_bounded_and_the_reason_is_told() -> None:
    pool = SegmentPool(cap_bytes=8 << 20)
    held = []
    while (array := pool.reserve((1, 480, 640, 3))) is not None:
        held.append(array)
        assert len(held) < 20
    assert (4 << 20) < pool.size_bytes <= (8 << 20)
    assert "wait for the media process" in pool.refusal
    held.pop()
    assert pool.reserve((1, 480, 640, 3)) is not None


def test_small_frames_that_wait_do_not_use_up_the_descriptors_of_the_kernel() -> None:
    pool = SegmentPool()
    before = _open_descriptors()
    held = []
    while (array := pool.reserve((1, 8, 8, 3))) is not None:
        held.append(array)
        assert len(held) < 200
    assert _open_descriptors() - before < 150
    assert "wait for the media process" in pool.refusal
    held.clear()
    assert pool.reserve((1, 100, 100, 3)) is not None
    pool.clear()


def test_four_blocks_fit_however_long_they_are() -> None:
    pool = SegmentPool(cap_bytes=1 << 20)
    blocks = [pool.reserve((9, 480, 640, 3)) for _ in range(5)]
    assert [block is None for block in blocks] == [False, False, False, False, True]


def test_segments_of_another_size_make_room() -> None:
    pool = SegmentPool(cap_bytes=8 << 20)
    for _ in range(3):
        small = [pool.reserve((1, 480, 640, 3)) for _ in range(6)]
        assert all(array is not None for array in small)
        small.clear()
        large = pool.reserve((1, 1080, 1920, 3))
        assert large is not None
        del large
    assert pool.size_bytes <= 25 << 20  # four of the large one


def test_what_was_not_used_for_some_seconds_is_given_back() -> None:
    now_s = 0.0
    pool = SegmentPool(now=lambda: now_s)
    burst = [pool.reserve((1, 480, 640, 3)) for _ in range(20)]
    one = pool.size_bytes // 20
    assert all(array is not None for array in burst)
    burst.clear()
    now_s = 4.0
    assert pool.reserve((1, 480, 640, 3)) is not None
    assert pool.size_bytes == 20 * one
    now_s = 6.0
    assert pool.reserve((1, 480, 640, 3)) is not None
    assert pool.size_bytes == one


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=60))
def test_a_size_that_changes_with_every_frame_stays_within_bounds(sizes: list[tuple[int, int]]) -> None:
    pool = SegmentPool(cap_bytes=1 << 20)
    newest = None
    for height_px, width_px in sizes:
        array = pool.reserve((1, height_px, width_px, 3))
        assert array is not None, pool.refusal
        array[...] = height_px % 256
        newest = array[-1]
        del array
        assert pool.size_bytes <= max(1 << 20, 4 * (height_px * width_px * 3 + (64 << 10)))
    assert newest is not None


def test_memory_that_the_machine_does_not_have_is_a_refusal_and_no_crash() -> None:
    pool = SegmentPool()
    before = _open_descriptors()
    with no_file_above(1 << 20):
        assert pool.reserve((1, 1080, 1920, 3)) is None
        assert "no shared memory" in pool.refusal
        assert pool.reserve(_SMALL) is not None
    assert pool.reserve((1, 1080, 1920, 3)) is not None
    assert pool.refusal == ""
    pool.clear()
    assert _open_descriptors() == before


def test_a_process_without_free_descriptors_gets_a_refusal() -> None:
    pool = SegmentPool()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(fd) for fd in os.listdir("/proc/self/fd")) + 1, hard))
    spare = []
    try:
        with contextlib.suppress(OSError):
            while True:
                spare.append(os.dup(0))
        assert pool.reserve(_SMALL) is None
        assert "no shared memory" in pool.refusal
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in spare:
            os.close(fd)
    assert pool.reserve(_SMALL) is not None


def test_clear_gives_everything_back_and_leaves_the_arrays_that_live() -> None:
    before = _open_descriptors()
    shm_before = set(Path("/dev/shm").iterdir())
    pool = SegmentPool()
    arrays = [pool.reserve((1, 480, 640, 3)) for _ in range(4)]
    kept = arrays[2]
    assert kept is not None
    kept[...] = 5
    assert set(Path("/dev/shm").iterdir()) == shm_before
    pool.clear()
    assert pool.size_bytes == 0
    arrays.clear()
    assert (kept == 5).all()
    gone = weakref.ref(kept)
    del kept
    gc.collect()
    assert gone() is None
    assert _open_descriptors() == before


# ---------------------------------------------------------------- the side of the media process


def test_both_sides_see_the_same_memory() -> None:
    segment = Segment(64 << 10)
    mapped = MappedSegment(segment.fd, segment.size_bytes)
    array = segment.array(_SMALL)
    array[...] = 3
    seen = mapped.array(_SMALL, 0)
    assert (seen == 3).all()
    array[...] = 4
    assert (seen == 4).all()
    segment.forget_fd()


def test_the_media_process_can_only_read() -> None:
    segment = Segment(64 << 10)
    seen = MappedSegment(segment.fd, segment.size_bytes).array(_SMALL, 0)
    assert not seen[0].flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        seen[0, 0, 0, 0] = 1
    segment.forget_fd()


def test_the_segment_comes_back_with_the_last_view() -> None:
    segment = Segment(64 << 10)
    mapped = MappedSegment(segment.fd, segment.size_bytes)
    segment.forget_fd()
    segment.mark(WITH_MEDIA)
    block = mapped.array((2, 48, 64, 3), 0)
    frame, memory = block[1], memoryview(block[0])
    del block
    assert not segment.is_free
    del frame
    assert not segment.is_free
    del memory
    assert segment.is_free


@given(
    offset=st.integers(0, 2 << 16),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 200), st.integers(1, 200), st.just(3)),
)
def test_no_array_leaves_the_segment(offset: int, shape: tuple[int, int, int, int]) -> None:
    segment = Segment(64 << 10)
    mapped = MappedSegment(segment.fd, segment.size_bytes)
    segment.forget_fd()
    if offset + int(np.prod(shape)) > segment.size_bytes:
        with pytest.raises(ValueError, match="of a segment of"):
            mapped.array(shape, offset)
    else:
        assert mapped.array(shape, offset).sum() == 0


def test_memory_that_could_shrink_under_a_reader_is_refused() -> None:
    fd = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, STATE_BYTES + 4096)
        with pytest.raises(OSError, match="not sealed"):
            MappedSegment(fd, 4096)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        assert MappedSegment(fd, 4096).size_bytes == 4096
    finally:
        os.close(fd)


def test_memory_that_is_smaller_than_it_was_announced_is_refused() -> None:
    fd = sealed_memory("test", STATE_BYTES + 4096)
    try:
        with pytest.raises(OSError, match="were announced"):
            MappedSegment(fd, 8192)
    finally:
        os.close(fd)


def test_the_size_of_a_segment_cannot_be_changed() -> None:
    segment = Segment(4096)
    for size in (1, 1 << 20):
        with pytest.raises(PermissionError):
            os.ftruncate(segment.fd, size)
    segment.forget_fd()


def test_a_segment_that_is_not_used_any_more_says_so_to_the_media_process() -> None:
    pool = SegmentPool()
    array = pool.reserve(_SMALL)
    assert array is not None
    segment = pool.segment_of(array)
    assert segment is not None
    mapped = MappedSegment(segment.fd, segment.size_bytes)
    assert not mapped.is_done
    pool.clear()
    assert mapped.is_done
