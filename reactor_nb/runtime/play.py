"""`reactor run` without a page and without a prompt: a model plays, and files are what comes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from reactor_nb.core.config import Overrides
from reactor_nb.core.model import VideoModel
from reactor_nb.core.session import Session
from reactor_nb.errors import ReactorError, UsageError
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.headless import IDLE_TIMEOUT_S, TICK_S, ModelRun, Patience, check_takes_frames, play_script
from reactor_nb.runtime.hosted import demand_spec
from reactor_nb.runtime.input_feed import InputFeed
from reactor_nb.runtime.pageless import PagelessLink
from reactor_nb.runtime.recording import check_out
from reactor_nb.runtime.script import Script
from reactor_nb.runtime.shown import HeadlessProgress, ShownFrames

PathLike: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True)
class HeadlessSummary:
    """What a run gave. `path`: the video or the folder, None where nothing was asked for or no frame came."""

    name: str
    frames: int
    played_s: float
    width_px: int
    height_px: int
    path: Path | None
    stats: dict[str, Any]

    @property
    def rate_fps(self) -> float:
        """Frames per second, from the first to the last."""
        return (self.frames - 1) / self.played_s if self.frames > 1 and self.played_s > 0 else 0.0


OnProgress: TypeAlias = Callable[[HeadlessProgress], None]
OnSession: TypeAlias = Callable[[Session], None]


def play_headless(
    cls: type[VideoModel],
    *,
    config: PathLike | None = None,
    overrides: Overrides = (),
    folder: PathLike | None = None,
    duration_s: float | None = None,
    frames: int | None = None,
    out: PathLike | None = None,
    input: PathLike | None = None,
    on_progress: OnProgress | None = None,
    on_session: OnSession = lambda session: None,
    timeout_s: float | None = IDLE_TIMEOUT_S,
) -> HeadlessSummary:
    """Play one session and wait for its end; the model is freed after it.

    It plays in real time, paced as in a notebook, and every frame that is due is written; while more than 256 MB wait
    to be written the model is held. With `input` and no `duration_s` there is no clock: each frame of the file is
    given to the model, after each frame that it makes, and nothing is skipped.

    Args:
        config, overrides, folder: as in `reactor_nb.run`.
        duration_s: seconds from the first frame on.
        frames: at most so many. Without either it plays until start_session returns, or the input ends, or Ctrl-C.
        out: a video file by its suffix (clip.mp4), else a folder for frame_000000.png and so on.
        input: a video file or a folder of pictures for on_frame.
        on_progress: called a few times a second on the calling thread.
        on_session: called with the session before it starts, to subscribe to its events.
        timeout_s: the most seconds without a frame, loading included.
    Raises:
        UsageError, MediaFileError: nothing was loaded, or the disk is full.
        ModelDefinitionError, ConfigError, ModelLoadError, ModelFailedError, ModelStuckError: as in `reactor_nb.run`;
            what was written before is finished and kept.
        KeyboardInterrupt: Ctrl-C; what was written is finished and kept.
    Threads: any but the model's own.
    """
    demand_spec(cls)
    _check_limits(duration_s, frames)
    if out is not None:
        check_out(out)
    if input is not None:
        check_takes_frames(cls)
    run = ModelRun(cls, config, overrides, folder)
    shown = ShownFrames(duration_s, frames, out)

    def tick(session: Session) -> None:
        if on_progress is not None:
            on_progress(shown.progress(session))

    try:
        if input is not None and duration_s is None:
            session = _play_through(run, shown, input, on_session, tick, timeout_s)
        else:
            session = _play_live(run, shown, input, on_session, tick, timeout_s)
        tick(session)
    except BaseException:
        # The file is finished whatever happened; what happened first is told.
        with suppress(ReactorError):
            shown.finish()
        raise
    path = shown.finish()
    width_px, height_px = shown.size_px
    return HeadlessSummary(session.name, shown.frames, shown.played_s, width_px, height_px, path, session.stats())


def _play_live(
    run: ModelRun,
    shown: ShownFrames,
    input: PathLike | None,
    on_session: OnSession,
    tick: OnSession,
    timeout_s: float | None,
) -> Session:
    """In real time."""
    link = PagelessLink(show=shown.show)

    def begin(name: str, session: Session) -> None:
        shown.begin(session.max_fps)
        on_session(session)

    runtime = Runtime(lambda: link)
    feed: InputFeed | None = None
    try:
        runtime.on_session(begin)
        session = run.start(runtime)
        if input is not None:
            feed = InputFeed(session, input)
        patience = Patience(session, timeout_s)
        while not (shown.is_enough.wait(TICK_S) or shown.is_time_over()):
            tick(session)
            if session.is_over and link.wait_played(session.name, 0.0):
                break
            patience.check()
        session.stop()
        if shown.error is not None:
            raise shown.error
        session.result()
    except BaseException:
        # What went wrong first is told; a model that does not stop either must not hide it.
        with suppress(ReactorError):
            runtime.close()
        raise
    finally:
        if feed is not None:
            feed.close()
    runtime.close()
    return session


def _play_through(
    run: ModelRun, shown: ShownFrames, input: PathLike, on_session: OnSession, tick: OnSession, timeout_s: float | None
) -> Session:
    """Without a clock, a frame of the input for each frame of the model."""
    from reactor_nb.media.input_file import open_frames

    source = open_frames(input)

    def begin(session: Session) -> None:
        shown.begin(source.rate_fps or session.max_fps)
        on_session(session)

    script = Script([], iter(source), shown.most_frames, shown.keep, ends_with_inputs=True)
    try:
        session, _ = play_script(script, run, timeout_s=timeout_s, on_session=begin, on_tick=tick)
    finally:
        source.close()
    if shown.error is not None:
        raise shown.error
    return session


def _check_limits(duration_s: float | None, frames: int | None) -> None:
    if duration_s is not None and not 0 < duration_s < float("inf"):
        raise UsageError(f"--for is {duration_s!r}; it needs seconds above 0: --for 3s")
    if frames is not None and (isinstance(frames, bool) or frames < 1):
        raise UsageError(f"--frames is {frames!r}; it needs a count of at least 1: --frames 90")
