"""When frames are due: order, delay and rate, for any way in which a model emits."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_nb.core.pacing import Pacer

RATE_FPS = 30.0
INTERVAL_S = 1 / RATE_FPS


@dataclass
class _Shown:
    number: int
    arrived_s: float
    shown_s: float


class _Player:
    """A model and a clock that share a manual clock: a model that is held waits for its release."""

    def __init__(self, rate_fps: float = RATE_FPS, late_s: float = 0.0) -> None:
        self.pacer = Pacer(rate_fps)
        self.now_s = 100.0
        self.late_s = late_s
        self.queue: deque[tuple[int, float]] = deque()
        self.shown: list[_Shown] = []
        self._numbers = 0

    def emit(self, frames: int, took_s: float, *, is_held: bool = True) -> None:
        """The model works for `took_s`, then emits `frames`, then waits until it is released."""
        self.play_until(self.now_s + took_s)
        arrived_s = self.now_s
        self.pacer.arrive(frames, len(self.queue), arrived_s)
        while is_held and self.queue and len(self.queue) + frames > max(2, 2 * frames):
            self.play_until(math.inf, stop_after_one=True)
        for _ in range(frames):
            self.queue.append((self._numbers, arrived_s))
            self._numbers += 1
        self.play_until(self.now_s)
        while is_held:
            head_s = self.queue[0][1] if self.queue else self.now_s
            release_s = self.pacer.release_due_s(len(self.queue), head_s)
            if release_s <= self.now_s:
                break
            self.play_until(release_s, stop_after_one=True)
        self.pacer.release(self.now_s)

    def play_until(self, until_s: float, *, stop_after_one: bool = False) -> None:
        while self.queue:
            due_s = self.pacer.due_s(self.queue[0][1])
            shown_s = max(self.now_s, due_s + self.late_s)
            if shown_s > until_s:
                break
            number, arrived_s = self.queue.popleft()
            self.now_s = shown_s
            self.pacer.play(due_s, shown_s)
            self.shown.append(_Shown(number, arrived_s, shown_s))
            if stop_after_one:
                return
        self.now_s = max(self.now_s, until_s)

    def finish(self) -> list[_Shown]:
        self.play_until(self.now_s + 3600)
        return self.shown


_singles = st.lists(st.floats(0.0, 0.2), min_size=1, max_size=40)
_blocks = st.lists(st.tuples(st.integers(1, 9), st.floats(0.0, 3.0)), min_size=1, max_size=12)


@given(_blocks, st.floats(0.0, 0.03))
@settings(max_examples=60, deadline=None)
def test_frames_keep_their_order_and_none_is_lost(blocks: list[tuple[int, float]], late_s: float) -> None:
    player = _Player(late_s=late_s)
    for frames, took_s in blocks:
        player.emit(frames, took_s)
    shown = player.finish()
    assert [each.number for each in shown] == list(range(sum(frames for frames, _ in blocks)))
    assert all(each.shown_s >= each.arrived_s for each in shown)


@given(_blocks, st.booleans(), st.sampled_from([0.0, 0.02]))
@settings(max_examples=60, deadline=None)
def test_any_span_of_frames_stays_below_the_rate(blocks: list[tuple[int, float]], is_held: bool, late_s: float) -> None:
    player = _Player(late_s=late_s)
    for frames, took_s in blocks:
        player.emit(frames, took_s, is_held=is_held)
    times = [each.shown_s for each in player.finish()]
    for count in (1, 2, 5, 30):
        for first_s, last_s in zip(times, times[count:], strict=False):
            assert last_s - first_s >= max(0.5, count - 1.25) * INTERVAL_S - 1e-6


@given(_singles)
@settings(max_examples=60, deadline=None)
def test_a_held_model_finds_its_single_frames_shown_soon(works_s: list[float]) -> None:
    player = _Player()
    for took_s in works_s:
        player.emit(1, took_s)
    # The first two emissions say nothing of the third yet, so three frames may wait for each other.
    assert all(each.shown_s - each.arrived_s <= 3 * INTERVAL_S for each in player.finish())


@given(st.lists(st.floats(1.26 * INTERVAL_S, 1.0), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_single_frames_slower_than_the_rate_are_shown_as_they_come(works_s: list[float]) -> None:
    player = _Player()
    for took_s in works_s:
        player.emit(1, took_s)
    assert all(each.shown_s == each.arrived_s for each in player.finish())


@given(_blocks)
@settings(max_examples=60, deadline=None)
def test_the_delay_is_bounded_by_the_queue_and_the_slowest_estimate(blocks: list[tuple[int, float]]) -> None:
    player = _Player()
    for frames, took_s in blocks:
        player.emit(frames, took_s)
    slowest_s = max(INTERVAL_S, *(took_s / frames for frames, took_s in blocks))
    most_frames = max(frames for frames, _ in blocks)
    # Two blocks wait at most, and one is held outside until there is room for it.
    bound_s = (3 * most_frames + 2) * slowest_s
    assert all(each.shown_s - each.arrived_s <= bound_s for each in player.finish())


@given(
    frames=st.integers(2, 24),
    took_s=st.floats(0.2, 2.0),
    disturbance_s=st.floats(0.0, 60.0),
    before=st.integers(3, 10),
)
@settings(max_examples=40, deadline=None)
def test_one_pause_or_one_burst_does_not_change_the_pace(
    frames: int, took_s: float, disturbance_s: float, before: int
) -> None:
    player = _Player()
    for _ in range(before):
        player.emit(frames, took_s)
    pace_s = player.pacer.interval_s
    player.emit(frames, disturbance_s)
    player.emit(frames, took_s)
    player.emit(frames, took_s)
    assert player.pacer.interval_s == pytest.approx(pace_s, rel=0.5)
    assert player.pacer.interval_s <= max(took_s / frames, INTERVAL_S) + 1e-9


@pytest.mark.parametrize("frames", [2, 4, 12])
def test_a_block_is_played_evenly_over_the_time_that_the_next_one_takes(frames: int) -> None:
    player = _Player()
    for _ in range(8):
        player.emit(frames, 0.9)
    times = [each.shown_s for each in player.finish()][-4 * frames : -frames]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps == [pytest.approx(0.9 / frames, rel=0.02)] * len(gaps)


def test_a_model_as_fast_as_can_be_is_played_at_exactly_the_rate() -> None:
    player = _Player()
    for _ in range(300):
        player.emit(1, 0.0)
    times = [each.shown_s for each in player.finish()][10:]
    assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(RATE_FPS, rel=1e-6)


def test_a_fast_models_frames_do_not_grow_old_while_they_wait() -> None:
    player = _Player()
    for turn in range(100):
        player.emit(1, 0.010 + 0.005 * (turn % 2))
    ages_s = [each.shown_s - each.arrived_s for each in player.finish()][10:]
    assert max(ages_s) < 0.007


def test_a_clock_that_wakes_up_late_does_not_lower_the_rate() -> None:
    player = _Player(late_s=0.01)
    for _ in range(300):
        player.emit(1, 0.0)
    times = [each.shown_s for each in player.finish()][10:]
    assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(RATE_FPS, rel=0.01)


def test_a_clock_that_was_away_does_not_make_up_for_it_with_a_burst() -> None:
    pacer = Pacer(RATE_FPS)
    pacer.arrive(100, 0, 0.0)
    pacer.play(pacer.due_s(0.0), 5.0)
    times = []
    now_s = 5.0
    for _ in range(10):
        now_s = max(now_s, pacer.due_s(0.0))
        pacer.play(pacer.due_s(0.0), now_s)
        times.append(now_s)
    assert times[-1] - times[0] >= 8 * INTERVAL_S


def test_a_model_that_paces_itself_at_the_rate_is_not_delayed_by_its_jitter() -> None:
    player = _Player()
    for turn in range(200):
        jitter_s = 0.006 * (-1) ** turn
        player.emit(1, INTERVAL_S + jitter_s, is_held=True)
    assert max(each.shown_s - each.arrived_s for each in player.finish()[5:]) < 0.006


@pytest.mark.parametrize("rate_fps", [0, -1, math.nan, math.inf])
def test_a_rate_that_is_none_is_refused(rate_fps: float) -> None:
    with pytest.raises(ValueError, match="rate_fps"):
        Pacer(rate_fps)
