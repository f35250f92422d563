"""The hand-off between the model's thread and the clock, with real threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from reactor_nb.core.buffer import BufferCounts, BufferedFrame, FrameBuffer
from reactor_nb.core.frames import Block
from tests.support.eventually import eventually

RATE_FPS = 100.0


def _block(*levels: int) -> Block:
    frames = np.stack([np.full((2, 2, 3), level, np.uint8) for level in levels])
    return Block(frames, time.monotonic())


def _thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, name="reactor-test", daemon=True)
    thread.start()
    return thread


def _take_all(buffer: FrameBuffer) -> list[BufferedFrame]:
    frames: list[BufferedFrame] = []
    while (frame := buffer.take()) is not None:
        frames.append(frame)
    return frames


def test_frames_come_out_in_order_with_their_numbers() -> None:
    buffer = FrameBuffer(RATE_FPS, capacity=8)
    buffer.put(_block(1, 2, 3))
    buffer.put(_block(4))
    buffer.finish()
    frames = _take_all(buffer)
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == [1, 2, 3, 4]
    assert [frame.number for frame in frames] == [0, 1, 2, 3]
    assert buffer.counts() == BufferCounts(produced=4, played=4, dropped=0)
    assert buffer.is_over


def test_a_frame_is_due_when_it_comes() -> None:
    buffer = FrameBuffer(RATE_FPS)
    block = _block(1)
    buffer.put(block)
    frame = buffer.take(timeout_s=1.0)
    assert frame is not None
    assert frame.emitted_s == block.emitted_s
    assert frame.played_s >= frame.emitted_s


def test_a_clock_that_waits_is_woken_by_the_next_frame() -> None:
    buffer = FrameBuffer(RATE_FPS)
    taken: list[BufferedFrame] = []
    clock = _thread(lambda: taken.extend(_take_all(buffer)))
    buffer.put(_block(7))
    eventually(lambda: taken or buffer.counts().played == 1)
    buffer.close()
    clock.join(2.0)
    assert not clock.is_alive()
    assert [frame.number for frame in taken] == [0]


def test_take_comes_back_without_a_frame_after_its_timeout() -> None:
    buffer = FrameBuffer(RATE_FPS)
    assert buffer.take(timeout_s=0.01) is None
    assert not buffer.is_over


def test_a_full_buffer_holds_the_model_until_the_clock_has_played() -> None:
    buffer = FrameBuffer(RATE_FPS)
    for level in (1, 2):
        buffer.put(_block(level))
    model = _thread(lambda: buffer.put(_block(3)))
    model.join(0.05)
    assert model.is_alive()
    assert buffer.take(timeout_s=1.0) is not None
    model.join(2.0)
    assert not model.is_alive()
    assert buffer.counts().produced == 3


def test_a_block_larger_than_the_buffer_goes_in_whole_once_it_is_empty() -> None:
    buffer = FrameBuffer(RATE_FPS, capacity=2)
    buffer.put(_block(1))
    model = _thread(lambda: buffer.put(_block(2, 3, 4, 5, 6)))
    model.join(0.05)
    assert model.is_alive()
    assert buffer.take(timeout_s=1.0) is not None
    model.join(2.0)
    buffer.finish()
    assert [int(frame.pixels[0, 0, 0]) for frame in _take_all(buffer)] == [2, 3, 4, 5, 6]


def test_two_blocks_wait_at_most_the_current_and_the_next() -> None:
    buffer = FrameBuffer(RATE_FPS)
    buffer.put(_block(1, 2, 3))
    buffer.put(_block(4, 5, 6))
    model = _thread(lambda: buffer.put(_block(7, 8, 9)))
    model.join(0.05)
    assert model.is_alive()
    buffer.close()
    model.join(2.0)
    assert not model.is_alive()
    assert buffer.counts() == BufferCounts(produced=9, played=0, dropped=9)


def test_a_fast_model_is_held_to_the_rate() -> None:
    buffer = FrameBuffer(RATE_FPS)
    times_s: list[float] = []

    def show() -> None:
        times_s.extend(frame.played_s for frame in _take_all(buffer))

    clock = _thread(show)
    for _ in range(60):
        buffer.put(_block(0))
    buffer.finish()
    clock.join(5.0)
    assert len(times_s) == 60
    # Only the upper side: a busy machine may be slower, and nothing may make it faster.
    assert times_s[-1] - times_s[0] >= (59 - 1.25) / RATE_FPS


def test_closing_drops_and_counts_what_is_queued_and_wakes_everyone() -> None:
    buffer = FrameBuffer(RATE_FPS)
    buffer.put(_block(1, 2, 3))
    assert buffer.take(timeout_s=1.0) is not None
    buffer.close()
    buffer.close()
    assert buffer.take() is None
    assert buffer.counts() == BufferCounts(produced=3, played=1, dropped=2)
    assert buffer.is_over


def test_what_is_put_after_the_end_is_dropped_and_counted() -> None:
    buffer = FrameBuffer(RATE_FPS)
    buffer.put(_block(1))
    buffer.finish()
    buffer.put(_block(2, 3))
    assert [frame.number for frame in _take_all(buffer)] == [0]
    assert buffer.counts() == BufferCounts(produced=3, played=1, dropped=2)


def test_closing_ends_a_clock_that_waits() -> None:
    buffer = FrameBuffer(RATE_FPS)
    clock = _thread(lambda: buffer.take())
    clock.join(0.02)
    assert clock.is_alive()
    buffer.close()
    clock.join(2.0)
    assert not clock.is_alive()


def test_an_empty_block_is_no_frame() -> None:
    buffer = FrameBuffer(RATE_FPS)
    buffer.put(Block(np.empty((0, 2, 2, 3), np.uint8), time.monotonic()))
    assert buffer.counts() == BufferCounts()


def test_frames_of_two_sizes_may_follow_each_other() -> None:
    buffer = FrameBuffer(RATE_FPS)
    buffer.put(Block(np.zeros((1, 2, 4, 3), np.uint8), time.monotonic()))
    buffer.put(Block(np.zeros((1, 6, 8, 3), np.uint8), time.monotonic()))
    buffer.finish()
    assert [frame.pixels.shape for frame in _take_all(buffer)] == [(2, 4, 3), (6, 8, 3)]


def test_frames_of_a_live_picture_that_nobody_took_in_time_are_skipped_and_counted() -> None:
    buffer = FrameBuffer(RATE_FPS, keeps_late=False)
    block = _block(*range(20))
    buffer.put(block)
    eventually(lambda: time.monotonic() > block.emitted_s + 30 / RATE_FPS)
    buffer.finish()
    frames = _take_all(buffer)
    assert [frame.number for frame in frames] == [19]
    assert buffer.counts() == BufferCounts(produced=20, played=1, dropped=0, skipped=19)


def test_a_buffer_leaves_the_memory_of_a_block_to_its_caller() -> None:
    assert FrameBuffer(RATE_FPS).reserve((1, 2, 2, 3)) is None


def test_a_capacity_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        FrameBuffer(RATE_FPS, capacity=0)
