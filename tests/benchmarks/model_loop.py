"""The model under measurement, the same for every peer: by its own schedule, and it never waits for a page.

Imports nothing that a peer's environment lacks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.patches import FlatPatches
from tests.benchmarks.picture import MovingPicture
from tests.benchmarks.record import FrameRecord

DISPLAY_HZ = 60
SWEEP_S = 20
"""The schedule is slower than its nominal rate by one frame of the display in this time: where in the display's
frame an emission falls decides over 17 ms of latency, so every peer is measured with every phase."""

Frame = NDArray[np.uint8]


class Picture(Protocol):
    def frame(self, number: int) -> Frame: ...


@dataclass
class Job:
    """What a model does. `burn_ms` may change while it runs."""

    width_px: int
    height_px: int
    record: str
    rate_fps: float = 30.0
    burn_ms: float = 0.0
    has_patches: bool = False

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Job:
        return cls(**json.loads(text))

    @property
    def period_s(self) -> float:
        return slow_period_s(self.rate_fps)

    def picture(self) -> Picture:
        return (FlatPatches if self.has_patches else MovingPicture)(self.width_px, self.height_px)


def slow_period_s(rate_fps: float) -> float:
    return 1 / rate_fps + (1 / DISPLAY_HZ) / (rate_fps * SWEEP_S)


class Player:
    """A job with its picture made: `play` starts at once. Threads: any one."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._picture = job.picture()
        self._record = FrameRecord(Path(job.record))

    def play(self, emit: Callable[[Frame], Any], should_stop: Callable[[], bool]) -> None:
        """Make and emit frames until told to stop. A frame that is late by more than half a period moves the
        schedule: two emissions are never closer than that."""
        job, record = self.job, self._record
        due_s = time.perf_counter()
        number = 0
        while not should_stop():
            cpu_s = time.thread_time()
            if job.burn_ms:
                _burn(job.burn_ms)
            frame = self._picture.frame(number)
            record.emit(number, time.time(), time.thread_time() - cpu_s)
            before_s = time.perf_counter()
            due_s = max(due_s + job.period_s, before_s + job.period_s / 2)
            emit(frame)
            now_s = time.perf_counter()
            record.held(number, (now_s - before_s) * 1000)
            number += 1
            time.sleep(max(0.0, due_s - now_s))


def _burn(duration_ms: float) -> None:
    """Pure Python, by the wall clock: what shares the interpreter with it waits for its turns."""
    until_s = time.perf_counter() + duration_ms / 1000
    while time.perf_counter() < until_s:
        pass
