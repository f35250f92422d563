"""A media process that is slow, dead or not there yet never holds the model, and every frame is accounted for."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_nb.core.buffer import BufferedFrame, FrameBuffer
from reactor_nb.transport.process.delivery import FULL
from reactor_nb.transport.process.road import GONE, STALLED
from reactor_nb.transport.process.shared_sink import LOST, SharedSink
from tests.support.eventually import eventually
from tests.unit.transport.process.sides import RATE_FPS, Media, Sides
from tests.unit.transport.process.test_segments import no_file_above


@pytest.fixture
def sides() -> Iterator[Sides]:
    with Sides() as both:
        yield both


def _sum(sink: SharedSink) -> int:
    counts = sink.counts()
    return counts.played + counts.skipped + counts.dropped


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
    while frame.number < 9:
        frame = media.take()
    assert (frame.pixels == 9).all()
    assert sides.sink.counts().produced == 10 == _sum(sides.sink)
    drops = sides.sink.drops()
    assert set(drops) == {GONE} and drops[GONE] >= 5  # the very last ones may not be overdue yet
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


def test_a_last_frame_that_was_dropped_is_shown_when_the_session_ends(sides: Sides) -> None:
    media = sides.start()
    sides.emit(1)
    media.take()
    with no_file_above(1 << 10):
        for value in (2, 3):
            sides.emit(value, height_px=400)
    assert sides.sink.drops() == {FULL: 2}
    sides.sink.finish()
    frame = media.take()
    assert frame.number == 2 and (frame.pixels == 3).all()
    assert media.source.take(5.0) is None
    assert sides.sink.drops() == {FULL: 1} and _sum(sides.sink) == 3


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
        st.tuples(st.just("emit without memory"), st.integers(1, 5)),
        st.tuples(st.just("take"), st.integers(1, 4)),
        st.tuples(st.just("crash"), st.just(0)),
        st.tuples(st.just("start"), st.just(0)),
    ),
    max_size=25,
)


def _follow(sides: Sides, steps: list[tuple[str, int]], shown: list[BufferedFrame]) -> int:
    """What was emitted, as a number of frames; each frame shows its number."""
    emitted = 0
    for step, many in steps:
        if step.startswith("emit"):
            with no_file_above(1 if step == "emit without memory" else 1 << 30):
                sides.emit(*range(emitted, emitted + many))
            emitted += many
        elif step == "crash" and sides.media is not None:
            sides.crash()
        elif step == "start" and sides.media is None:
            sides.start()
        elif step == "take" and sides.media is not None:
            frames = [sides.media.source.take(0.0) for _ in range(many)]
            shown += [frame for frame in frames if frame is not None]
        counts = sides.sink.counts()
        assert counts.produced == emitted
        assert counts.played + counts.skipped + counts.dropped <= emitted
    return emitted


@settings(max_examples=100)
@given(_STEPS, st.booleans())
def test_whatever_happens_each_frame_is_counted_once_and_order_is_kept(
    steps: list[tuple[str, int]], skips: bool
) -> None:
    shown: list[BufferedFrame] = []
    with Sides(skips=skips) as sides:
        emitted = _follow(sides, steps, shown)
        sides.sink.finish()
        media = sides.media or sides.start()
        while (frame := media.source.take(5.0)) is not None:
            shown.append(frame)
        assert media.source.queue.is_over
        numbers = [frame.number for frame in shown]
        assert numbers == sorted(numbers)
        assert all((frame.pixels == frame.number % 256).all() for frame in shown)
        counts = sides.sink.counts()
        assert counts.played == len(set(numbers))
        assert counts.played + counts.skipped + counts.dropped == emitted == counts.produced
        if emitted:
            assert numbers[-1] == emitted - 1
