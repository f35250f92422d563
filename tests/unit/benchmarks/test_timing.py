"""Percentiles, intervals, skipped and doubled frames, as the benchmark counts them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks import timing

PERIOD_MS = 1000 / 30


def even(count: int, first: int = 0) -> list[timing.Seen]:
    return [(first + index, 1000.0 + index * PERIOD_MS) for index in range(count)]


def test_an_even_picture_has_nothing_skipped_and_nothing_doubled() -> None:
    seen = even(600, first=77)
    assert timing.skipped(seen) == 0
    assert timing.doubled(seen, PERIOD_MS) == 0
    assert timing.rate_fps(seen, 20.0) == 30.0


def test_a_60_hz_sampler_of_an_even_30_fps_picture_doubles_nothing() -> None:
    """Whatever the phase: a frame is then there for one, two or three samples."""
    tick_ms = 1000 / 60
    seen: list[timing.Seen] = []
    for number in range(300):
        # Shown 0.4 of a sample late or early, in turns: the worst that jitter below a sample can do.
        shown_ms = number * PERIOD_MS + (0.4 if number % 2 else -0.4) * tick_ms
        seen.append((number, float(np.ceil(shown_ms / tick_ms)) * tick_ms))
    assert max(timing.intervals_ms(seen)) > 2.9 * tick_ms
    assert timing.doubled(seen, PERIOD_MS) == 0


def test_a_lost_frame_is_skipped_once_and_the_one_before_it_doubled() -> None:
    seen = [each for each in even(100) if each[0] != 40]
    assert timing.skipped(seen) == 1
    assert timing.doubled(seen, PERIOD_MS) == 1


def test_a_burst_of_lost_frames_is_counted_one_by_one() -> None:
    seen = [each for each in even(100) if not 40 <= each[0] < 47]
    assert timing.skipped(seen) == 7
    assert timing.doubled(seen, PERIOD_MS) == 1


def test_a_frame_that_comes_back_is_doubled_and_counts_once_in_the_rate() -> None:
    seen = [*even(3), (1, 1100.0), (3, 1130.0)]
    assert timing.doubled(seen, PERIOD_MS) == 1
    assert timing.rate_fps(seen, 1.0) == 4.0


@given(st.sets(st.integers(0, 400), min_size=2))
def test_seen_and_skipped_add_up_to_the_span(numbers: set[int]) -> None:
    seen = [(number, number * PERIOD_MS) for number in sorted(numbers)]
    assert timing.skipped(seen) + len(seen) == max(numbers) - min(numbers) + 1


def test_the_latency_of_a_frame_is_that_of_its_first_appearance() -> None:
    seen = [(5, 110.0), (6, 140.0), (5, 160.0), (7, 180.0)]
    assert timing.latencies_ms(seen, {5: 100.0, 6: 133.0}) == [10.0, 7.0]


def test_nothing_has_no_percentiles_and_no_rate() -> None:
    assert timing.percentile([], 50) is None
    assert timing.percentiles([], 50, 95) is None
    assert timing.skipped([]) == 0
    assert timing.rate_fps([], 20.0) == 0.0


def test_percentiles_are_numpys() -> None:
    assert timing.percentiles(list(range(101)), 50, 95, 99) == (50.0, 95.0, 99.0)


@pytest.mark.parametrize(
    ("count", "cut"),
    # Ranks of the 95 % interval of a median, as printed in tables of the sign test.
    [(3, 0), (5, 0), (6, 0), (9, 1), (10, 1), (12, 2), (15, 3), (20, 5), (25, 7)],
)
def test_the_interval_of_a_median_is_that_of_the_sign_test(count: int, cut: int) -> None:
    values = [float(value) for value in range(count)]
    assert timing.median_interval(values[::-1]) == ((count - 1) / 2, values[cut], values[-1 - cut])


def test_the_interval_of_a_median_holds_it_19_times_of_20() -> None:
    random = np.random.default_rng(0)
    found = [timing.median_interval(random.exponential(1, 10).tolist()) for _ in range(2000)]
    held = sum(low <= np.log(2) <= high for _, low, high in found)
    assert 0.95 <= held / len(found) < 0.995
