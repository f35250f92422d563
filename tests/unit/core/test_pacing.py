"""When frames are due: order, delay and rate, for any way in which a model emits."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_nb.core.pacing import Pacer, Plan
from tests.benchmarks.pacing import PATTERNS, SMOOTHNESS, Pattern, measure
from tests.unit.core.pacing_player import INTERVAL_S, RATE_FPS, Emitted, Player

TINY_S = 1e-6

_rates = st.sampled_from([0.5, 10.0, 30.0, 120.0])
_smoothness = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
# What a model takes, in intervals of the rate: nothing, bursts, its own pace, pauses.
_takes = st.one_of(st.just(0.0), st.floats(0.0, 2.0), st.floats(0.0, 30.0), st.floats(0.0, 2000.0))
_emissions = st.lists(st.tuples(st.sampled_from([1, 1, 1, 2, 4, 9, 24, 81]), _takes), min_size=1, max_size=25)


def _played(rate_fps: float, smoothness: float, emissions: list[tuple[int, float]], *, is_held: bool = True) -> Player:
    player = Player(rate_fps, smoothness)
    for frames, took in emissions:
        player.emit(frames, took / rate_fps, is_held=is_held)
    player.finish()
    return player


def _jitter_s(player: Player, smoothness: float) -> float:
    """The most for which a single frame may be held to come evenly."""
    came_s = [each.came_s for each in player.emitted]
    gaps_s = [later - earlier for earlier, later in pairwise(came_s)] or [0.0]
    return max(0.0, 2 * smoothness - 1) * min(0.1, max(gaps_s) - min(gaps_s))


def _dues_s(emitted: list[Emitted]) -> list[float]:
    return [each.plan.due_s(index) for each in emitted for index in range(each.frames)]


@given(_rates, _smoothness, _emissions, st.booleans())
@settings(max_examples=80, deadline=None)
def test_each_frame_is_shown_once_in_order_and_not_before_it_came(
    rate_fps: float, smoothness: float, emissions: list[tuple[int, float]], is_held: bool
) -> None:
    shown = _played(rate_fps, smoothness, emissions, is_held=is_held).shown
    assert [each.number for each in shown] == list(range(sum(frames for frames, _ in emissions)))
    assert all(each.shown_s >= each.emitted_s for each in shown)


@given(_rates, _smoothness, _emissions, st.booleans())
@settings(max_examples=80, deadline=None)
def test_no_span_of_planned_frames_is_above_the_rate(
    rate_fps: float, smoothness: float, emissions: list[tuple[int, float]], is_held: bool
) -> None:
    dues_s = _dues_s(_played(rate_fps, smoothness, emissions, is_held=is_held).emitted)
    for steps in (1, 2, 5, 30, 90):
        for first_s, last_s in zip(dues_s, dues_s[steps:], strict=False):
            assert last_s - first_s >= (steps - 0.25) / rate_fps - TINY_S


@given(_rates, _smoothness, _emissions)
@settings(max_examples=80, deadline=None)
def test_an_emission_waits_for_the_block_before_it_and_for_nothing_else(
    rate_fps: float, smoothness: float, emissions: list[tuple[int, float]]
) -> None:
    player = _played(rate_fps, smoothness, emissions)
    for before, after in pairwise(player.emitted):
        # While the model is held outside, the block before that one is played to its end.
        beside = max(2 - after.frames, after.frames)
        assert sum(due_s > after.planned_s for due_s in _dues_s([before])) <= beside
        jitter_s = _jitter_s(player, smoothness) if after.frames == 1 else 0.0
        ends_s = before.plan.due_s(before.frames - 1) + max(after.plan.interval_s, 1 / rate_fps)
        assert after.plan.first_due_s <= max(after.planned_s, ends_s) + jitter_s + TINY_S


@given(_rates, _smoothness, _emissions)
@settings(max_examples=80, deadline=None)
def test_no_frame_waits_longer_than_the_slowest_block_took_or_the_full_rate_needs(
    rate_fps: float, smoothness: float, emissions: list[tuple[int, float]]
) -> None:
    player = _played(rate_fps, smoothness, emissions)
    # A block may have been made while the one before it waited for room.
    slowest_s = max(took / frames for frames, took in emissions) / rate_fps
    last_s = -math.inf
    for each in player.emitted:
        due_s = each.plan.due_s(each.frames - 1)
        guessed_s = each.planned_s + each.frames * slowest_s
        full_rate_s = max(each.planned_s, last_s + 1 / rate_fps) + (each.frames - 1) / rate_fps
        jitter_s = _jitter_s(player, smoothness) if each.frames == 1 else 0.0
        assert due_s <= max(guessed_s, full_rate_s) + jitter_s + TINY_S
        last_s = due_s


@given(_rates, _smoothness, _emissions)
@settings(max_examples=80, deadline=None)
def test_a_model_is_held_by_no_more_than_the_frames_that_wait(
    rate_fps: float, smoothness: float, emissions: list[tuple[int, float]]
) -> None:
    player = _played(rate_fps, smoothness, emissions)
    for each in player.emitted:
        assert each.released_s <= max(each.planned_s, each.plan.due_s(each.frames - 1) + 1 / rate_fps) + TINY_S


@given(st.integers(1, 12), st.lists(st.floats(1.05, 1.6), min_size=3, max_size=30), _smoothness)
@settings(max_examples=60, deadline=None)
def test_a_model_slower_than_the_rate_is_never_held(frames: int, works: list[float], smoothness: float) -> None:
    player = Player(smoothness=smoothness)
    for work in works:
        emitted = player.emit(frames, frames * work * INTERVAL_S)
        assert emitted.released_s <= emitted.came_s + TINY_S


@given(st.lists(st.floats(1.26 * INTERVAL_S, 4.0), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_single_frames_slower_than_the_rate_are_shown_as_they_come(works_s: list[float]) -> None:
    player = Player()
    for took_s in works_s:
        player.emit(1, took_s)
    assert all(each.age_s == 0 for each in player.finish())


@given(
    frames=st.sampled_from([4, 9, 24, 81]),
    took_s=st.floats(0.2, 20.0),
    pause_s=st.floats(0.0, 3600.0),
    before=st.integers(3, 10),
    smoothness=_smoothness,
)
@settings(max_examples=60, deadline=None)
def test_the_rate_does_not_collapse_after_a_pause_nor_rise_after_a_burst(
    frames: int, took_s: float, pause_s: float, before: int, smoothness: float
) -> None:
    player = Player(smoothness=smoothness)
    for _ in range(before):
        player.emit(frames, took_s)
    pace_s = player.pacer.interval_s
    # What is no pause yet counts: a block that took up to three times as long may, at most, be expected again.
    most_s = pace_s if smoothness <= 0.5 or pause_s > 3 * took_s else max(pace_s, pause_s / frames)
    player.emit(frames, pause_s)
    for _ in range(4):
        player.emit(frames, took_s)
        assert player.pacer.interval_s <= most_s + TINY_S
    if smoothness == 0.5:
        assert player.pacer.interval_s == pytest.approx(pace_s, rel=0.25)


@pytest.mark.parametrize("frames", [2, 4, 12, 81])
@pytest.mark.parametrize("smoothness", [0.0, 0.5, 1.0])
def test_a_block_is_played_evenly_until_the_next_one_comes(frames: int, smoothness: float) -> None:
    player = Player(smoothness=smoothness)
    took_s = 3.1 * frames * INTERVAL_S
    for _ in range(6):
        player.emit(frames, took_s)
    times_s = [each.shown_s for each in player.finish()][-4 * frames :]
    gaps_s = [later - earlier for earlier, later in pairwise(times_s)]
    assert gaps_s == [pytest.approx(took_s / frames)] * len(gaps_s)


def test_the_first_block_that_was_timed_is_believed_unless_it_was_very_slow() -> None:
    usual, slow = Player(), Player()
    for player, took_s in ((usual, 0.8), (slow, 90.0)):
        player.emit(9, 5.0)
        player.emit(9, took_s)
    assert usual.pacer.interval_s == pytest.approx(0.8 / 9)
    assert slow.pacer.interval_s == pytest.approx(4 * INTERVAL_S)


def test_a_rate_that_drifts_is_followed_without_a_queue_that_grows() -> None:
    player = Player()
    for turn in range(60):
        player.emit(9, 1.2 * 0.98**turn if turn < 30 else 1.2 * 0.98**30 * 1.02 ** (turn - 30))
    waits_s = [each.plan.first_due_s - each.came_s for each in player.emitted]
    assert max(waits_s[5:]) < 0.08
    for each in player.emitted[5:]:
        assert each.plan.interval_s * 9 == pytest.approx(1.0, abs=0.45)


def test_a_block_that_comes_early_shortens_the_play_of_itself_and_of_no_other() -> None:
    player = Player()
    for _ in range(6):
        player.emit(10, 1.0)
    early = player.emit(10, 0.6)
    after = player.emit(10, 1.0)
    last = player.emit(10, 1.0)
    assert early.plan.interval_s < 0.07
    assert early.plan.due_s(10) == pytest.approx(early.came_s + 1.0)
    assert after.plan.interval_s == pytest.approx(0.1, abs=0.005)
    assert last.plan.first_due_s == pytest.approx(last.came_s, abs=0.005)


@pytest.mark.parametrize("rate_fps", [0.5, 30.0, 120.0])
@pytest.mark.parametrize("frames", [1, 4, 81])
def test_a_model_as_fast_as_can_be_is_played_at_exactly_the_rate(rate_fps: float, frames: int) -> None:
    player = Player(rate_fps)
    for _ in range(max(8, 200 // frames)):
        player.emit(frames, 0.0)
    times_s = [each.shown_s for each in player.finish()][2 * frames :]
    # A quarter of an interval is the slack of the rate.
    assert (times_s[-1] - times_s[0]) * rate_fps == pytest.approx(len(times_s) - 1, abs=0.25 + TINY_S)


@pytest.mark.parametrize("smoothness", [0.5, 1.0])
def test_a_fast_models_frames_do_not_grow_old_while_they_wait(smoothness: float) -> None:
    player = Player(smoothness=smoothness)
    for turn in range(100):
        player.emit(1, 0.010 + 0.005 * (turn % 2))
    assert max(each.age_s for each in player.finish()[10:]) < 0.007 + (0.005 if smoothness == 1.0 else 0.0)


@pytest.mark.parametrize("frames", [4, 81])
def test_a_fast_models_blocks_come_as_the_block_before_ends(frames: int) -> None:
    player = Player()
    for turn in range(40):
        player.emit(frames, frames * (0.4 + 0.1 * (turn % 2)) * INTERVAL_S)
    waits_s = [each.plan.first_due_s - each.came_s for each in player.emitted[4:]]
    assert max(waits_s) < 0.1 * frames * INTERVAL_S + 0.002


def test_single_frames_too_slow_to_be_motion_are_not_held_however_smooth() -> None:
    player = Player(smoothness=1.0)
    for turn in range(20):
        player.emit(1, 2.0 + 0.4 * (-1) ** turn)
    assert all(each.age_s == 0 for each in player.finish())


def test_a_model_that_grows_faster_is_not_held_to_its_old_pace() -> None:
    player = Player(120.0, 1.0)
    for turn in range(40):
        player.emit(1, 0.060 - 0.001 * turn)
    assert max(each.age_s for each in player.finish()) <= 0.016


def test_a_model_that_paces_itself_at_the_rate_is_not_delayed_by_its_jitter() -> None:
    player = Player()
    for turn in range(200):
        player.emit(1, INTERVAL_S + 0.006 * (-1) ** turn)
    assert max(each.age_s for each in player.finish()[5:]) < 0.006


def test_the_smoothest_single_frames_come_evenly_at_the_price_of_their_jitter() -> None:
    soonest, smoothest = Player(60.0), Player(60.0, 1.0)
    for turn in range(200):
        for player in (soonest, smoothest):
            player.emit(1, 0.040 + 0.008 * (-1) ** turn)
    spread_s = []
    for player in (soonest, smoothest):
        times_s = [each.shown_s for each in player.finish()][20:]
        gaps_s = [later - earlier for earlier, later in pairwise(times_s)]
        spread_s.append(max(gaps_s) - min(gaps_s))
    assert spread_s[0] == pytest.approx(0.016)
    assert spread_s[1] < 0.002
    assert max(each.age_s for each in smoothest.shown) <= 0.016 + TINY_S


@given(st.lists(st.tuples(st.sampled_from([1, 4, 24]), st.floats(0.0, 1.0)), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_what_is_said_to_wait_is_what_is_not_due_yet(emissions: list[tuple[int, float]]) -> None:
    player = Player()
    for frames, took_s in emissions:
        player.emit(frames, took_s)
        assert player.pacer.waiting(player.now_s) == sum(due_s > player.now_s for due_s in _dues_s(player.emitted))


@pytest.mark.parametrize("rate_fps", [0, -1, math.nan, math.inf])
def test_a_rate_that_is_none_is_refused(rate_fps: float) -> None:
    with pytest.raises(ValueError, match="rate_fps"):
        Pacer(rate_fps)


@pytest.mark.parametrize("smoothness", [-0.1, 1.5, math.nan])
def test_a_smoothness_beyond_its_range_is_refused(smoothness: float) -> None:
    with pytest.raises(ValueError, match="smoothness"):
        Pacer(RATE_FPS, smoothness)


def test_a_plan_says_when_each_frame_is_due() -> None:
    assert [Plan(10.0, 0.5).due_s(index) for index in range(3)] == [10.0, 10.5, 11.0]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_no_pattern_stands_still_for_long_and_smoothness_only_buys_less_of_it(pattern: Pattern) -> None:
    soonest, usual, smoothest = (measure(pattern, smoothness) for smoothness in SMOOTHNESS)
    assert usual.still < 0.05
    assert smoothest.still <= usual.still <= soonest.still + TINY_S
    assert soonest.age_p50_ms <= usual.age_p50_ms + TINY_S <= smoothest.age_p50_ms + 1.0
    # It costs no frames: nobody holds the model for the sake of smoothness.
    assert smoothest.fps == pytest.approx(soonest.fps, rel=0.02)
