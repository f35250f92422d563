"""So many a second, and no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reactor_nb.transport.allowance import Allowance


def test_as_many_as_a_second_allows_may_come_at_once_and_the_rest_waits_for_the_time() -> None:
    allowance = Allowance(10.0)
    assert [allowance.take(100.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [allowance.take(100.25) for _ in range(3)] == [True, True, False]


@given(st.lists(st.floats(0.0, 0.5), max_size=200))
def test_whenever_they_come_no_more_pass_than_the_time_allows(gaps_s: list[float]) -> None:
    allowance, now_s, taken = Allowance(5.0), 50.0, 0
    for gap_s in gaps_s:
        now_s += gap_s
        taken += allowance.take(now_s)
    assert taken <= 5 + 5.0 * (now_s - 50.0) + 1e-6
