"""The lines of `reactor check`: each part of a model tried in turn, to three frames of a dry session."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from reactor_nb.core.buffer import BufferCounts
from reactor_nb.core.camera import takes_frames
from reactor_nb.core.config import ModelConfig, Overrides, load_config, rate_of
from reactor_nb.core.export import schema_of
from reactor_nb.core.frames import Block
from reactor_nb.core.loaded import LoadedModel
from reactor_nb.core.log import Log
from reactor_nb.core.model import ModelSpec, VideoModel, spec_of
from reactor_nb.core.project import find_project
from reactor_nb.core.session import STOP_TIMEOUT_S, Session
from reactor_nb.core.source import file_of, folder_of
from reactor_nb.core.weights import list_weights
from reactor_nb.errors import ModelDefinitionError, ReactorError

FRAMES: Final = 3
LOAD_TIMEOUT_S: Final = 600.0
FRAMES_TIMEOUT_S: Final = 60.0


class CheckLine(NamedTuple):
    """What came of one part. `text` is for people; of a failure it names the mend."""

    name: str
    is_ok: bool
    text: str

    def __str__(self) -> str:
        first, *rest = self.text.splitlines() or [""]
        head = f"{'ok' if self.is_ok else 'FAILED':<6}  {self.name:<13}  {first}"
        return "\n".join([head, *(f"{'':<23}{line}" for line in rest)])


def check_project(
    project: str | os.PathLike[str] | type[VideoModel] = ".",
    *,
    config: str | os.PathLike[str] | None = None,
    overrides: Overrides = (),
    load_timeout_s: float = LOAD_TIMEOUT_S,
    frames_timeout_s: float = FRAMES_TIMEOUT_S,
) -> Iterator[CheckLine]:
    """Try imports, decorator, configuration, weights, schema, and three frames; each line as soon as it is known.

    The instance is loaded for this alone and freed at the end. A part that needs one that failed is not tried, and
    its line says so.

    Args:
        project: a folder, a .py or .ipynb file, or the class itself.
        config, overrides: as in `reactor run`.
        load_timeout_s, frames_timeout_s: how long `__init__`, and then three frames, may take.
    """
    began_s = time.monotonic()
    if isinstance(project, type):
        cls = project
        yield CheckLine("imports", True, f"{cls.__name__} of {file_of(cls) or 'this notebook'}")
    else:
        try:
            found = find_project(project)
        except ReactorError as error:
            yield CheckLine("imports", False, str(error))
            return
        cls = found.cls
        yield CheckLine("imports", True, f"{found.file.name}, in {time.monotonic() - began_s:.1f} s")
        for failure in found.failures:
            yield CheckLine("imports", False, str(failure))
    spec = spec_of(cls)
    if spec is None:
        yield CheckLine("decorator", False, f'no @model. Write @model(name="my-model") above class {cls.__name__}.')
        return
    yield CheckLine("decorator", True, f'@model(name="{spec.name}"), class {cls.__name__}')
    values, line = _configuration(spec, config, overrides, folder_of(cls))
    yield line
    weights = _weights(cls, spec)
    yield weights
    schema = _tried("schema", lambda: _schema(cls))
    yield schema
    if values is None or not (weights.is_ok and schema.is_ok):
        needed = "the configuration" if values is None else "the weights" if not weights.is_ok else "the schema"
        yield CheckLine("frames", False, f"not tried: {needed} failed, see above")
        return
    dry = values
    yield _tried("frames", lambda: _frames(cls, dry, load_timeout_s, frames_timeout_s))


def _tried(name: str, part: Callable[[], str]) -> CheckLine:
    try:
        return CheckLine(name, True, part())
    except ReactorError as error:
        traceback_text = getattr(error, "traceback_text", "").rstrip()
        return CheckLine(name, False, f"{error}\n{traceback_text}".rstrip())


def _configuration(
    spec: ModelSpec, config: str | os.PathLike[str] | None, overrides: Overrides, folder: Path
) -> tuple[ModelConfig | None, CheckLine]:
    name = "configuration"
    try:
        values = load_config(spec, file=config, overrides=overrides, folder=folder)
    except ReactorError as error:
        return None, CheckLine(name, False, str(error))
    keys = ", ".join(map(str, values.values)) or "empty"
    told = "".join(f"\n{warning}" for warning in values.warnings)
    return values, CheckLine(name, True, f"{values.file.name if values.file else 'no file'}: {keys}{told}")


def _weights(cls: type[VideoModel], spec: ModelSpec) -> CheckLine:
    if not spec.weights:
        return CheckLine("weights", True, "none declared")
    try:
        places = list_weights(cls)
    except ReactorError as error:
        return CheckLine("weights", False, str(error))
    lines, is_ok = [], True
    for name in spec.weights:
        usable = next((each for each in places if each.name == name and each.state in ("used", "url", "broken")), None)
        if usable is None:
            is_ok = False
            lines.append(f"{name} is nowhere. Put it there: reactor weights add {name} FOLDER")
        else:
            is_ok = is_ok and usable.state != "broken"
            lines.append(str(usable))
    return CheckLine("weights", is_ok, "\n".join(lines))


def _schema(cls: type[VideoModel]) -> str:
    for format in ("reactor", "openapi", "json-schema"):
        json.dumps(schema_of(cls, format), allow_nan=False)
    names = list(cls.commands()["commands"])
    return f"{len(names)} command{'' if len(names) == 1 else 's'}: {', '.join(names)}" if names else "no commands"


def _frames(cls: type[VideoModel], config: ModelConfig, load_timeout_s: float, frames_timeout_s: float) -> str:
    loaded = LoadedModel(cls, config, Log())
    session = Session(loaded, _Uncollected(), rate_fps=rate_of(config))
    try:
        session.start()
        if not session.wait_ready(load_timeout_s):
            session.result(0.0)
        began_s = time.monotonic()
        has_come = _wait_for_frames(session, frames_timeout_s)
        took_s = time.monotonic() - began_s
        stack = "" if session.is_over else loaded.stack()
        frames = int(session.stats()["produced"])
        session.stop()
        session.result(STOP_TIMEOUT_S)
    finally:
        loaded.unload(STOP_TIMEOUT_S)
    if not has_come:
        ended = "start_session returned" if not stack else f"within {frames_timeout_s:g} s; it was here:\n{stack}"
        raise ModelDefinitionError(f"{frames} of {FRAMES} frames came, {ended}".rstrip())
    stats = session.stats()
    size = f"{stats['width_px']}x{stats['height_px']}"
    return f"{FRAMES} frames of {size} in {took_s:.2f} s, loaded in {stats['loading_s']:.1f} s"


def _wait_for_frames(session: Session, timeout_s: float) -> bool:
    """A model that is shown a camera's frames is shown gray ones, for it may wait for each."""
    if not takes_frames(session.loaded.cls):
        return session.wait(timeout_s, FRAMES)
    gray = np.full((480, 640, 3), 128, np.uint8)
    deadline_s = time.monotonic() + timeout_s
    while not session.is_over and time.monotonic() < deadline_s:
        session.show(gray).exception(timeout_s)
        if session.wait(0.03, FRAMES):
            return True
    return session.wait(0.0, FRAMES)


class _Uncollected:
    """A FrameSink that counts, and plays every frame at once."""

    def __init__(self) -> None:
        self._frames = 0
        self._is_closed = False
        self.device_layout = None

    def reserve(self, shape: tuple[int, int, int, int]) -> None:
        """The caller allocates."""

    def put(self, block: Block) -> None:
        self._frames += len(block)

    def finish(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing waits here."""

    def counts(self) -> BufferCounts:
        return BufferCounts(self._frames, self._frames, 0)

    def drops(self) -> dict[str, int]:
        return {}
