"""ShownFrames: what a headless run has shown so far, where it is written, and when it is enough."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.buffer import BufferedFrame
from reactor_nb.core.session import Session
from reactor_nb.errors import ReactorError
from reactor_nb.runtime.recording import Recording


@dataclass(frozen=True)
class HeadlessProgress:
    """Where a run stands. `frames`: shown so far; `played_s`: since the first of them; `rate_fps`: of late."""

    name: str
    state: str
    frames: int
    played_s: float
    rate_fps: float


class ShownFrames:
    """Counts what is shown, passes it to the recording, and says when it is enough.

    Threads: frames come on the clock's or the model's thread; the rest is called on the playing one.
    """

    def __init__(self, duration_s: float | None, most_frames: int | None, out: str | os.PathLike[str] | None) -> None:
        self.frames = 0
        self.size_px = (0, 0)
        self.is_enough = threading.Event()
        self.error: ReactorError | None = None
        self._duration_s = duration_s
        self.most_frames = most_frames
        self._out = out
        self._recording: Recording | None = None
        self._first_s: float | None = None
        self._last_s = 0.0
        self._half_interval_s = 0.0

    @property
    def played_s(self) -> float:
        return self._last_s - self._first_s if self._first_s is not None else 0.0

    def begin(self, rate_fps: float) -> None:
        """A session is about to start.

        Raises:
            MediaFileError: `out` cannot be written.
        """
        self._half_interval_s = 0.5 / rate_fps
        if self._out is not None:
            self._recording = Recording(self._out, rate_fps)

    def show(self, frame: BufferedFrame) -> None:
        """A frame that is due now."""
        if self.is_enough.is_set():
            return
        if self._first_s is None:
            self._first_s = frame.played_s
        at_s = frame.played_s - self._first_s
        # A frame may come a quarter of an interval early; 3 s of 30 fps are 90 frames.
        if self._duration_s is not None and at_s >= self._duration_s - self._half_interval_s:
            self.is_enough.set()
            return
        self._last_s = frame.played_s
        self._add(frame.pixels, at_s)
        if self.most_frames is not None and self.frames >= self.most_frames:
            self.is_enough.set()

    def keep(self, pixels: NDArray[np.uint8]) -> None:
        """A frame of a run without a clock."""
        self._last_s = time.monotonic()
        if self._first_s is None:
            self._first_s = self._last_s
        self._add(pixels, None)

    def is_time_over(self) -> bool:
        """Also where no frame comes any more."""
        first_s = self._first_s
        return self._duration_s is not None and first_s is not None and time.monotonic() - first_s >= self._duration_s

    def progress(self, session: Session) -> HeadlessProgress:
        return HeadlessProgress(
            session.name, session.state, self.frames, self.played_s, float(session.stats()["rate_fps"])
        )

    def finish(self) -> Path | None:
        recording, self._recording = self._recording, None
        return recording.close() if recording is not None else None

    def _add(self, pixels: NDArray[np.uint8], at_s: float | None) -> None:
        recording = self._recording
        if recording is not None:
            try:
                recording.add(pixels, at_s)
            except ReactorError as error:
                self.error = error
                self.is_enough.set()
                return
        self.size_px = (pixels.shape[1], pixels.shape[0])
        self.frames += 1
