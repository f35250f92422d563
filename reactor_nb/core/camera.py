"""Camera: frames that come in, given to the model's on_frame."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.calls import CallQueue
from reactor_nb.core.invoke import finished
from reactor_nb.core.loaded import LoadedModel
from reactor_nb.core.model import VideoModel
from reactor_nb.errors import CommandFailedError, FrameShapeError, FrameTypeError, NotStreamingError, UsageError


class Camera:
    """What a session is shown. A slow model skips frames: the newest that waits is the one that it gets.

    Threads: `show` on any; on_frame runs on the command thread, when no call waits.
    """

    def __init__(self, loaded: LoadedModel, calls: CallQueue, is_over: Callable[[], bool]) -> None:
        self._loaded = loaded
        self._calls = calls
        self._is_over = is_over
        self.shown = 0
        self.failed = 0

    def show(self, frame: NDArray[np.uint8]) -> Future[Any]:
        """See Session.show."""
        if not takes_frames(self._loaded.cls):
            raise UsageError(
                f"{self._loaded.name} takes no frames. Add to the class:\n"
                "    def on_frame(self, frame):  # (H, W, 3) uint8 RGB\n"
                "        self.newest = frame"
            )
        own = checked_frame(frame).copy()
        return self._calls.show("on_frame", lambda: self._perform(own), self._applied)

    # What follows runs on the command thread.

    def _perform(self, frame: NDArray[np.uint8]) -> None:
        with self._loaded.one_command:
            if self._is_over():
                raise NotStreamingError(f"on_frame was not run: the session of {self._loaded.name} has ended.")
            finished(self._loaded.instance.on_frame(frame))

    def _applied(self, failure: CommandFailedError | None) -> None:
        self.shown += 1
        if failure is None:
            return
        self.failed += 1
        if self.failed == 1:
            # Once: a camera would fill the log thirty times a second.
            self._loaded.log.note(f"{failure}\n{failure.traceback_text.rstrip()}")


def takes_frames(cls: type[VideoModel]) -> bool:
    """Whether the class defines on_frame."""
    return cls.on_frame is not VideoModel.on_frame


def checked_frame(frame: Any) -> NDArray[np.uint8]:
    """The frame, if it is one.

    Raises:
        FrameShapeError, FrameTypeError: no (H, W, 3) uint8 array.
    """
    if not isinstance(frame, np.ndarray):
        raise FrameTypeError(
            f"an input frame is a {type(frame).__name__}; it needs an array (H, W, 3) of uint8: np.asarray(frame)"
        )
    if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
        raise FrameShapeError(
            f"an input frame has shape {frame.shape}; it needs (H, W, 3). Gray? np.repeat(frame[..., None], 3, axis=-1)"
        )
    if frame.dtype != np.uint8:
        raise FrameTypeError(
            f"an input frame has dtype {frame.dtype}; it needs uint8. From 0 to 1? (frame * 255).astype(np.uint8)"
        )
    return frame
