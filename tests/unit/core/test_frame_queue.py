"""The clock's side of the hand-off: a clock on a manual time that may wake up late, or be away."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_nb.core.frame_queue import BufferCounts, BufferedFrame, FrameQueue
from reactor_nb.core.frames import Block
from reactor_nb.core.pacing import Plan
from tests.support.eventually import eventually
from tests.unit.core.pacing_player import INTERVAL_S, RATE_FPS, Player

TINY_S = 1e-6

_lates_s = st.lists(
    st.one_of(st.just(0.0), st.floats(0.0, 0.02), st.floats(0.0, 0.2), st.floats(0.0, 20.0)), min_size=1, max_size=12
)
_emissions = st.lists(st.tuples(st.sampled_from([1, 1, 4, 24]), st.floats(0.0, 1.0)), min_size=1, max_size=20)


def _block(*levels: int) -> Block:
    return Block(np.stack([np.full((2, 2, 3), level, np.uint8) for level in levels]), 1.0, converted_s=2.0)


class _Clock:
    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def _take_all(queue: FrameQueue) -> list[BufferedFrame]:
    frames: list[BufferedFrame] = []
    while (frame := queue.take()) is not None:
        frames.append(frame)
    return frames


@given(_emissions, _lates_s, st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_late_clock_shows_frames_in_order_once_and_counts_what_it_skips(
    emissions: list[tuple[int, float]], lates_s: list[float], keeps_late: bool
) -> None:
    player = Player(lates_s=lates_s, keeps_late=keeps_late)
    for frames, took_s in emissions:
        player.emit(frames, took_s)
    numbers = [each.number for each in player.finish()]
    frames = sum(frames for frames, _ in emissions)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == frames - 1
    assert player.queue.counts() == BufferCounts(frames, len(numbers), 0, frames - len(numbers))
    if keeps_late:
        assert len(numbers) == frames


@given(_emissions, _lates_s, st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_late_clock_never_makes_up_above_the_rate(
    emissions: list[tuple[int, float]], lates_s: list[float], keeps_late: bool
) -> None:
    player = Player(lates_s=lates_s, keeps_late=keeps_late)
    for frames, took_s in emissions:
        player.emit(frames, took_s)
    times_s = [each.shown_s for each in player.finish()]
    for steps in (1, 2, 5, 30):
        for first_s, last_s in zip(times_s, times_s[steps:], strict=False):
            assert last_s - first_s >= max(0.5, steps - 1.25) * INTERVAL_S - TINY_S


@given(_emissions, _lates_s)
@settings(max_examples=80, deadline=None)
def test_a_late_clock_shows_no_frame_whose_next_one_is_long_overdue(
    emissions: list[tuple[int, float]], lates_s: list[float]
) -> None:
    player = Player(lates_s=lates_s)
    for frames, took_s in emissions:
        player.emit(frames, took_s)
    player.finish()
    due_s = {each.number + index: each.plan.due_s(index) for each in player.emitted for index in range(each.frames)}
    planned_s = {each.number + index: each.planned_s for each in player.emitted for index in range(each.frames)}
    for shown in player.shown:
        if planned_s.get(shown.number + 1, shown.shown_s) < shown.shown_s:
            assert due_s[shown.number + 1] >= shown.shown_s - INTERVAL_S / 2 - TINY_S


def test_a_clock_that_was_away_goes_on_with_the_newest_frame_that_is_due() -> None:
    now = _Clock()
    queue = FrameQueue(RATE_FPS, now=now)
    queue.add(_block(*range(100)), 0, Plan(0.0, INTERVAL_S))
    now.now_s = 50.25 * INTERVAL_S
    frames = []
    for _ in range(4):
        now.now_s = max(now.now_s, queue.due_s)
        frame = queue.take(0.0)
        assert frame is not None
        frames.append(frame)
    assert [frame.number for frame in frames] == [50, 51, 52, 53]
    assert queue.counts().skipped == 50
    assert queue.waiting == 46


def test_a_clock_that_wakes_up_one_interval_late_loses_nothing() -> None:
    now = _Clock()
    queue = FrameQueue(RATE_FPS, now=now)
    queue.add(_block(*range(6)), 0, Plan(0.0, INTERVAL_S))
    times_s = []
    for turn in range(6):
        now.now_s = max(now.now_s, queue.due_s + (1.2 * INTERVAL_S if turn == 1 else 0.0))
        assert queue.take(0.0) is not None
        times_s.append(now.now_s / INTERVAL_S)
    assert times_s == pytest.approx([0.0, 2.2, 2.7, 3.2, 4.0, 5.0])
    assert queue.counts() == BufferCounts(6, 6, 0, 0)


def test_one_that_keeps_what_is_late_gives_all_of_it_out_at_the_rate() -> None:
    now = _Clock()
    queue = FrameQueue(RATE_FPS, keeps_late=True, now=now)
    queue.add(_block(*range(10)), 0, Plan(0.0, INTERVAL_S))
    times_s = []
    now.now_s = 100.0
    while queue.waiting:
        now.now_s = max(now.now_s, queue.due_s)
        assert queue.take(0.0) is not None
        times_s.append(now.now_s)
    assert len(times_s) == 10
    assert times_s[-1] - times_s[0] >= (9 - 1.25) * INTERVAL_S - TINY_S


def test_a_frame_carries_its_times_and_its_number() -> None:
    now = _Clock(10.0)
    queue = FrameQueue(RATE_FPS, now=now)
    queue.add(_block(1, 2), 7, Plan(10.0, 0.5))
    now.now_s = 10.5 + 0.01
    frame = queue.take(0.0)
    assert frame is not None
    assert (frame.number, int(frame.pixels[0, 0, 0])) == (7, 1)
    assert (frame.emitted_s, frame.converted_s, frame.due_s, frame.played_s) == (1.0, 2.0, 10.0, 10.51)


def test_numbers_may_leave_out_what_was_dropped_on_the_way() -> None:
    now = _Clock(10.0)
    queue = FrameQueue(RATE_FPS, now=now)
    queue.add(_block(1), 3, Plan(0.0, INTERVAL_S))
    queue.add(_block(2), 9, Plan(0.0, INTERVAL_S))
    queue.finish()
    assert [frame.number for frame in _take_all(queue)] == [9]
    assert queue.counts() == BufferCounts(produced=2, played=1, dropped=0, skipped=1)


def test_a_clock_that_waits_is_woken_by_a_frame() -> None:
    queue = FrameQueue(RATE_FPS)
    taken: list[BufferedFrame] = []
    clock = threading.Thread(target=lambda: taken.extend(_take_all(queue)), name="reactor-test", daemon=True)
    clock.start()
    queue.add(_block(1), 0, Plan(time.monotonic(), INTERVAL_S))
    eventually(lambda: queue.counts().played == 1)
    queue.finish()
    clock.join(2.0)
    assert not clock.is_alive()
    assert [frame.number for frame in taken] == [0]
    assert queue.is_over


def test_closing_drops_what_waits_and_what_comes_after() -> None:
    queue = FrameQueue(RATE_FPS)
    queue.add(_block(1, 2, 3), 0, Plan(time.monotonic() + 3600, INTERVAL_S))
    queue.close()
    queue.close()
    queue.add(_block(4), 3, Plan(0.0, INTERVAL_S))
    assert queue.take() is None
    assert queue.counts() == BufferCounts(produced=4, played=0, dropped=4)


def test_room_is_waited_for_until_the_end() -> None:
    queue = FrameQueue(RATE_FPS)
    queue.add(_block(1, 2, 3), 0, Plan(time.monotonic() + 3600, INTERVAL_S))
    assert queue.wait_for_room(3)
    found: list[bool] = []
    waiter = threading.Thread(target=lambda: found.append(queue.wait_for_room(2)), name="reactor-test", daemon=True)
    waiter.start()
    waiter.join(0.02)
    assert waiter.is_alive()
    queue.close()
    waiter.join(2.0)
    assert found == [False]


def test_a_clock_that_is_stuck_keeps_only_the_newest_frame_that_is_due() -> None:
    now = _Clock()
    queue = FrameQueue(RATE_FPS, now=now)
    for number in range(100):
        now.now_s = number * INTERVAL_S
        queue.add(_block(1), number, Plan(now.now_s, INTERVAL_S))
        assert queue.waiting <= 2
    assert queue.counts() == BufferCounts(produced=100, skipped=100 - queue.waiting)


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 9), st.floats(-1.0, 1.0)),
        st.tuples(st.just("take"), st.just(0), st.floats(0.0, 0.5)),
        st.tuples(st.sampled_from(["finish", "close"]), st.just(0), st.just(0.0)),
    ),
    max_size=40,
)


@given(_steps, st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_frame_is_played_skipped_dropped_or_waits_at_any_moment(
    steps: list[tuple[str, int, float]], keeps_late: bool
) -> None:
    now = _Clock(10.0)
    queue = FrameQueue(RATE_FPS, keeps_late=keeps_late, now=now)
    added = 0
    taken: list[int] = []
    for step, frames, by_s in steps:
        if step == "add":
            queue.add(Block(np.zeros((frames, 1, 1, 3), np.uint8), 0.0), added, Plan(now.now_s + by_s, INTERVAL_S))
            added += frames
        elif step == "take":
            now.now_s += by_s
            frame = queue.take(0.0)
            taken += [] if frame is None else [frame.number]
        else:
            (queue.finish if step == "finish" else queue.close)()
        counts = queue.counts()
        assert counts.produced == added == counts.played + counts.dropped + counts.skipped + queue.waiting
        assert counts.played == len(taken)
    assert taken == sorted(set(taken))
