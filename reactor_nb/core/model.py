"""@model says what a class is; VideoModel is what it derives from."""

from __future__ import annotations

import ast
import itertools
import os
import re
import threading
from abc import ABCMeta
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import Error as CopyError
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from reactor_nb.core.command import BUILT_IN, commands_of, find_command, invoke
from reactor_nb.core.source import class_text, folder_of, frame_of_class, note_place
from reactor_nb.errors import ModelDefinitionError, WeightsError

Model = TypeVar("Model", bound="type[VideoModel]")

_SPEC = "__reactor_model__"
_decorations = itertools.count()
_loading: dict[int, list[type[VideoModel]]] = {}  # thread -> the classes whose instances are being made on it
_loading_lock = threading.Lock()


@dataclass(frozen=True)
class ModelSpec:
    """What @model says of a class. `config` is a path as the author wrote it; `weights` are folder names.

    `order` counts decorations in this process: of equal names the last decorated wins.
    """

    name: str
    config: str | None = None
    weights: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    order: int = field(default=-1, compare=False, repr=False)


def model(
    name: str,
    config: str | os.PathLike[str] | None = None,
    weights: Sequence[str] | None = None,
    **metadata: Any,
) -> Callable[[Model], Model]:
    """Say what a VideoModel subclass is: its name, its configuration file, its weights. No runtime values.

    Registers nothing: decorating the same name again, as re-running a cell does, just makes another class.

    Args:
        name: lowercase letters, digits and hyphens.
        config: a YAML file, relative to the model's folder, whose values `__init__` receives.
        weights: names of weight folders, for `VideoModel.weights(name)`.
        metadata: kept for tools, in ModelSpec.metadata; any keys. Copied where a copy can be made.
    Raises:
        ModelDefinitionError: a bad argument, a class that is no VideoModel, or one without start_session.
    Source: seed 000, "Required Fields" and "Optional Fields".
    """
    spec = ModelSpec(
        name=_checked_name(name),
        config=_checked_config(config),
        weights=_checked_weights(weights),
        metadata=MappingProxyType({key: _copied(value) for key, value in metadata.items()}),
    )

    def decorate(cls: Model) -> Model:
        _demand_video_model(cls, spec.name)
        if not _is_sketch(cls):
            _demand_start_session(cls)
        commands_of(cls)
        setattr(cls, _SPEC, ModelSpec(spec.name, spec.config, spec.weights, spec.metadata, next(_decorations)))
        return cls

    return decorate


def spec_of(cls: object) -> ModelSpec | None:
    """What @model said of this very class; a base class's decoration does not count."""
    spec = vars(cls).get(_SPEC) if isinstance(cls, type) else None
    return spec if isinstance(spec, ModelSpec) else None


@contextmanager
def loading(cls: type[VideoModel]) -> Iterator[None]:
    """While this is open, `VideoModel.weights(name)` on this thread means the weights of `cls`."""
    ident = threading.get_ident()
    with _loading_lock:
        _loading.setdefault(ident, []).append(cls)
    try:
        yield
    finally:
        with _loading_lock:
            _loading[ident].pop()
            if not _loading[ident]:
                del _loading[ident]


class _VideoModelType(ABCMeta):
    """An ABCMeta, so that a model may be an abc.ABC as well."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        # A class made directly in a cell or a test knows its weights as one made by the loader does.
        _demand_start_session(cls)
        with loading(cls):  # type: ignore[arg-type]
            return super().__call__(*args, **kwargs)


class VideoModel(metaclass=_VideoModelType):
    """Base of every model: `__init__(config)` loads once, `start_session` makes frames until it is told to stop.

    Subclasses need not call `super().__init__`; nothing is kept here.

    Threads: `__init__` and `start_session` run on the model's thread, commands on another, one at a time.
    Source: seeds 000 and 001.
    """

    def __init__(self, config: Any = None) -> None:
        """Accepts the configuration, an omegaconf DictConfig, and ignores it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        frame = frame_of_class(cls)
        note_place(cls, frame)
        # Now, for the names that its annotations use may be local to the function that makes the class.
        commands_of(cls, frame.f_locals if frame is not None else None)

    def start_session(self) -> None:
        """Emit frames until `get_ctx().should_stop()`. Every model has its own."""
        _demand_start_session(type(self))

    def on_frame(self, frame: Any) -> Any:  # an `async def` may take its place
        """Take a frame of the viewer's camera or of `--input`: (H, W, 3) uint8 RGB, rows top to bottom. Optional.

        Does nothing here. The array belongs to the model.
        """

    @classmethod
    def commands(cls) -> dict[str, Any]:
        """Every command's description and schema: {"commands": {name: {"description", "schema"}}}, as JSON values."""
        return {"commands": {name: spec.schema() for name, spec in commands_of(cls).items()}}

    @classmethod
    def weights(cls, name: str) -> Path:
        """The folder of the weights that @model(weights=[...]) names. Absolute, and it exists.

        Called as `VideoModel.weights(name)` it means the model that is being loaded or played on this thread.

        Raises:
            WeightsError: not declared, no valid name, not found, not to be fetched, or no model is at work.
        Source: seed 000, "weights" and "Complete Example".
        """
        owner = _owner_of_weights(cls, name)
        spec = spec_of(owner)
        if spec is None:
            raise WeightsError(
                f'{cls.__name__}.weights("{name}"): {owner.__name__} has no @model that names its weights. '
                f'Write @model(name="{proposed_name(owner.__name__)}", weights=["{name}"]) above it.'
            )
        from reactor_nb.core.weights import find_weights  # when used: most models name no weights

        return find_weights(spec, name, folder_of(owner))

    def send(self, name: str, args: Mapping[str, Any] | None = None) -> Any:
        """Validate `args`, run the command on this thread, and return what the method returns.

        Raises:
            UnknownCommandError, ParameterError: nothing was run.
        """
        if name == BUILT_IN:
            return self.commands()
        spec = find_command(commands_of(type(self)), name)
        return invoke(self, spec, spec.validate({} if args is None else args))


