"""`reactor_nb.headless`: a model played without a page and without a clock, for tests and evaluation."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.camera import takes_frames
from reactor_nb.core.config import Overrides
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


class HeadlessResult(NamedTuple):
    """What a run gave.

    `frames`: (H, W, 3) uint8 RGB each, exact; np.stack(frames) if they are of one size. `messages`: all that the
    model sent, JSON values. `stats`: as `session.stats()`, and `replies`, one for each call in the order in which
    they ran ({"frame", "name", "result"}), and `log`, what the session noted.
    """

    frames: list[NDArray[np.uint8]]
    messages: list[dict[str, Any]]
    stats: dict[str, Any]


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
    source = _opened(model, inputs)
    script = Script(scripted, source, frames)
    runtime = Runtime(lambda: PagelessLink(sink=script.sink))
    try:
        result = _play(runtime, script, model, config, overrides, folder, timeout_s)
    except BaseException:
        # What went wrong first is told; a model that does not stop either must not hide it.
        with suppress(ReactorError):
            runtime.close()
        raise
    finally:
        if source is not inputs and isinstance(source, Generator):
            source.close()  # the file that was opened here
    runtime.close()
    return result


def _play(
    runtime: Runtime,
    script: Script,
    model: type[VideoModel],
    config: str | os.PathLike[str] | None,
    overrides: Overrides,
    folder: str | os.PathLike[str] | None,
    timeout_s: float | None,
) -> HeadlessResult:
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

    runtime.on_session(begin)
    session = runtime.run(model, config, overrides, folder=folder, boundary=script)
    produced = 0
    while not over.wait(timeout_s):
        before, produced = produced, script.sink.counts().produced
        if produced == before:
            raise _idle(session, produced, timeout_s or 0.0)
    if script.error is not None:
        raise script.error
    session.result()
    if script.left:
        call = script.left[0]
        raise NotStreamingError(
            f"{call.name} was not run: start_session of {session.name} returned after {len(script.sink.frames)} frames, "
            f"before frame {call.frame}. Call it earlier, or let the loop go on until get_ctx().should_stop()."
        )
    stats = {**session.stats(), "replies": script.replies, "log": session.log.text()}
    return HeadlessResult(script.sink.frames, messages, stats)


def _idle(session: Session, produced: int, timeout_s: float) -> ModelStuckError:
    what = "has not loaded" if session.state == "loading" else f"has emitted no frame, after {produced},"
    return ModelStuckError(
        f"{session.name} {what} within {timeout_s:g} s. If it needs longer: headless(..., timeout_s=None)",
        session.loaded.stack(),
    )


def _check_frames(frames: int | None, inputs: Inputs | None) -> None:
    if frames is None and inputs is None:
        raise UsageError("frames=None plays as many frames as there are inputs, and none are given. Type: frames=120")
    is_count = isinstance(frames, (int, np.integer)) and not isinstance(frames, bool) and frames >= 0
    if frames is not None and not is_count:
        raise UsageError(f"frames is {frames!r}; it needs a count of frames: frames=120")


def _opened(model: type[VideoModel], inputs: Inputs | None) -> Iterator[NDArray[np.uint8]] | None:
    if inputs is None:
        return None
    if not takes_frames(model):
        raise UsageError(
            f"inputs are given, and {model.__name__} takes no frames. Add to the class:\n"
            "    def on_frame(self, frame):  # (H, W, 3) uint8 RGB\n"
            "        self.newest = frame"
        )
    if isinstance(inputs, (str, os.PathLike)):
        from reactor_nb.media.video_file import open_frames

        return iter(open_frames(Path(inputs)))
    return iter(inputs)
