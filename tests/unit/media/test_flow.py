from __future__ import annotations

import math
from itertools import pairwise

import pytest

from reactor_nb.media.flow import (
    DEAF_SILENCE_S,
    MOST_ACK_EVERY,
    PATIENCE_S,
    SILENCE_S,
    TIMED_GAP_S,
    TIMED_SHARE,
    FlowWindow,
)
from reactor_nb.media.rate import FAR_BPS, LEAST_BPS

FRAME = 10_000


def flowing(now_s: float = 0.0, frames: int = 60, trip_s: float = 0.02, size: int = FRAME) -> tuple[FlowWindow, float]:
    """A window over which 30 frames a second went well, all heard; and the time."""
    window = FlowWindow(now_s)
    for number in range(frames):
        window.sent(number, size, now_s)
        window.acked(number, now_s + trip_s)
        now_s += 1 / 30
    return window, now_s


def filled(window: FlowWindow, now_s: float, first: int = 1000) -> int:
    """Send until the window is shut; the number of the last frame."""
    number = first
    while window.may_send(now_s):
        window.sent(number, FRAME, now_s)
        number += 1
    return number - 1


def test_before_anything_was_heard_two_frames_are_on_their_way() -> None:
    window = FlowWindow(0.0)
    assert filled(window, 0.0) == 1001
    assert window.in_flight == 2
    window.acked(1000, 0.05)
    assert window.may_send(0.05)


def test_an_acknowledgement_counts_for_everything_before_it() -> None:
    window, now_s = flowing()
    last = filled(window, now_s)
    assert window.in_flight > 2
    window.acked(last - 1, now_s + 0.01)
    assert window.in_flight == 1
    assert window.in_flight_bytes == FRAME


def test_an_acknowledgement_of_what_was_never_sent_or_is_long_heard_opens_nothing() -> None:
    window, now_s = flowing()
    filled(window, now_s)
    window.acked(5, now_s)
    assert not window.may_send(now_s)


def test_no_more_is_on_its_way_than_the_road_carries_in_three_tenths_of_a_second() -> None:
    window, now_s = flowing(frames=90)
    assert window.throughput_bytes_per_s == pytest.approx(30 * FRAME, rel=0.05)
    filled(window, now_s)
    assert window.in_flight == pytest.approx(0.3 * 30, abs=2)


def test_acknowledgements_are_few_and_come_before_the_window_shuts() -> None:
    window, _ = flowing(frames=90)
    assert 3 <= window.ack_every <= 7
    assert FlowWindow(0.0).ack_every == 1


@pytest.mark.parametrize(("fps", "least", "most"), [(5, 1, 1), (10, 1, 2), (60, 5, 15), (240, 15, MOST_ACK_EVERY)])
def test_acknowledgements_are_asked_for_by_the_rate(fps: int, least: int, most: int) -> None:
    window = FlowWindow(0.0)
    for number in range(fps * 2):
        window.sent(number, FRAME, number / fps)
        window.acked(number, number / fps + 0.003)
    assert least <= window.ack_every <= most


def test_a_road_that_was_not_tried_is_taken_for_a_far_one() -> None:
    assert FlowWindow(0.0).rate_bps == FAR_BPS


def test_a_road_that_had_room_is_given_more_and_not_far_beyond_what_is_sent() -> None:
    window, _ = flowing(frames=150, size=25_000)
    assert FAR_BPS < window.rate_bps < 1.5 * 8 * 30 * 25_000 * 1.3
    quiet, _ = flowing(frames=150, size=1000)
    assert quiet.rate_bps == FAR_BPS


def test_into_a_silence_goes_one_frame_in_half_a_second() -> None:
    window, now_s = flowing()
    number = filled(window, now_s)
    assert window.next_look_s(now_s) == pytest.approx(now_s + SILENCE_S)
    assert not window.may_send(now_s + SILENCE_S - 0.01)
    sent_s = []
    for tick in range(1000):
        at_s = now_s + tick * 0.01
        if window.may_send(at_s):
            number += 1
            window.sent(number, FRAME, at_s)
            sent_s.append(at_s)
    assert sent_s[0] == pytest.approx(now_s + SILENCE_S)
    assert min(after - before for before, after in pairwise(sent_s)) >= TIMED_GAP_S - 1e-9
    assert len(sent_s) == pytest.approx(2 * (10 - SILENCE_S), abs=2)


