"""What really waits: a model is held by time alone, and never longer than its session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from reactor_nb.core.pace import Pace
from tests.support.eventually import eventually


def _thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, name="reactor-test", daemon=True)
    thread.start()
    return thread


def _until(until_s: float) -> None:
    eventually(lambda: time.monotonic() > until_s)


def _emit(pace: Pace, frames: int = 1) -> None:
    pace.plan(frames)
    pace.hold()


def test_a_fast_model_is_held_to_the_rate_without_anyone_who_shows_its_frames() -> None:
    pace = Pace(rate_fps=200.0)
    began_s = time.monotonic()
    for _ in range(60):
        _emit(pace)
    # Three frames may be on their way, and the first comes at once; a busy machine is only slower.
    assert time.monotonic() - began_s >= (60 - 4.25) / 200.0


def test_a_block_waits_for_the_one_before_the_last_to_be_over() -> None:
    pace = Pace(rate_fps=100.0)
    first = pace.plan(10)
    second = pace.plan(10)
    third = pace.plan(10)
    assert second.first_due_s >= first.due_s(9)
    assert third.first_due_s >= second.due_s(9)
    # The second one is being shown when the third is planned: no more than one block waits.
    assert time.monotonic() >= second.first_due_s - 0.02
    assert pace.waiting <= 20


def test_closing_ends_the_wait_for_room() -> None:
    pace = Pace(rate_fps=0.01)
    model = _thread(lambda: [pace.plan(1) for _ in range(50)])
    model.join(0.05)
    assert model.is_alive()
    pace.close()
    pace.close()
    model.join(2.0)
    assert not model.is_alive()
    assert pace.is_over


def _emit_for_long(pace: Pace) -> None:
    for _ in range(50):
        _emit(pace)


def test_the_hold_ends_with_the_session() -> None:
    pace = Pace(rate_fps=0.01)
    model = _thread(lambda: _emit_for_long(pace))
    model.join(0.05)
    assert model.is_alive()
    pace.finish()
    model.join(2.0)
    assert not model.is_alive()


def test_the_time_for_which_a_sink_waited_is_not_time_of_the_model() -> None:
    pace = Pace(rate_fps=1000.0)
    for _ in range(6):
        arrived_s = time.monotonic()
        # Each block comes at once and waits 20 ms elsewhere: the next one is still expected soon.
        _until(arrived_s + 0.02)
        plan = pace.plan(4, arrived_s)
        pace.hold()
    assert plan.interval_s < 0.004
