"""The road that pages share by comm: the slowest sets the pace, and one that has gone holds nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_nb.media.flow import LEAST_FRAMES, PATIENCE_S
from reactor_nb.media.rate import WIDE_BPS
from reactor_nb.transport.comm_road import LOST_S, PASSED_OVER_S, CommRoad

STEP_S = 1 / 30
SIZE_BYTES = 10_000


class Playing:
    """A road on which a packet goes out whenever it may, in steps of a frame."""

    def __init__(self, *view_ids: str) -> None:
        self.road = CommRoad()
        self.now_s = 100.0
        self.sequence = 0
        for view_id in view_ids:
            self.road.join(view_id, self.now_s)

    def play(self, duration_s: float, *, acking: tuple[str, ...]) -> int:
        """How many packets went out, while these pages acknowledged each at the next step."""
        sent = 0
        for _ in range(round(duration_s / STEP_S)):
            if self.road.may_send(self.now_s):
                self.sequence += 1
                self.road.sent(self.sequence, SIZE_BYTES, self.now_s)
                sent += 1
            self.now_s += STEP_S
            for view_id in acking:
                self.road.acked(view_id, self.sequence, self.now_s)
        return sent


def test_pages_that_acknowledge_are_sent_every_frame() -> None:
    playing = Playing("a", "b")
    assert playing.play(3.0, acking=("a", "b")) == 90


def test_nothing_may_be_sent_where_nobody_hears() -> None:
    assert not CommRoad().may_send(0.0)
    assert CommRoad().rate_bps() == WIDE_BPS


def test_a_page_that_stands_by_and_is_slow_holds_the_others() -> None:
    playing = Playing("a", "b")
    assert playing.play(0.5, acking=("a",)) == LEAST_FRAMES


def test_a_page_that_falls_silent_while_another_speaks_holds_it_no_longer_than_two_seconds() -> None:
    playing = Playing("a", "gone")
    playing.play(1.0, acking=("a", "gone"))
    held = playing.play(PASSED_OVER_S + 0.5, acking=("a",))
    assert held < 30
    assert playing.play(3.0, acking=("a",)) == 90
    assert playing.road.stats("gone", playing.now_s)["is_passed_over"]


def test_a_page_that_was_passed_over_counts_again_when_it_is_heard() -> None:
    playing = Playing("a", "b")
    playing.play(PASSED_OVER_S + 1.0, acking=("a",))
    assert playing.road.stats("b", playing.now_s)["is_passed_over"]
    playing.road.heard("b", playing.now_s)
    assert not playing.road.stats("b", playing.now_s)["is_passed_over"]
    assert playing.play(0.5, acking=("a",)) < 10


def test_a_page_that_was_passed_over_for_long_is_lost_until_it_is_heard() -> None:
    playing = Playing("a", "b")
    playing.play(PASSED_OVER_S + 1.0, acking=("a",))
    assert not playing.road.is_lost("b", playing.now_s)
    playing.now_s += LOST_S
    assert playing.road.is_lost("b", playing.now_s)
    playing.road.heard("b", playing.now_s)
    assert not playing.road.is_lost("b", playing.now_s)


def test_when_all_are_silent_none_is_passed_over_as_the_kernel_may_be_busy() -> None:
    playing = Playing("a", "b")
    playing.play(1.0, acking=("a", "b"))
    sent = playing.play(20.0, acking=())
    assert 5 <= sent <= 50, "slowly, by the time"
    assert not any(playing.road.stats(view_id, playing.now_s)["is_passed_over"] for view_id in "ab")


def test_when_all_are_silent_for_a_minute_all_are_lost() -> None:
    playing = Playing("a", "b")
    playing.play(1.0, acking=("a", "b"))
    playing.play(PATIENCE_S + 1.0, acking=())
    assert playing.road.is_lost("a", playing.now_s)
    assert not playing.road.may_send(playing.now_s)
    playing.road.heard("a", playing.now_s)
    assert not playing.road.is_lost("a", playing.now_s)


def test_a_deaf_kernel_loses_nobody() -> None:
    playing = Playing("a")
    playing.play(1.0, acking=("a",))
    playing.road.deafen(True, playing.now_s)
    playing.play(PATIENCE_S + 5.0, acking=())
    assert not playing.road.is_lost("a", playing.now_s)
    assert playing.play(10.0, acking=()) >= 3


def test_a_page_that_joins_while_the_kernel_is_deaf_is_not_lost_either() -> None:
    playing = Playing()
    playing.road.deafen(True, playing.now_s)
    playing.road.join("a", playing.now_s)
    playing.play(PATIENCE_S + 5.0, acking=())
    assert not playing.road.is_lost("a", playing.now_s)


def test_acks_of_two_codecs_are_told_apart() -> None:
    road = CommRoad()
    road.join("a", 0.0)
    first, second = 1 << 32, 2 << 32
    for count in range(1, 4):
        road.sent(second + count, SIZE_BYTES, 0.01)
        road.sent(first + count, SIZE_BYTES, 0.01)
    road.acked("a", second + 3, 0.02)
    assert road.stats("a", 0.02)["in_flight"] == 1, "what was sent before is heard as well, whatever its number"
    road.acked("a", first + 3, 0.03)
    assert road.stats("a", 0.03)["in_flight"] == 0


@pytest.mark.parametrize("sequence", [-1, 7, 10**9])
def test_an_ack_of_what_was_never_sent_acknowledges_nothing(sequence: int) -> None:
    road = CommRoad()
    road.join("a", 0.0)
    road.sent(1, SIZE_BYTES, 0.0)
    road.acked("a", sequence, 0.1)
    road.acked("nobody", 1, 0.1)
    assert road.stats("a", 0.1)["in_flight"] == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["join", "leave", "ack", "heard", "send", "deafen", "wait"]),
            st.sampled_from("abc"),
            st.integers(0, 50),
        ),
        max_size=60,
    )
)
def test_whatever_pages_say_the_next_look_is_ahead_or_none(steps: list[tuple[str, str, int]]) -> None:
    road = CommRoad()
    now_s, sequence = 0.0, 0
    for what, view_id, number in steps:
        if what == "join":
            road.join(view_id, now_s)
        elif what == "leave":
            road.leave(view_id)
        elif what == "ack":
            road.acked(view_id, number, now_s)
        elif what == "heard":
            road.heard(view_id, now_s)
        elif what == "send":
            sequence += 1
            road.sent(sequence, 1000 * number, now_s)
        elif what == "deafen":
            road.deafen(number % 2 == 0, now_s)
        else:
            now_s += number / 10
        may_send = road.may_send(now_s)
        assert road.next_look_s(now_s) > now_s
        assert 1 <= road.ack_every() <= 30
        assert road.rate_bps() > 0
        if may_send:
            assert any(not road.is_lost(each, now_s) for each in "abc" if each in road)