def _copied(value: Any) -> Any:
    try:
        return deepcopy(value)
    except (TypeError, CopyError):
        return value  # a module, a lock: nothing that a caller would change by accident


def proposed_name(text: object) -> str:
    """A valid model name that is close to `text`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", str(text)).lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "my-model"


def _checked_name(name: object) -> str:
    if isinstance(name, type):
        raise ModelDefinitionError(
            f'@model needs a name. Write @model(name="{proposed_name(name.__name__)}") above class {name.__name__}.'
        )
    if not isinstance(name, str):
        raise ModelDefinitionError(
            f'@model got {type(name).__name__} {name!r} for its name; it needs a string: @model(name="my-model")'
        )
    wrong = re.search(r"[^a-z0-9-]", name)
    mend = f'Write @model(name="{proposed_name(name)}")'
    if wrong:
        raise ModelDefinitionError(
            f"@model(name={name!r}): {wrong.group()!r} at position {wrong.start() + 1} is not allowed; a model's name "
            f"has lowercase letters, digits and hyphens. {mend}"
        )
    if not name or name.startswith("-") or name.endswith("-"):
        raise ModelDefinitionError(
            f"@model(name={name!r}): a model's name starts and ends with a lowercase letter or a digit. {mend}"
        )
    return name


def _checked_config(config: object) -> str | None:
    if config is None:
        return None
    if isinstance(config, (str, os.PathLike)) and os.fspath(config):
        return os.fsdecode(config)
    raise ModelDefinitionError(
        f"@model got {type(config).__name__} {config!r} for its config; it needs the path of a YAML file: "
        '@model(name="...", config="configs/default.yaml")'
    )


def _checked_weights(weights: object) -> tuple[str, ...]:
    if weights is None:
        return ()
    if isinstance(weights, str) or not isinstance(weights, (list, tuple)):
        raise ModelDefinitionError(
            f"@model got {type(weights).__name__} {weights!r} for its weights; it needs a list of folder names: "
            f"weights=[{str(weights)!r}]"
        )
    if weights:
        from reactor_nb.core.weights import FOLDER_NAME  # when used: most models name no weights
    for name in weights:
        if not isinstance(name, str) or not FOLDER_NAME.fullmatch(name):
            raise ModelDefinitionError(
                f"@model(weights=...): {name!r} is no folder name; it has letters, digits, underscores and hyphens. "
                f'Write weights=["{re.sub(r"[^A-Za-z0-9_-]+", "-", str(name)).strip("-") or "my-weights"}"]'
            )
    return tuple(weights)


def _demand_video_model(cls: object, name: str) -> None:
    if isinstance(cls, type) and issubclass(cls, VideoModel):
        return
    is_class = isinstance(cls, type)
    label = getattr(cls, "__name__", "")
    raise ModelDefinitionError(
        f'@model(name="{name}") was put on {"the class" if is_class else f"a {type(cls).__name__}"} {label}; '
        f"it needs a subclass of VideoModel. Write: class {label if is_class else 'MyModel'}(VideoModel):"
    )


def _demand_start_session(cls: type) -> None:
    if cls is VideoModel or getattr(cls, "start_session", None) is VideoModel.start_session:
        raise ModelDefinitionError(
            f"{cls.__name__} has no start_session, the loop that makes its frames. Add to the class:\n"
            "    def start_session(self):\n"
            "        while not get_ctx().should_stop():\n"
            "            get_ctx().emit_block(self.generate())"
        )


def _is_sketch(cls: type) -> bool:
    """Whether the whole body is `...`, as in the seeds: a class to be written. It can be named, and not run."""
    if any(name == "__init__" or not name.startswith(("__", "_abc_")) for name in vars(cls)):
        return False
    text = class_text(cls)
    if text is None:
        return True
    statement = ast.parse(text).body[0]
    return isinstance(statement, ast.ClassDef) and all(
        isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and line.value.value is ...
        for line in statement.body
    )


def _owner_of_weights(cls: type[VideoModel], name: str) -> type[VideoModel]:
    with _loading_lock:
        here = _loading.get(threading.get_ident(), [])
        everywhere = list(dict.fromkeys(classes[-1] for classes in _loading.values()))
    # A thread that the author starts, to load parts, is not the model's; it can only mean the one that is at work.
    current = here[-1] if here else everywhere[0] if len(everywhere) == 1 else None
    if current is not None and issubclass(current, cls):
        return current
    for owner in cls.__mro__:
        if spec_of(owner) is not None:
            return owner
    if cls is VideoModel:
        several = " and ".join(sorted(owner.__name__ for owner in everywhere))
        where = f"on a thread that is none of {several}'s" if several else "while no model is being loaded or played"
        raise WeightsError(
            f'VideoModel.weights("{name}") was called {where}, so it cannot tell whose weights are meant. Call it in '
            f'__init__, or on the class: {everywhere[0].__name__ if everywhere else "MyModel"}.weights("{name}")'
        )
    return cls
