"""Frames reach the media process exact, in order and counted, in as much memory as is needed."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from reactor_nb.core.context import Context
from reactor_nb.core.emission import Emission
from reactor_nb.core.events import Listeners
from reactor_nb.core.frame_queue import ENDED, BufferCounts, FrameQueue
from reactor_nb.core.frames import black_block, to_block
from reactor_nb.core.life import Life
from reactor_nb.core.log import Log
from reactor_nb.core.outlet import Outlet
from reactor_nb.transport.process.delivery import FULL
from reactor_nb.transport.process.shared_sink import SharedSink
from tests.support.eventually import eventually
from tests.unit.transport.process.sides import RATE_FPS, SESSION, STREAM, Media, Sides, picture, sockets
from tests.unit.transport.process.test_segments import no_file_above


@pytest.fixture
def sides() -> Iterator[Sides]:
    with Sides() as both:
        yield both


def _sum(sink: SharedSink) -> int:
    counts = sink.counts()
    return counts.played + counts.skipped + counts.dropped


def test_frames_arrive_exact_and_in_order_with_their_times(sides: Sides) -> None:
    media = sides.start()
    pixels = np.random.default_rng(2).integers(0, 256, (3, 31, 17, 3), dtype=np.uint8)
    for number in range(3):
        block = to_block(pixels[number], reserve=sides.sink.reserve)
        sides.sink.put(block)
        frame = media.take()
        assert np.array_equal(frame.pixels, pixels[number])
        assert frame.number == number
        assert (frame.emitted_s, frame.converted_s) == (block.emitted_s, block.converted_s)
        assert frame.due_s <= frame.played_s
    assert sides.sink.counts() == BufferCounts(produced=3, played=3)


def test_a_block_is_played_evenly_from_one_piece_of_memory() -> None:
    with Sides(rate_fps=400.0) as sides:
        media = sides.start()
        sides.emit(*range(81))
        frames = [media.take() for _ in range(81)]
        assert [frame.number for frame in frames] == list(range(81))
        assert [int(frame.pixels[5, 5, 0]) for frame in frames] == list(range(81))
        assert all(later.due_s > frame.due_s for frame, later in pairwise(frames))
        assert media.receiver.counts().segments == 1
        frames.clear()


def test_what_was_converted_into_reserved_memory_is_not_copied_again(sides: Sides) -> None:
    media = sides.start()
    block = to_block(picture(1), reserve=sides.sink.reserve)
    sides.sink.put(block)
    frame = media.take()
    block.frames[0, 3, 4] = 99  # no author does that: their array is another one
    assert (frame.pixels[3, 4] == 99).all()


def test_a_block_on_the_heap_is_brought_into_shared_memory(sides: Sides) -> None:
    media = sides.start()
    sides.sink.put(to_block(picture(5)))
    assert (media.take().pixels == 5).all()
    sides.sink.put(black_block(20, 30))
    assert media.take().pixels.shape == (20, 30, 3)


def test_an_author_who_reuses_the_buffer_changes_nothing_that_was_emitted(sides: Sides) -> None:
    media = sides.start()
    buffer = picture(0)
    for value in range(1, 6):
        buffer[...] = value
        sides.sink.put(to_block(buffer, reserve=sides.sink.reserve))
        buffer[...] = 255
        assert (media.take().pixels == value).all()


def test_the_newest_frame_stays_where_it_was_made_and_exact(sides: Sides) -> None:
    media = sides.start()
    emission = Emission()
    for value in range(20):
        block = to_block(picture(value), reserve=sides.sink.reserve)
        emission.begin(block)
        sides.sink.put(block)
        del block
        media.take()
        newest = emission.newest()
        assert newest is not None and (newest[0] == value).all() and newest[1] == value
    assert media.receiver.counts().segments <= 3


def test_a_size_that_changes_with_every_frame_arrives_exact_in_little_memory() -> None:
    with Sides(cap_bytes=1 << 20) as sides:
        media = sides.start()
        generator = np.random.default_rng(4)
        before = len(os.listdir("/proc/self/fd"))
        for number in range(200):
            height_px, width_px = (int(side) for side in generator.integers(1, 300, 2))
            sides.emit(number, height_px=height_px, width_px=width_px)
            frame = media.take()
            assert frame.pixels.shape == (height_px, width_px, 3)
            assert (frame.pixels == number % 256).all()
        assert sides.sink.counts().dropped == 0
        assert media.receiver.counts().segments < 40
        assert len(os.listdir("/proc/self/fd")) - before < 80
        del frame


def test_full_shared_memory_drops_frames_says_so_once_and_recovers(sides: Sides) -> None:
    media = sides.start()
    emission = Emission()
    with no_file_above(1 << 20):
        for value in (1, 2):
            block = to_block(picture(value, 1080, 1920), reserve=sides.sink.reserve)
            emission.begin(block)
            sides.sink.put(block)
    newest = emission.newest()
    assert newest is not None and (newest[0] == 2).all()
    assert sides.sink.drops() == {FULL: 2}
    assert len(sides.notes) == 1 and "there is no shared memory for" in sides.notes[0]
    sides.emit(3, height_px=1080, width_px=1920)
    frame = media.take()
    assert frame.number == 2 and (frame.pixels == 3).all()


def test_emitting_keeps_the_gil_while_another_thread_spins(sides: Sides) -> None:
    """Whoever gives it up gets it back a switch interval later: here that would be 0.3 s for each emission."""
    media = sides.start()
    # Large, or the lock would be back before the other thread has woken up.
    buffer, is_over = picture(1, 1440, 2560), threading.Event()
    log = Log()
    listeners = Listeners(log)
    context = Context(Outlet("plasma", sides.sink, Life(listeners), listeners, log))
    context.emit_block(buffer)
    # Making a segment gives it up; so all that are needed are made before.
    blocks = [to_block(buffer, reserve=sides.sink.reserve) for _ in range(8)]
    for block in blocks:
        sides.sink.put(block)
    for _ in range(9):
        media.take()
    del blocks, block

    def spin() -> None:
        while not is_over.is_set():
            pass

    spinner = threading.Thread(target=spin)
    interval_s = sys.getswitchinterval()
    spinner.start()
    sys.setswitchinterval(0.3)
    try:
        takes_s = []
        for _ in range(5):
            began_s = time.monotonic()
            context.emit_block(buffer)
            takes_s.append(time.monotonic() - began_s)
    finally:
        is_over.set()
        sys.setswitchinterval(interval_s)
        spinner.join()
    assert sorted(takes_s)[-2] < 0.15, "the interpreter itself may switch once"


def test_finish_plays_what_is_queued() -> None:
    with Sides(rate_fps=200.0) as sides:
        media = sides.start()
        sides.emit(*range(8))
        sides.sink.finish()
        numbers = []
        while (frame := media.source.take(5.0)) is not None:
            numbers.append(frame.number)
        assert numbers == list(range(8))
        assert media.source.queue.is_over
        sides.emit(9)
        assert sides.sink.drops() == {ENDED: 1}


def test_close_drops_what_is_queued_and_counts_it() -> None:
    with Sides(rate_fps=2.0) as sides:
        media = sides.start()
        sides.emit(*range(8))
        assert media.take().number == 0
        sides.sink.close()
        assert media.source.take(5.0) is None
        assert sides.sink.counts().dropped == 7 and sides.sink.drops() == {ENDED: 7}
        assert _sum(sides.sink) == sides.sink.counts().produced == 8


def test_close_wakes_a_model_that_is_held() -> None:
    with Sides(rate_fps=0.1) as sides:
        sides.start()
        emitted = threading.Event()

        def emit_many() -> None:
            for value in range(20):
                sides.emit(value)
            emitted.set()

        model = threading.Thread(target=emit_many)
        model.start()
        eventually(lambda: sides.sink.counts().produced >= 1)
        sides.sink.close()
        assert emitted.wait(5.0)
        model.join()


def test_frames_of_the_session_before_do_not_reach_the_next_one(sides: Sides) -> None:
    media = sides.start()
    sides.emit(1)
    media.take()
    after = SharedSink(sides.road, STREAM, SESSION + 1, RATE_FPS)
    sides.sink.release()
    media.source = media.receiver.add(STREAM, SESSION + 1, FrameQueue(RATE_FPS))
    after.attach()
    sides.sink.put(to_block(picture(2)))
    after.put(to_block(picture(3)))
    frame = media.take()
    assert frame.number == 0 and (frame.pixels == 3).all()
    assert sides.sink.counts().played == 1 and after.counts().played == 1
    after.close()


def test_two_sessions_share_one_socket() -> None:
    ours, theirs = sockets()
    with Sides() as sides:
        sides.road.connect(ours)
        media = sides.media = Media(theirs)
        other = SharedSink(sides.road, 7, 5, RATE_FPS)
        source = media.receiver.add(7, 5, FrameQueue(RATE_FPS))
        sides.sink.attach()
        other.attach()
        sides.emit(1)
        other.put(to_block(picture(2)))
        assert (media.take().pixels == 1).all()
        frame = source.take(5.0)
        assert frame is not None and (frame.pixels == 2).all()
        assert sides.sink.counts().played == other.counts().played == 1
        other.close()
        other.release()
        del frame
