"""A model and a clock that share one manual time: the real Pacer plans, the real FrameQueue plays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from reactor_nb.core.frame_queue import FrameQueue
from reactor_nb.core.frames import Block
from reactor_nb.core.pacing import DEFAULT_SMOOTHNESS, Pacer, Plan

RATE_FPS = 30.0
INTERVAL_S = 1 / RATE_FPS


@dataclass(frozen=True)
class Emitted:
    """One emission. `number` of its first frame; `came_s` when emit_block was called, `released_s` when it returned."""

    number: int
    frames: int
    came_s: float
    planned_s: float
    released_s: float
    plan: Plan


@dataclass(frozen=True)
class Shown:
    number: int
    emitted_s: float
    due_s: float
    shown_s: float

    @property
    def age_s(self) -> float:
        return self.shown_s - self.emitted_s


class Player:
    """Plays what a model emits.

    Args:
        lates_s: by how much the clock wakes up late, in turns.
    """

    def __init__(
        self,
        rate_fps: float = RATE_FPS,
        smoothness: float = DEFAULT_SMOOTHNESS,
        *,
        lates_s: Iterable[float] = (0.0,),
        keeps_late: bool = False,
    ) -> None:
        self.pacer = Pacer(rate_fps, smoothness)
        self.queue = FrameQueue(rate_fps, keeps_late=keeps_late, now=lambda: self.now_s)
        self.now_s = 100.0
        self.emitted: list[Emitted] = []
        self.shown: list[Shown] = []
        self._lates_s = cycle(lates_s)
        self._late_s = next(self._lates_s)
        self._numbers = 0

    def emit(self, frames: int, took_s: float, *, is_held: bool = True) -> Emitted:
        """The model works for `took_s`, emits `frames`, and waits until it is released, if it is one that waits."""
        self.play_until(self.now_s + took_s)
        came_s = self.now_s
        if is_held:
            self.play_until(max(came_s, self.pacer.room_s(frames)))
        planned_s = self.now_s
        plan = self.pacer.plan(frames, planned_s, came_s)
        self.queue.add(Block(np.zeros((frames, 1, 1, 3), np.uint8), came_s), self._numbers, plan)
        if is_held:
            self.play_until(max(planned_s, self.pacer.release_due_s()))
        self.pacer.release(self.now_s)
        emitted = Emitted(self._numbers, frames, came_s, planned_s, self.now_s, plan)
        self._numbers += frames
        self.emitted.append(emitted)
        return emitted

    def play_until(self, until_s: float) -> None:
        while (wakes_s := max(self.now_s, self.queue.due_s + self._late_s)) <= until_s:
            self.now_s = wakes_s
            self._late_s = next(self._lates_s)
            frame = self.queue.take(timeout_s=0.0)
            # None: the overdue ones were skipped, and the rate lets the newest come a little later.
            if frame is not None:
                self.shown.append(Shown(frame.number, frame.emitted_s, frame.due_s, frame.played_s))
        self.now_s = max(self.now_s, until_s)

    def finish(self) -> list[Shown]:
        """Everything that is still to be shown was shown."""
        while self.queue.waiting:
            self.play_until(max(self.now_s, self.queue.due_s + self._late_s))
        return self.shown
