"""A data channel on which a page says nothing, by a clock that the test moves."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from reactor_nb.transport.silence import SILENT_S, ChannelSilence


class ManualTimers:
    """The part of an event loop that keeps the time. `advance` to a moment calls what is due by then."""

    def __init__(self) -> None:
        self.now_s = 50.0
        self._due: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Timer:
        timer = Timer(lambda: callback(*args))
        heapq.heappush(self._due, (self.now_s + delay, next(self._numbers), timer))
        return timer

    def advance(self, duration_s: float) -> None:
        end_s = self.now_s + duration_s
        while self._due and self._due[0][0] <= end_s:
            due_s, _, timer = heapq.heappop(self._due)
            self.now_s = max(self.now_s, due_s)
            timer.call()
        self.now_s = end_s

    def stop_for(self, duration_s: float) -> None:
        """The whole process stands still; then what was due is called late."""
        self.now_s += duration_s
        self.advance(0.0)

    @property
    def pending(self) -> int:
        return sum(not timer.is_cancelled for _, _, timer in self._due)


class Timer:
    def __init__(self, call: Callable[[], object]) -> None:
        self.is_cancelled = False
        self._call = call

    def call(self) -> None:
        if not self.is_cancelled:
            self._call()

    def cancel(self) -> None:
        self.is_cancelled = True


def watched() -> tuple[ManualTimers, ChannelSilence, list[tuple[str, bool]]]:
    timers, told = ManualTimers(), list[tuple[str, bool]]()
    return timers, ChannelSilence(lambda view_id, is_silent: told.append((view_id, is_silent)), timers), told


def test_a_view_that_pings_is_not_silent() -> None:
    timers, silence, told = watched()
    for _ in range(20):
        silence.heard("v")
        timers.advance(0.4)
    assert told == []


def test_a_view_that_says_nothing_is_silent_after_1200_ms_and_once() -> None:
    timers, silence, told = watched()
    silence.heard("v")
    timers.advance(1.0)
    silence.heard("v")
    timers.advance(SILENT_S - 0.01)
    assert told == []
    timers.advance(0.02)
    assert told == [("v", True)]
    assert silence.is_silent("v")
    timers.advance(60.0)
    assert told == [("v", True)]


def test_a_view_that_speaks_again_is_told_of_and_watched_again() -> None:
    timers, silence, told = watched()
    silence.heard("v")
    timers.advance(2.0)
    silence.heard("v")
    assert told[1:] == [("v", False)]
    timers.advance(2.0)
    assert told[2:] == [("v", True)]


def test_after_a_pause_of_the_whole_process_what_waits_is_read_first() -> None:
    timers, silence, told = watched()
    silence.heard("v")
    timers.stop_for(30.0)
    assert told == []
    silence.heard("v")
    timers.advance(1.0)
    assert told == []


def test_a_view_that_is_gone_is_told_of_no_more() -> None:
    timers, silence, told = watched()
    silence.heard("v")
    silence.forget("v")
    timers.advance(5.0)
    assert told == []
    assert not silence.is_silent("v")


def test_closed_it_waits_for_nothing() -> None:
    timers, silence, _ = watched()
    silence.heard("v")
    silence.heard("w")
    silence.close()
    assert timers.pending == 0
