"""What is made of the reports of a road: on a simulated one, with a clock of the test's own."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_nb.media.rate import FAR_BPS, LEAST_BPS, WIDE_BPS, RoadRate

PACKET_BYTES = 1200
FRAME_S = 1 / 30


class Road:
    """A road of a width, with a queue that holds 0.3 s and loses what does not fit; the far end reports as one does.

    The model wants `wanted_bps` all the time and sends what `rate` allows, 30 frames a second.
    """

    def __init__(self, rate: RoadRate, width_bps: float, wanted_bps: float = 16e6, delay_s: float = 0.02) -> None:
        self.rate, self.width_bps, self.wanted_bps, self.delay_s = rate, width_bps, wanted_bps, delay_s
        self.now_s = 100.0
        self.sequence = self.lost = 0
        self.queue_s = 0.0
        self.allowed: list[int] = []

    def play(self, seconds: float) -> None:
        for _ in range(round(seconds / FRAME_S)):
            self.now_s += FRAME_S
            self.queue_s = max(0.0, self.queue_s - FRAME_S)
            size = min(self.wanted_bps, self.rate.rate_bps) * FRAME_S / 8
            self.rate.sent(round(size), self.now_s)
            for _ in range(max(1, round(size / PACKET_BYTES))):
                self.sequence += 1
                if self.queue_s > 0.3:
                    self.lost += 1
                else:
                    self.queue_s += PACKET_BYTES * 8 / self.width_bps
            self.rate.report(self.sequence, self.lost, self.now_s)
            if round(self.now_s / FRAME_S) % 30 == 0:
                self.rate.round_trip(self.delay_s + self.queue_s, self.now_s)
            self.allowed.append(self.rate.rate_bps)


def test_a_road_on_this_machine_is_wide_and_stays_so() -> None:
    road = Road(RoadRate(), width_bps=1e9)
    road.play(60)
    assert set(road.allowed) == {WIDE_BPS}


def test_a_far_road_begins_with_care_and_reaches_what_the_picture_wants() -> None:
    road = Road(RoadRate(is_this_machine=False), width_bps=100e6)
    assert road.rate.rate_bps == FAR_BPS
    road.play(10)
    assert road.rate.rate_bps >= 16e6
    assert (road.lost, road.rate.cuts) == (0, 0)


@pytest.mark.parametrize("is_this_machine", [True, False])
@pytest.mark.parametrize("width_bps", [1e6, 3e6, 5e6, 12e6])
def test_a_narrow_road_is_found_and_used(is_this_machine: bool, width_bps: float) -> None:
    road = Road(RoadRate(is_this_machine), width_bps)
    road.play(3)
    sent_first, lost_first = road.sequence, road.lost
    road.play(60)
    settled = road.allowed[-1200:]
    assert 0.55 * width_bps < sum(settled) / len(settled) < 1.1 * width_bps
    assert road.lost - lost_first < 0.02 * (road.sequence - sent_first)


def test_the_worst_is_over_within_a_second() -> None:
    road = Road(RoadRate(), width_bps=4e6)
    road.play(1.5)
    before = road.lost
    road.play(3.0)
    assert road.lost == before


def test_a_road_that_becomes_wide_again_is_believed() -> None:
    road = Road(RoadRate(is_this_machine=False), width_bps=3e6)
    road.play(20)
    road.width_bps = 100e6
    road.play(25)
    assert road.rate.rate_bps > 12e6


def test_a_picture_that_stands_still_proves_no_wide_road() -> None:
    road = Road(RoadRate(is_this_machine=False), width_bps=3e6)
    road.play(20)
    road.wanted_bps = 100_000
    road.play(60)
    assert road.rate.rate_bps < 2 * 3e6


def test_some_loss_as_on_a_radio_lowers_nothing() -> None:
    rate = RoadRate()
    for second in range(20):
        rate.sent(1_000_000, second)
        rate.report(1000 * second, 40 * second, second)
    assert (rate.rate_bps, rate.cuts) == (WIDE_BPS, 0)


def sending(rate: RoadRate, bps: float, now_s: float) -> None:
    for part in range(10):
        rate.sent(round(bps / 80), now_s - 0.95 + part / 10)


def test_an_estimate_that_is_merely_low_says_nothing() -> None:
    rate = RoadRate(is_this_machine=False)
    for second, estimate_bps in enumerate(itertools.chain([300_000] * 5, range(400_000, 4_000_000, 300_000))):
        sending(rate, 4e6, second + 1)
        rate.estimate(estimate_bps, second + 1)
    assert rate.cuts == 0


def test_an_estimate_that_falls_below_what_is_sent_is_followed() -> None:
    rate = RoadRate(is_this_machine=False)
    for second, estimate_bps in enumerate([4e6, 4.4e6, 3.1e6]):
        sending(rate, 4e6, second + 1)
        rate.estimate(estimate_bps, second + 1)
    assert (rate.rate_bps, rate.cuts) == (3_100_000, 1)


def test_an_estimate_that_falls_with_a_quiet_picture_is_not() -> None:
    rate = RoadRate(is_this_machine=False)
    for second, estimate_bps in enumerate([4e6, 4.4e6, 3.1e6]):
        sending(rate, 1e6, second + 1)
        rate.estimate(estimate_bps, second + 1)
    assert rate.cuts == 0


def test_delay_on_this_machine_is_no_road() -> None:
    rate = RoadRate()
    for second, estimate_bps in enumerate([4e6, 4.4e6, 3.1e6, 1e6]):
        sending(rate, 4e6, second + 1)
        rate.estimate(estimate_bps, second + 1)
        rate.round_trip(0.01 + second, second + 1)
    assert (rate.rate_bps, rate.cuts) == (WIDE_BPS, 0)


def test_a_road_is_choked_for_a_moment_after_it_gave_way() -> None:
    rate = RoadRate()
    sending(rate, 8e6, 1.0)
    rate.report(0, 0, 0.5)
    rate.report(100, 60, 1.0)
    assert rate.is_choked(1.1)
    assert not rate.is_choked(2.0)


@settings(max_examples=60, deadline=None)
@given(
    reports=st.lists(
        st.tuples(
            st.floats(0.0, 3.0),
            st.integers(0, 2**32),
            st.integers(-(2**23), 2**23),
            st.floats(0, 1e10),
            st.floats(0, 60),
        ),
        max_size=60,
    ),
    is_this_machine=st.booleans(),
)
def test_no_report_whatever_leads_out_of_the_bounds(
    reports: list[tuple[float, int, int, float, float]], is_this_machine: bool
) -> None:
    rate = RoadRate(is_this_machine)
    now_s = 0.0
    for after_s, highest, lost, estimate_bps, trip_s in reports:
        now_s += after_s
        rate.sent(abs(lost), now_s)
        rate.report(highest, lost, now_s)
        rate.estimate(estimate_bps, now_s)
        rate.round_trip(trip_s, now_s)
        assert LEAST_BPS <= rate.rate_bps <= 2 * WIDE_BPS
