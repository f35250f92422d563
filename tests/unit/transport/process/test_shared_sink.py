"""Frames reach the media process exact, in order and counted; a slow or dead one never holds the model."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_nb.core.buffer import FrameBuffer
from reactor_nb.core.context import Context
from reactor_nb.core.emission import Emission
from reactor_nb.core.events import Listeners
from reactor_nb.core.frame_queue import BufferCounts, FrameQueue
from reactor_nb.core.frames import black_block, to_block
from reactor_nb.core.life import Life
from reactor_nb.core.log import Log
from reactor_nb.core.outlet import Outlet
from reactor_nb.transport.process.delivery import FULL
from reactor_nb.transport.process.road import GONE, STALLED
from reactor_nb.transport.process.shared_sink import ENDED, LOST, SharedSink
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


@pytest.mark.parametrize("cap_bytes", [1 << 20, 1 << 30], ids=["little memory", "much memory"])
def test_a_media_process_that_never_reads_does_not_hold_the_model(cap_bytes: int) -> None:
    sides = Sides(rate_fps=1_000_000.0, cap_bytes=cap_bytes)
    sides.stall()
    longest_s = 0.0
    for value in range(1500):
        began_s = time.monotonic()
        sides.emit(value)
        longest_s = max(longest_s, time.monotonic() - began_s)
    assert longest_s < 1.0
    drops = sides.sink.drops()
    assert set(drops) <= {STALLED, FULL}
    assert sum(drops.values()) > 0
    assert len(sides.notes) == len(drops)
    began_s = time.monotonic()
    sides.close()
    assert time.monotonic() - began_s < 2.0


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


def test_after_a_stall_the_picture_goes_on(sides: Sides) -> None:
    end = sides.stall()
    for value in range(900):
        sides.emit(value)
    assert sides.sink.drops()
    sides.unread.remove(end)
    media = sides.media = Media(end)

    def goes_on() -> bool:
        sides.emit(200)
        frame = media.source.take(0.5)
        return frame is not None and frame.number > 900

    eventually(goes_on, timeout_s=10.0)


def test_blocks_that_are_not_overdue_wait_for_the_first_media_process() -> None:
    with Sides(rate_fps=20.0) as sides:
        sides.emit(*range(40))
        media = sides.start()
        assert media.take().number < 20
        assert sides.sink.drops() == {}


def test_what_is_overdue_before_there_is_a_media_process_is_dropped_but_for_the_newest(sides: Sides) -> None:
    for value in range(10):
        sides.emit(value)
    media = sides.start()
    frame = media.take()
    assert frame.number == 9 and (frame.pixels == 9).all()
    counts = sides.sink.counts()
    assert counts.produced == 10 == _sum(sides.sink)
    assert set(sides.sink.drops()) <= {GONE}
    assert not sides.notes


def test_a_new_media_process_is_shown_the_newest_frame_and_then_what_comes(sides: Sides) -> None:
    media = sides.start()
    for value in range(3):
        sides.emit(value)
        media.take()
    sides.crash()
    media = sides.start()
    again = media.take()
    assert again.number == 2 and (again.pixels == 2).all()
    assert sides.sink.counts().played == 3  # it is a hold, and no new frame
    sides.emit(3)
    assert media.take().number == 3
    assert sides.sink.counts().played == 4 and sides.sink.counts().dropped == 0


def test_frames_on_the_way_to_a_process_that_dies_are_counted(sides: Sides) -> None:
    media = sides.start()
    sides.emit(0)
    media.take()
    eventually(lambda: sides.sink.counts().played == 1)
    sides.emit(1)
    sides.emit(2)
    sides.crash()
    assert _sum(sides.sink) == 1
    media = sides.start()
    frame = media.take()
    assert frame.number == 2 and (frame.pixels == 2).all()
    assert sides.sink.drops() == {LOST: 1}
    assert _sum(sides.sink) == 3


def test_frames_emitted_while_no_process_is_there_wait_and_the_newest_is_shown(sides: Sides) -> None:
    media = sides.start()
    sides.emit(0)
    media.take()
    sides.crash()
    for value in range(1, 6):
        sides.emit(value)
    media = sides.start()
    frame = media.take()
    while frame.number < 5:
        frame = media.take()
    assert (frame.pixels == 5).all()
    assert _sum(sides.sink) == 6


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


def test_an_ended_session_shows_its_last_frame_after_a_restart_and_holds_no_segment(sides: Sides) -> None:
    media = sides.start()
    sides.emit(*range(4))
    while media.take().number < 3:
        pass
    sides.sink.finish()
    assert media.source.take(5.0) is None
    sides.crash()
    media = sides.start()
    frame = media.take()
    assert frame.number == 3 and (frame.pixels == 3).all()
    assert media.source.take(5.0) is None
    del frame
    eventually(lambda: media.receiver.counts().segments == 0)


def test_a_process_that_starts_while_a_session_ends_is_told_of_the_end(sides: Sides) -> None:
    sides.emit(7)
    sides.sink.finish()
    media = sides.start()
    assert (media.take().pixels == 7).all()
    assert media.source.take(5.0) is None


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


def test_where_there_is_no_further_process_another_sink_goes_on(sides: Sides) -> None:
    media = sides.start()
    sides.emit(0)
    sides.emit(1)
    while media.take().number < 1:
        pass
    sides.crash()
    buffer = FrameBuffer(RATE_FPS)
    sides.sink.divert(buffer)
    shown = buffer.take(5.0)
    assert shown is not None and (shown.pixels == 1).all()
    assert sides.sink.counts().produced == 2 == _sum(sides.sink)
    sides.emit(2)
    shown = buffer.take(5.0)
    assert shown is not None and (shown.pixels == 2).all()
    counts = sides.sink.counts()
    assert (counts.produced, counts.played + counts.skipped, counts.dropped) == (3, 3, 0)
    sides.sink.finish()
    assert buffer.take(5.0) is None


def test_no_descriptor_and_no_memory_is_left() -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        sides = Sides()
        media = sides.start()
        sides.emit(1, 2, 3)
        sides.emit(4, height_px=300)
        media.take()
        sides.crash()
        sides.start()
        sides.close()
        del sides, media
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("emit"), st.integers(1, 5)),
        st.tuples(st.just("take"), st.integers(1, 4)),
        st.tuples(st.just("crash"), st.just(0)),
        st.tuples(st.just("start"), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(_STEPS)
def test_whatever_happens_each_frame_is_counted_once_and_order_is_kept(steps: list[tuple[str, int]]) -> None:
    with Sides() as sides:
        emitted, shown = 0, []
        try:
            for step, many in steps:
                if step == "emit":
                    sides.emit(*range(emitted, emitted + many))
                    emitted += many
                elif step == "crash" and sides.media is not None:
                    sides.crash()
                elif step == "start" and sides.media is None:
                    sides.start()
                elif step == "take" and sides.media is not None:
                    for _ in range(many):
                        frame = sides.media.source.take(0.0)
                        if frame is not None:
                            shown.append(frame)
                counts = sides.sink.counts()
                assert counts.produced == emitted
                assert counts.played + counts.skipped + counts.dropped <= emitted
            sides.sink.finish()
            media = sides.media or sides.start()
            while (frame := media.source.take(5.0)) is not None:
                shown.append(frame)
            assert media.source.queue.is_over
            assert [frame.number for frame in shown] == sorted(frame.number for frame in shown)
            assert all((frame.pixels == frame.number % 256).all() for frame in shown)
            counts = sides.sink.counts()
            assert counts.played == len({frame.number for frame in shown})
            assert counts.played + counts.skipped + counts.dropped == emitted == counts.produced
            if emitted:
                assert shown[-1].number == emitted - 1
        finally:
            shown.clear()
            frame = None


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
