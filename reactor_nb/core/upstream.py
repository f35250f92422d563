"""Classes of the original package, where it is installed: run as ours, through an adapter.

Known of the packages 1.0 to 1.4: `registry.MODEL_REGISTRY` holds what @model said, `model_api.command_registry` what
@command did, and `context_api` one Context for the process. Where one of them is missing a class is refused.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reactor_nb.core.alias import ORIGINAL
from reactor_nb.core.command import command
from reactor_nb.core.context import get_ctx
from reactor_nb.core.model import VideoModel, model
from reactor_nb.core.source import share_place
from reactor_nb.errors import ModelDefinitionError

_ADAPTED: Final = "__reactor_adapted__"
_OF_THE_BASE: Final = ("commands", "send", "weights")
_OPTIONAL: Final = ("start_session", "on_frame")


def recognised(value: object) -> object:
    """`value`, or in place of a decorated class of the original package the class of ours that runs it.

    Raises:
        ModelDefinitionError: a class of a version of the original that is not known; says what to write.
    """
    if ORIGINAL not in sys.modules or not isinstance(value, type):
        return value
    base = _base_of(value)
    return value if base is None or value is base else _adapted(value, base)


def take_back() -> None:
    """Leave the original package as it was before the first of its classes was adapted. Idempotent."""
    models: Any = sys.modules.get(f"{ORIGINAL}.model_api")
    context: Any = sys.modules.get(f"{ORIGINAL}.context_api")
    if _ADAPTED in getattr(models, "__dict__", {}):
        models.VideoModel.weights = vars(models).pop(_ADAPTED)
    if _ADAPTED in getattr(context, "__dict__", {}):
        context.ctx = vars(context).pop(_ADAPTED)


class _ContextOfThread:
    """The one Context that the original keeps for the process; it asks for the calling thread's."""

    def __getattr__(self, name: str) -> Any:
        return getattr(get_ctx(), name)


def _base_of(cls: type) -> type | None:
    base = getattr(sys.modules.get(f"{ORIGINAL}.model_api"), "VideoModel", None)
    return base if isinstance(base, type) and base is not VideoModel and issubclass(cls, base) else None


def _adapted(cls: type, base: type) -> object:
    registry, commands, context = _parts(cls)
    known: object = vars(cls).get(_ADAPTED)
    if known is not None:
        _reroute(base, context)
        return known
    said = next((entry for entry in registry.values() if entry.get("class") is cls), None)
    if said is None:
        return cls  # has no @model of its own: no candidate, and no error
    body: dict[str, Any] = {name: vars(VideoModel)[name] for name in _OF_THE_BASE}
    for name in _OPTIONAL:
        if getattr(cls, name) is getattr(base, name, None):
            body[name] = vars(VideoModel)[name]
    body.update(_commands(cls, base, commands))
    metaclass: Any = type(VideoModel)
    adapted = metaclass(cls.__name__, (cls, VideoModel), body)
    adapted.__module__, adapted.__qualname__, adapted.__doc__ = cls.__module__, cls.__qualname__, cls.__doc__
    share_place(adapted, cls)
    metadata = {key: value for key, value in said.items() if key not in ("class", "name", "config", "weights")}
    model(said["name"], said.get("config"), said.get("weights") or None, **metadata)(adapted)
    _reroute(base, context)
    setattr(cls, _ADAPTED, adapted)
    # The original refuses to decorate a name twice, which running a cell again does.
    for name in [name for name, entry in registry.items() if entry is said]:
        del registry[name]
    return adapted


def _commands(cls: type, base: type, commands: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, entry in commands.items():
        for owner in cls.__mro__[: cls.__mro__.index(base)]:
            for method_name, attribute in vars(owner).items():
                if _wraps(attribute, entry["handler"]):
                    # Looked up anew: a subclass may have overridden it.
                    method = inspect.getattr_static(cls, method_name)
                    yield method_name, command(name, entry.get("description") or "")(method)


def _wraps(attribute: Any, handler: object) -> bool:
    function = getattr(attribute, "__func__", attribute)
    return callable(function) and inspect.unwrap(function, stop=lambda layer: layer is handler) is handler


def _parts(cls: type) -> tuple[dict[str, Any], dict[str, Any], Any]:
    registry = getattr(sys.modules.get(f"{ORIGINAL}.registry"), "MODEL_REGISTRY", None)
    commands = getattr(sys.modules.get(f"{ORIGINAL}.model_api"), "command_registry", None)
    context = sys.modules.get(f"{ORIGINAL}.context_api")
    if isinstance(registry, dict) and isinstance(commands, dict) and hasattr(context, "ctx"):
        return registry, commands, context
    raise ModelDefinitionError(
        f"{cls.__name__} is a VideoModel of the installed {ORIGINAL} {_version()}; reactor_nb runs its own, and those "
        f"of {ORIGINAL} 1.0 to 1.4. Write: from reactor_nb import VideoModel, model, command, get_ctx"
    )


def _reroute(base: Any, context: Any) -> None:
    """Let the original's get_ctx() and VideoModel.weights() mean the session and the model of the calling thread."""
    models = vars(sys.modules[f"{ORIGINAL}.model_api"])
    if _ADAPTED not in vars(context):
        vars(context)[_ADAPTED] = context.ctx
        context.ctx = _ContextOfThread()
    if _ADAPTED not in models:
        models[_ADAPTED] = vars(base)["weights"]
        base.weights = staticmethod(VideoModel.weights)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow, and only for this sentence

    try:
        return version(ORIGINAL)
    except PackageNotFoundError:
        return "of an unknown version"
