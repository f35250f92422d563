"""A call that comes by two roads is run once, and answered on both."""

from __future__ import annotations

from typing import Any

from reactor_nb.runtime.call_record import MOST_BYTES, MOST_CALLS, CallRecord


class Road:
    """Keeps what was answered on it."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []

    def __call__(self, answer: dict[str, Any]) -> None:
        self.answers.append(answer)


def test_a_call_is_answered_once_on_the_road_by_which_it_came() -> None:
    record, road = CallRecord(), Road()
    answer = record.begin("a", road)
    assert answer is not None
    answer({"id": "a", "result": 1})
    assert road.answers == [{"id": "a", "result": 1}]


def test_a_call_that_is_sent_again_is_not_run_again_and_gets_the_answer_of_its_first_run() -> None:
    record, channel, comm = CallRecord(), Road(), Road()
    answer = record.begin("a", channel)
    assert answer is not None
    answer({"id": "a", "result": 1})
    assert record.begin("a", comm) is None
    assert comm.answers == [{"id": "a", "result": 1}]


def test_a_call_that_still_runs_is_answered_on_every_road_that_asked() -> None:
    record, channel, comm = CallRecord(), Road(), Road()
    answer = record.begin("a", channel)
    assert answer is not None
    assert record.begin("a", comm) is None
    assert comm.answers == []
    answer({"id": "a", "result": 1})
    assert channel.answers == comm.answers == [{"id": "a", "result": 1}]


def test_the_record_is_bounded_in_calls() -> None:
    record, road = CallRecord(), Road()
    for number in range(MOST_CALLS + 1):
        answer = record.begin(f"c{number}", road)
        assert answer is not None
        answer({"id": f"c{number}"})
    assert record.begin(f"c{MOST_CALLS}", road) is None
    assert record.begin("c1", road) is None
    assert record.begin("c0", road) is not None, "the oldest is forgotten"


def test_the_record_is_bounded_in_bytes() -> None:
    record, road = CallRecord(), Road()
    for number in range(5):
        answer = record.begin(f"c{number}", road)
        assert answer is not None
        answer({"id": f"c{number}", "result": "x" * (MOST_BYTES // 3)})
    assert record.begin("c4", road) is None
    assert record.begin("c0", road) is not None


def test_a_call_that_was_forgotten_while_it_ran_is_answered_all_the_same() -> None:
    record, road = CallRecord(), Road()
    answer = record.begin("slow", road)
    assert answer is not None
    for number in range(MOST_CALLS):
        record.begin(f"c{number}", Road())
    answer({"id": "slow"})
    assert road.answers == [{"id": "slow"}]