def test_into_a_silence_goes_no_more_than_a_quarter_of_what_the_road_carried() -> None:
    window, now_s = flowing()
    number, large = filled(window, now_s), 20 * FRAME
    sent_s = []
    for tick in range(3000):
        at_s = now_s + tick * 0.01
        if window.may_send(at_s):
            number += 1
            window.sent(number, large, at_s)
            sent_s.append(at_s)
    carried = 30 * FRAME
    assert large * (len(sent_s) - 1) / (sent_s[-1] - sent_s[0]) <= 1.1 * TIMED_SHARE * carried


def test_a_silence_that_nothing_explains_lowers_the_rate_to_what_goes_into_it() -> None:
    window, now_s = flowing(frames=150, size=25_000)
    before_bps = window.rate_bps
    number = filled(window, now_s)
    for step in range(6):
        at_s = now_s + SILENCE_S + step
        assert window.may_send(at_s)
        window.sent(number + 1 + step, FRAME, at_s)
    assert LEAST_BPS <= window.rate_bps < 0.5 * before_bps


def test_a_page_that_is_silent_for_a_minute_is_sent_nothing_until_it_is_heard() -> None:
    window, now_s = flowing()
    filled(window, now_s)
    at_s = now_s + PATIENCE_S + 1
    assert window.is_suspended(at_s)
    assert not window.may_send(at_s)
    assert math.isinf(window.next_look_s(at_s))
    window.heard(at_s + 5)
    assert not window.is_suspended(at_s + 5)
    assert window.may_send(at_s + 5)


def test_a_suspended_page_that_acknowledges_what_was_sent_flows_again() -> None:
    window, now_s = flowing()
    last = filled(window, now_s)
    window.acked(last, now_s + PATIENCE_S + 10)
    assert window.stats(now_s + PATIENCE_S + 10)["state"] == "flowing"
    assert window.may_send(now_s + PATIENCE_S + 10)


def test_while_nobody_can_be_heard_it_goes_on_slowly_without_end_and_the_road_keeps_its_name() -> None:
    window, now_s = flowing(frames=150, size=25_000)
    before_bps = window.rate_bps
    window.deafen(True, now_s)
    number = filled(window, now_s)
    assert window.may_send(now_s + DEAF_SILENCE_S)
    sent = 0
    for tick in range(40 * 30):
        at_s = now_s + DEAF_SILENCE_S + tick / 10
        if window.may_send(at_s):
            number += 1
            sent += 1
            window.sent(number, 25_000, at_s)
    end_s = now_s + DEAF_SILENCE_S + 120
    assert sent == pytest.approx(2 * 120, rel=0.1)
    window.deafen(False, end_s)
    window.acked(number, end_s + 0.01)
    assert window.rate_bps >= before_bps
    assert window.throughput_bytes_per_s == pytest.approx(30 * 25_000, rel=0.1)
    assert filled(window, end_s + 0.01, number + 1) - number >= 8


def test_after_a_deaf_kernel_the_page_has_its_minute_again() -> None:
    window, now_s = flowing()
    window.deafen(True, now_s)
    filled(window, now_s)
    end_s = now_s + 2 * PATIENCE_S
    assert not window.is_suspended(end_s)
    window.deafen(False, end_s)
    assert not window.is_suspended(end_s + PATIENCE_S - 1)
    assert window.is_suspended(end_s + PATIENCE_S + 1)


def test_a_page_that_begins_anew_owes_nothing_and_its_road_is_known() -> None:
    window, now_s = flowing(frames=150, size=25_000)
    before = window.rate_bps, window.window_bytes
    filled(window, now_s)
    window.restart(now_s)
    assert window.in_flight == 0
    assert window.may_send(now_s)
    assert (window.rate_bps, window.window_bytes) == before


def test_what_is_known_of_a_road_is_plain_values() -> None:
    window, now_s = flowing(frames=90)
    stats = window.stats(now_s)
    assert stats["state"] == "flowing"
    assert stats["delivered_fps"] == pytest.approx(30, abs=1)
    assert stats["round_trip_ms"] == pytest.approx(20)
    assert stats["in_flight"] == 0
    assert stats["throughput_bps"] == pytest.approx(8 * 30 * FRAME, rel=0.05)
