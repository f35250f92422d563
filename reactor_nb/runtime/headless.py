"""`reactor_nb.headless`: a model played without a page and without a clock, for tests and evaluation."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.camera import takes_frames
from reactor_nb.core.config import Overrides
from reactor_nb.core.context import Boundary
from reactor_nb.core.model import VideoModel
from reactor_nb.core.session import Session, SessionEvent
from reactor_nb.errors import ModelStuckError, NotStreamingError, ReactorError, UsageError
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.hosted import demand_spec
from reactor_nb.runtime.pageless import PagelessLink
from reactor_nb.runtime.script import Script, checked_calls

Call: TypeAlias = tuple[int, str] | tuple[int, str, Mapping[str, Any]]
Inputs: TypeAlias = str | os.PathLike[str] | Iterable[NDArray[np.uint8]]

IDLE_TIMEOUT_S = 600.0
TICK_S = 0.2


class HeadlessResult(NamedTuple):
    """What a run gave.

    `frames`: (H, W, 3) uint8 RGB each, exact; np.stack(frames) if they are of one size. `messages`: all that the
    model sent, JSON values. `stats`: as `session.stats()`, and `replies`, one for each call in the order in which
    they ran ({"frame", "name", "result"}), and `log`, what the session noted.
    """

    frames: list[NDArray[np.uint8]]
    messages: list[dict[str, Any]]
    stats: dict[str, Any]


@dataclass(frozen=True)
class ModelRun:
    """What is run: the arguments of `Runtime.run`."""

    cls: type[VideoModel]
    config: str | os.PathLike[str] | None
    overrides: Overrides
    folder: str | os.PathLike[str] | None

    def start(self, runtime: Runtime, boundary: Boundary | None = None) -> Session:
        return runtime.run(self.cls, self.config, self.overrides, folder=self.folder, boundary=boundary)


def headless(
    model: type[VideoModel],
    config: str | os.PathLike[str] | None = None,
    overrides: Overrides = (),
    calls: Iterable[Call] = (),
    frames: int | None = 120,
    inputs: Inputs | None = None,
    *,
    folder: str | os.PathLike[str] | None = None,
    timeout_s: float | None = IDLE_TIMEOUT_S,
) -> HeadlessResult:
    """Play a model to the end of `frames` and return them all: as fast as it makes them, the same each time.

    A call for frame n runs after the emission of frame n - 1 is complete and before that emit_block returns; inside a
    Block, at its end; n = 0 before start_session. Then the next input frame is given to on_frame: one before the
    first frame, one after each; a loop that asks should_stop() again and again without emitting gets the next.
    The instance is loaded for this run and freed after it; one of the same name that plays elsewhere is left alone.

    Args:
        model: decorated with @model.
        config, overrides, folder: as in `reactor_nb.run`.
        calls: (frame number, command, parameters), in any order; of equal frame numbers as given.
        frames: how many; the rest of the last Block is left out. Fewer come if start_session returns before. None:
            as many as there are inputs.
        inputs: a video file, a folder of pictures, or (H, W, 3) uint8 frames, for on_frame.
        timeout_s: the most seconds without a frame, loading included; None for no limit.
    Raises:
        UsageError, UnknownCommandError, ParameterError: bad calls; nothing was loaded.
        ModelDefinitionError, ConfigError, ModelLoadError, ModelFailedError: as in `reactor_nb.run`.
        CommandFailedError: a command or on_frame raised; with the author's traceback.
        NotStreamingError: start_session returned before the frame of a call.
        MediaFileError: the inputs cannot be read.
        ModelStuckError: no frame within `timeout_s`, or start_session does not return at the end.
    Threads: any but the model's own; returns when the session's threads have ended.
    Source: docs/headless.md.
    """
    demand_spec(model)
    _check_frames(frames, inputs)
    scripted = checked_calls(model, calls, frames)
    if inputs is not None:
        check_takes_frames(model)
    from_file = None
    if isinstance(inputs, (str, os.PathLike)):
        from reactor_nb.media.input_file import open_frames

        inputs = from_file = open_frames(inputs)
    kept: list[NDArray[np.uint8]] = []
    script = Script(
        scripted,
        iter(inputs) if inputs is not None else None,
        frames,
        kept.append,
        ends_with_inputs=frames is None,
    )
    try:
        session, messages = play_script(script, ModelRun(model, config, overrides, folder), timeout_s=timeout_s)
    finally:
        if from_file is not None:
            from_file.close()
    stats = {**session.stats(), "replies": script.replies, "log": session.log.text()}
    return HeadlessResult(kept, messages, stats)


def play_script(
    script: Script,
    run: ModelRun,
    *,
    timeout_s: float | None = IDLE_TIMEOUT_S,
    on_session: Callable[[Session], None] = lambda session: None,
    on_tick: Callable[[Session], None] | None = None,
) -> tuple[Session, list[dict[str, Any]]]:
    """Run one session to the end of its script, and free the model; the session and what it sent.

    Args:
        on_session: called with the session before it starts.
        on_tick: called a few times a second while it plays, on the calling thread.
    Raises:
        ReactorError: as `headless`.
    """
    messages: list[dict[str, Any]] = []
    over = threading.Event()

    def listen(event: SessionEvent) -> None:
        if event.kind == "message":
            messages.append(event.data["data"])
        elif event.kind == "state" and event.data["state"] in ("ended", "failed"):
            over.set()

    def begin(name: str, session: Session) -> None:
        script.session = session
        session.subscribe(listen)
        on_session(session)

    runtime = Runtime(lambda: PagelessLink(sink=script.sink))
    try:
        runtime.on_session(begin)
        session = run.start(runtime, boundary=script)
        patience = Patience(session, timeout_s)
        while not over.wait(timeout_s if on_tick is None else TICK_S):
            patience.check()
            if on_tick is not None:
                on_tick(session)
        if script.error is not None:
            raise script.error
        session.result()
        _demand_all_calls(script, session)
    except BaseException:
        # What went wrong first is told; a model that does not stop either must not hide it.
        with suppress(ReactorError):
            runtime.close()
        raise
    runtime.close()
    return session, messages


class Patience:
    """How long a session may go without a frame, loading included."""

    def __init__(self, session: Session, timeout_s: float | None) -> None:
        self._session = session
        self._timeout_s = timeout_s
        self._frames = 0
        self._since_s = time.monotonic()

    def check(self) -> None:
        """To be called now and then.

        Raises:
            ModelStuckError: the time is up; with the model's stack.
        """
        frames, now_s = self._session.stats()["produced"], time.monotonic()
        if frames != self._frames:
            self._frames, self._since_s = frames, now_s
            return
        if self._timeout_s is None or now_s - self._since_s < self._timeout_s:
            return
        is_loading = self._session.state == "loading"
        what = "has not loaded" if is_loading else f"has emitted no frame after its first {frames}"
        raise ModelStuckError(
            f"{self._session.name} {what} for {self._timeout_s:g} s. If it needs longer: headless(..., timeout_s=None)",
            self._session.loaded.stack(),
        )


def _demand_all_calls(script: Script, session: Session) -> None:
    if script.left:
        call = script.left[0]
        raise NotStreamingError(
            f"{call.name} was not run: start_session of {session.name} returned after {script.sink.counts().played} "
            f"frames, before frame {call.frame}. Call it earlier, or let the loop go on until get_ctx().should_stop()."
        )


def _check_frames(frames: int | None, inputs: Inputs | None) -> None:
    if frames is None and inputs is None:
        raise UsageError("frames=None plays as many frames as there are inputs, and none are given. Type: frames=120")
    is_count = isinstance(frames, (int, np.integer)) and not isinstance(frames, bool) and frames >= 0
    if frames is not None and not is_count:
        raise UsageError(f"frames is {frames!r}; it needs a count of frames: frames=120")


def check_takes_frames(model: type[VideoModel]) -> None:
    """Refuse input for a model that would not look at it.

    Raises:
        UsageError: the class has no on_frame.
    """
    if not takes_frames(model):
        raise UsageError(
            f"input is given, and {model.__name__} takes no frames. Add to the class:\n"
            "    def on_frame(self, frame):  # (H, W, 3) uint8 RGB\n"
            "        self.newest = frame"
        )
