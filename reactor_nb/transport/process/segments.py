"""Shared memory for blocks: segments without a name, which the kernel fills and the media process reads.

A segment is one page of state and then pixels. Its first byte says who has it: free, or with the media
process, which writes "free" when the last array on it is gone; so giving memory back takes no message.
It has no name: nothing is left in /dev/shm, whose size does not matter either, and it is gone with the last
process that maps it.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import math
import mmap
import os
import threading
import time
import weakref
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

STATE_BYTES = mmap.PAGESIZE
"""What stands before the pixels: one page, so that these begin on a page as well."""

FREE, WITH_MEDIA = 0, 1
_STATE_AT = 0
_RETIRED_AT = 1

DEFAULT_CAP_BYTES = 128 << 20
_CAP_BLOCKS = 4
# Each one costs a descriptor in either process, of which a user's kernel has 1024 and other uses.
_MOST_SEGMENTS = 64
# Pages are there at the first write as well: 0.3 ms less for the first frame of 720p.
_POPULATE = getattr(mmap, "MAP_POPULATE", 0)
# Long enough for a model that pauses between blocks, short enough for one size after another.
_IDLE_S = 5.0

_numbers = itertools.count(1)


class Segment:
    """One piece of shared memory, of `size_bytes` for pixels, all of them allocated.

    Raises:
        OSError: the machine or its container has no memory or descriptor left. Never a SIGBUS later: every page
            is there, and the size is sealed.
    Threads: any; the pool sees to it that one writes.
    """

    def __init__(self, size_bytes: int) -> None:
        self.id = next(_numbers)
        self.size_bytes = size_bytes
        self.fd = sealed_memory("reactor-nb-frames", STATE_BYTES + size_bytes)
        try:
            # Never closed by hand: the memory goes when the last array on it is gone.
            self._memory = mmap.mmap(self.fd, STATE_BYTES + size_bytes, flags=mmap.MAP_SHARED | _POPULATE)
        except OSError:
            os.close(self.fd)
            raise
        self.is_known = False
        """Whether the media process was given the descriptor."""
        self.used_s = 0.0
        """When it was reserved last, by the pool's clock."""
        self._array: weakref.ref[NDArray[np.uint8]] | None = None

    @property
    def is_free(self) -> bool:
        """No array on it lives in the kernel, and the media process is done with it."""
        return (self._array is None or self._array() is None) and self._memory[_STATE_AT] == FREE

    def array(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """An array on the pixels; while it or a view of it lives, the segment is not free."""
        array: NDArray[np.uint8] = np.ndarray(shape, np.uint8, buffer=self._memory, offset=STATE_BYTES)
        self._array = weakref.ref(array)
        return array

    def is_of(self, array: NDArray[np.uint8]) -> bool:
        return self._array is not None and self._array() is array

    def mark(self, state: int) -> None:
        """FREE or WITH_MEDIA."""
        self._memory[_STATE_AT] = state

    def retire(self) -> None:
        """It will not be used again: the media process unmaps it when it is done with it. Arrays live on."""
        self._memory[_RETIRED_AT] = 1
        self.forget_fd()

    def forget_fd(self) -> None:
        """The descriptor is not needed any more. Idempotent."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


class SegmentPool:
    """The segments of one session.

    A free segment is used again when the block fits and fills at least half of it. What has not been used for
    some seconds is given back, so that a frame size that changes does not pile up memory.

    Args:
        cap_bytes: how much there may be at a time, in 64 segments; four blocks of the current size may be more.
        now: a monotonic clock, in seconds.
    Threads: any; one lock guards the list.
    """

    def __init__(self, cap_bytes: int = DEFAULT_CAP_BYTES, now: Callable[[], float] = time.monotonic) -> None:
        self._cap_bytes = cap_bytes
        self._now = now
        self._owner_pid = os.getpid()
        self._lock = threading.Lock()
        self._segments: list[Segment] = []
        self.refusal = ""
        """Why the newest request was refused; empty if it was not."""

    @property
    def size_bytes(self) -> int:
        """Of all segments."""
        with self._lock:
            return sum(segment.size_bytes for segment in self._segments)

    def reserve(self, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
        """Memory for an array of that shape, of any content; None when there is none, for the reason `refusal`."""
        if os.getpid() != self._owner_pid:  # a fork of the author: its parent writes there
            self.refusal = "this process is a fork of the one that plays"
            return None
        needed = math.prod(shape)
        with self._lock:
            segment = self._free_one(needed) or self._new_one(needed)
            if segment is None:
                return None
            segment.used_s = self._now()
            return segment.array(shape)

    def segment_of(self, array: NDArray[np.uint8]) -> Segment | None:
        """The segment that this very array was reserved on; None for any other array, and after clear()."""
        with self._lock:
            return next((segment for segment in self._segments if segment.is_of(array)), None)

    def clear(self) -> None:
        """Give everything back; arrays that live on keep their pixels. Does nothing in a fork."""
        if os.getpid() != self._owner_pid:
            return
        with self._lock:
            segments, self._segments = self._segments, []
        for segment in segments:
            segment.retire()

    def _free_one(self, needed: int) -> Segment | None:
        """The smallest that fits, of those the one used last; others that were not used for long are given back."""
        most, idle_s = 2 * _rounded(needed), self._now() - _IDLE_S
        best: Segment | None = None
        idle: list[Segment] = []
        for segment in self._segments:
            if not segment.is_free:
                continue
            if needed <= segment.size_bytes <= most and (
                best is None or (segment.size_bytes, -segment.used_s) < (best.size_bytes, -best.used_s)
            ):
                best = segment
            if segment.used_s < idle_s:
                idle.append(segment)
        for segment in idle:
            if segment is not best:
                self._retire(segment)
        return best

    def _new_one(self, needed: int) -> Segment | None:
        size = _rounded(needed)
        cap = max(self._cap_bytes, _CAP_BLOCKS * size)
        total = sum(segment.size_bytes for segment in self._segments)
        idle = sorted((segment for segment in self._segments if segment.is_free), key=lambda each: each.used_s)
        while idle and (total + size > cap or len(self._segments) >= _MOST_SEGMENTS):
            total -= idle[0].size_bytes
            self._retire(idle.pop(0))
        if total + size > cap or len(self._segments) >= _MOST_SEGMENTS:
            self.refusal = f"{len(self._segments)} blocks of {total / 1e6:.1f} MB wait for the media process"
            return None
        try:
            segment = Segment(size)
        except OSError as error:
            self.refusal = f"there is no shared memory for {size >> 20} MB: {error.strerror or error}"
            return None
        self._segments.append(segment)
        self.refusal = ""
        return segment

    def _retire(self, segment: Segment) -> None:
        self._segments.remove(segment)
        segment.retire()


class MappedSegment:
    """A segment from the side of the media process.

    Args:
        fd: of the segment; stays the caller's.
    Raises:
        OSError: it is not memory of that size, sealed against shrinking: reading it could end the process.
    Threads: any.
    """

    def __init__(self, fd: int, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._memory = map_sealed(fd, STATE_BYTES + size_bytes)
        self._array: weakref.ref[NDArray[np.uint8]] | None = None

    @property
    def is_done(self) -> bool:
        """The kernel will not use it again, and no block in it is on its way."""
        is_here = self._array is not None and self._array() is not None
        return self._memory[_RETIRED_AT] != 0 and (is_here or self._memory[_STATE_AT] == FREE)

    def array(self, shape: tuple[int, ...], offset: int) -> NDArray[np.uint8]:
        """The pixels, to be read only. The segment goes back to the kernel when the last view of them is gone.

        Raises:
            ValueError: they do not lie within the segment.
        """
        if offset + math.prod(shape) > self.size_bytes:
            raise ValueError(f"a block of {math.prod(shape)} bytes at {offset} of a segment of {self.size_bytes}")
        array: NDArray[np.uint8] = np.ndarray(shape, np.uint8, buffer=self._memory, offset=STATE_BYTES + offset)
        array.flags.writeable = False
        # numpy hangs every view on this very array, as its own memory belongs to no array.
        weakref.finalize(array, _give_back, self._memory).atexit = False
        self._array = weakref.ref(array)
        return array

    def give_back(self) -> None:
        """The kernel may use the segment again."""
        _give_back(self._memory)


def map_sealed(fd: int, size_bytes: int) -> mmap.mmap:
    """Map memory that cannot become smaller.

    Raises:
        OSError: it is smaller, or is not sealed.
    """
    there = os.fstat(fd).st_size
    if there < size_bytes:
        raise OSError(f"memory of {there} bytes came; {size_bytes} were announced")
    if not fcntl.fcntl(fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK:
        raise OSError("memory came that is not sealed against shrinking")
    return mmap.mmap(fd, size_bytes, flags=mmap.MAP_SHARED)


def _give_back(memory: mmap.mmap) -> None:
    memory[_STATE_AT] = FREE


def sealed_memory(name: str, size_bytes: int) -> int:
    """The descriptor of new memory, all of it allocated, whose size cannot change any more.

    Raises:
        OSError: there is none.
    """
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        # Allocated, not only sized: a full machine is an error here, not a signal at the first write.
        os.posix_fallocate(fd, 0, size_bytes)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    except OSError:
        with contextlib.suppress(OSError):
            os.close(fd)
        raise
    return fd


def _rounded(size_bytes: int) -> int:
    """Up to a whole page, and to one of eight sizes per power of two, so that sizes that differ little share one."""
    step = max(mmap.PAGESIZE, 1 << max(0, size_bytes.bit_length() - 4))
    return -(-size_bytes // step) * step
