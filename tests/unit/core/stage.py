"""A stage for one session: a real model thread, a real buffer, and a clock that shows frames to nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reactor_nb.core.buffer import BufferedFrame, FrameBuffer
from reactor_nb.core.config import ModelConfig, load_config
from reactor_nb.core.frames import DeviceLayout
from reactor_nb.core.loaded import LoadedModel
from reactor_nb.core.log import Log
from reactor_nb.core.model import VideoModel, spec_of
from reactor_nb.core.session import Session
from reactor_nb.errors import ModelStuckError


def config_of(cls: type[VideoModel], overrides: Mapping[str, Any] | None = None) -> ModelConfig:
    spec = spec_of(cls)
    assert spec is not None
    return load_config(spec, overrides=overrides or {}, folder=Path.cwd())


class Stage:
    """Plays sessions of one class, one after another."""

    def __init__(
        self, cls: type[VideoModel], *, rate_fps: float = 240.0, device_layout: DeviceLayout | None = None
    ) -> None:
        self.rate_fps = rate_fps
        self.device_layout = device_layout
        self.loaded = LoadedModel(cls, config_of(cls), Log())
        self.shown: list[BufferedFrame] = []
        self.sessions: list[Session] = []
        self.free: list[Callable[[], object]] = []
        """Called at the end, to let go of what a test holds back in the model."""
        self._sinks: list[FrameBuffer] = []
        self._clocks: list[threading.Thread] = []

    def session(self) -> Session:
        """A session that is not started yet."""
        sink = FrameBuffer(self.rate_fps, device_layout=self.device_layout)
        session = Session(self.loaded, sink, rate_fps=self.rate_fps)
        clock = threading.Thread(target=self._show, args=(sink,), name="reactor-clock-stage", daemon=True)
        self._sinks.append(sink)
        self._clocks.append(clock)
        self.sessions.append(session)
        clock.start()
        return session

    def play(self) -> Session:
        """A started session."""
        session = self.session()
        session.start()
        return session

    def close(self) -> None:
        for free in self.free:
            free()
        for session in self.sessions:
            try:
                session.stop(2.0)
            except ModelStuckError:
                continue
        self.loaded.unload(5.0)
        for sink in self._sinks:
            sink.close()
        for clock in self._clocks:
            clock.join(5.0)

    def _show(self, sink: FrameBuffer) -> None:
        while (frame := sink.take()) is not None:
            self.shown.append(frame)


@contextmanager
def staged(
    cls: type[VideoModel], *, rate_fps: float = 240.0, device_layout: DeviceLayout | None = None
) -> Iterator[Stage]:
    stage = Stage(cls, rate_fps=rate_fps, device_layout=device_layout)
    try:
        yield stage
    finally:
        stage.close()
