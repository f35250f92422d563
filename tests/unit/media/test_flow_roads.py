"""Flow control over roads of every kind, in a simulation with a manual clock: see roads.py."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reactor_nb.media.flow import ACK_S, LEAST_FRAMES
from reactor_nb.media.rate import LEAST_BPS
from tests.unit.media.roads import Model, Ride, Road, ride

MB = 1e6
WIDE = 100 * MB
NARROW = 0.2 * MB


def at_all_times_within_bounds(run: Ride) -> None:
    """In flight: two frames, or the window and the frame that filled it; an acknowledgement every quarter second."""
    largest = max(size for _, size in run.sends)
    for _, size_bytes, frames, window_bytes in run.in_flight:
        assert frames <= LEAST_FRAMES or size_bytes <= window_bytes + largest
    assert max(run.ack_gaps_s) <= ACK_S + 1e-6


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_on_the_same_machine_every_frame_goes_out_at_once_with_few_acknowledgements(fps: float) -> None:
    run = ride(Road(lambda now_s: WIDE, 0.003, 0.004), 20, Model(fps=fps))
    assert run.fps(2, 20) == pytest.approx(fps, rel=0.02)
    assert run.p95_s(0) < 0.02
    assert run.acks / 20 < 11
    assert run.window.stats(20)["cuts"] == 0
    assert run.rate_bps(3) >= 16e6
    at_all_times_within_bounds(run)


@pytest.mark.parametrize("delay_s", [0.1, 0.2], ids=["200 ms there and back", "200 ms each way"])
@pytest.mark.parametrize("wanted_bps", [3e6, 16e6, 30e6])
@pytest.mark.parametrize("seed", range(3))
def test_a_page_that_is_throttled_to_200_kb_a_second_is_late_by_less_than_one(
    delay_s: float, wanted_bps: float, seed: int
) -> None:
    """From five seconds on; what was on its way before needs so long to drain."""

    def bytes_per_s(now_s: float) -> float:
        return WIDE if now_s < 8 else NARROW

    run = ride(Road(bytes_per_s, delay_s, 0.005), 40, Model(wanted_bps=wanted_bps), seed=seed)
    assert run.p95_s(13, 14) < 1
    assert run.p95_s(13) < 0.6
    assert run.fps(13, 40) > 15
    assert run.rate_bps(39) < 8 * 1.4 * NARROW
    assert sum(size for at_s, size in run.sends if at_s > 15) > 0.75 * NARROW * 25
    at_all_times_within_bounds(run)


@pytest.mark.parametrize("seed", range(6))
def test_what_waits_on_a_road_that_has_narrowed_is_not_taken_for_a_busy_machine(seed: int) -> None:
    """TCP loses what the narrow road has no room for, and carries less at first; JPEG has a least size."""

    def bytes_per_s(now_s: float) -> float:
        return WIDE if now_s < 8 else 0.7 * NARROW if now_s < 14 else NARROW

    road = Road(bytes_per_s, 0.003, 0.004, farther_s=lambda now_s: 0.0 if now_s < 8 else 0.1)
    run = ride(road, 30, Model(wanted_bps=28e6, least_bytes=12_000), seed=seed)
    assert run.p95_s(13, 20) < 1
    assert run.fps(13, 20) > 8
    assert max(rate_bps for at_s, rate_bps in run.rates if at_s > 15) < 8 * 2 * NARROW


def test_a_road_that_becomes_wide_again_is_used_again() -> None:
    run = ride(Road(lambda now_s: NARROW if now_s < 10 else 10 * MB, 0.02, 0.005), 25)
    assert run.rate_bps(9) < 8 * 1.5 * NARROW
    assert run.rate_bps(20) >= 16e6
    assert run.fps(20, 25) == pytest.approx(30, rel=0.05)


def test_a_picture_larger_than_the_rate_comes_less_often_and_not_late() -> None:
    run = ride(Road(lambda now_s: NARROW, 0.1, 0.005), 30, Model(least_bytes=30_000))
    assert run.p95_s(5) < 0.65
    assert run.fps(5, 30) > 0.85 * NARROW / 30_000
    at_all_times_within_bounds(run)


def test_the_narrowest_road_still_shows_a_picture() -> None:
    run = ride(Road(lambda now_s: 0.05 * MB, 0.1, 0.01), 30)
    assert run.p95_s(5) < 0.6
    assert run.fps(5, 30) > 15


def test_a_long_road_that_is_wide_carries_the_whole_rate() -> None:
    run = ride(Road(lambda now_s: WIDE, 0.12, 0.01), 30)
    assert run.fps(10, 30) == pytest.approx(30, rel=0.05)
    assert run.p95_s(10) < 0.17


def test_around_the_world_a_wide_road_still_carries_most_of_it() -> None:
    run = ride(Road(lambda now_s: WIDE, 0.2, 0.01), 30)
    assert run.fps(10, 30) > 22
    assert run.p95_s(10) < 0.25


def test_a_road_that_wavers_is_not_taken_for_a_narrow_one() -> None:
    run = ride(Road(lambda now_s: WIDE, 0.02, 0.1), 30)
    assert run.fps(5, 30) > 28
    assert run.rate_bps(29) > 10e6


def test_a_machine_that_makes_everything_late_is_not_taken_for_a_narrow_road() -> None:
    """What is as late at half the size did not wait behind it."""
    runs = [ride(Road(lambda now_s: 20 * MB, 0.03, 0.3), 30, seed=seed) for seed in range(4)]
    assert min(run.fps(10, 30) for run in runs) > 24
    rates_bps = [rate_bps for run in runs for at_s, rate_bps in run.rates if at_s > 10]
    assert sum(rates_bps) / len(rates_bps) > 3 * LEAST_BPS


@pytest.mark.parametrize("seed", range(3))
def test_a_road_that_narrows_for_a_busy_machine_is_found_narrow_in_time(seed: int) -> None:
    road = Road(lambda now_s: 20 * MB if now_s < 10 else NARROW, 0.1, 0.25)
    run = ride(road, 30, seed=seed)
    assert run.p95_s(15) < 0.7
    assert run.fps(15, 30) > 10


def test_messages_that_are_lost_shut_no_window() -> None:
    run = ride(Road(lambda now_s: 10 * MB, 0.02, 0.01, lambda now_s: 0.05), 30)
    assert run.fps(2, 30) > 26
    assert run.p95_s(2) < 0.1


def test_when_every_message_was_lost_for_seconds_the_picture_is_back_with_the_first_that_arrives() -> None:
    run = ride(Road(lambda now_s: 10 * MB, 0.02, 0.01, lambda now_s: float(10 < now_s < 14)), 25)
    first_s = min(seen_s for _, seen_s in run.seen if seen_s > 14)
    assert first_s < 14.7
    assert run.fps(16, 25) == pytest.approx(30, rel=0.05)
    assert run.rate_bps(20) > 10e6


def test_a_kernel_that_is_busy_for_a_moment_lowers_the_rate_for_seconds_only() -> None:
    run = ride(Road(lambda now_s: 10 * MB, 0.02, 0.01), 25, hears=lambda now_s: not 10 < now_s < 10.7)
    assert run.fps(11, 12) > 25
    assert run.rate_bps(20) > 16e6


def test_a_cell_that_runs_slows_the_picture_to_two_frames_a_second_and_not_longer_than_it_runs() -> None:
    def is_busy(now_s: float) -> bool:
        return 10 < now_s < 30

    run = ride(Road(lambda now_s: 10 * MB, 0.02, 0.01), 40, hears=lambda now_s: not is_busy(now_s), deaf=is_busy)
    assert run.fps(12, 30) == pytest.approx(2, rel=0.1)
    assert run.fps(31, 40) == pytest.approx(30, rel=0.05)
    assert run.window.stats(40)["cuts"] == 0
    gaps_s = [after[1] - before[1] for before, after in pairwise(run.seen)]
    assert max(gaps_s) < 0.75


def test_a_page_that_has_gone_is_sent_little_and_then_nothing() -> None:
    run = ride(Road(lambda now_s: 10 * MB, 0.02, 0.01), 120, hears=lambda now_s: now_s < 10)
    after = [(at_s, size) for at_s, size in run.sends if at_s > 11.5]
    assert max(at_s for at_s, _ in after) < 10 + 60 + 1.5
    assert sum(size for _, size in after) < 0.26 * 2 * MB * 60
    assert len(after) <= 2 * 60


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    bytes_per_s=st.floats(0.06 * MB, 20 * MB),
    delay_s=st.floats(0.0, 0.2),
    jitter_s=st.floats(0.0, 0.05),
    lost=st.floats(0.0, 0.05),
    fps=st.sampled_from([8.0, 15.0, 30.0, 60.0]),
    wanted_bps=st.floats(0.5e6, 40e6),
    seed=st.integers(0, 2**32),
)
def test_whatever_the_road_the_picture_moves_and_is_late_by_less_than_a_second(
    bytes_per_s: float, delay_s: float, jitter_s: float, lost: float, fps: float, wanted_bps: float, seed: int
) -> None:
    road = Road(lambda now_s: bytes_per_s, delay_s, jitter_s, lambda now_s: lost)
    run = ride(road, 15, Model(fps=fps, wanted_bps=wanted_bps), seed=seed)
    assert run.p95_s(5) < 0.6 + delay_s + jitter_s
    assert run.fps(5, 15) > 0.4 * fps
    assert run.window.rate_bps >= LEAST_BPS
    at_all_times_within_bounds(run)
