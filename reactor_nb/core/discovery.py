"""Which model a namespace holds, and which of several is meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, cast

from reactor_nb.core.model import VideoModel, proposed_name, spec_of
from reactor_nb.core.upstream import recognised
from reactor_nb.errors import ModelNotFoundError, SeveralModelsError

# IPython's own names for what cells returned (`_`, `_3`, `___`): a class shown once must not stay a candidate there.
_HISTORY = re.compile(r"_+|_\d+")


def models_in(namespace: Mapping[str, Any]) -> dict[str, type[VideoModel]]:
    """Model name -> class, for the distinct @model classes of a namespace, in the order of decoration.

    Of equal model names the last decorated wins.
    """
    found: dict[str, tuple[int, type[VideoModel]]] = {}
    for variable, named in list(namespace.items()):
        value = None if _HISTORY.fullmatch(variable) else recognised(named)
        spec = spec_of(value)
        if spec is None:
            continue
        if spec.name not in found or found[spec.name][0] < spec.order:
            found[spec.name] = (spec.order, cast("type[VideoModel]", value))  # spec_of knows no other classes
    return {name: cls for name, (_, cls) in sorted(found.items(), key=lambda item: item[1][0])}


def choose(namespace: Mapping[str, Any], name: str | None = None, *, verb: str = "run") -> type[VideoModel]:
    """The model that is meant: by its model name, by the name of its class or variable, or the only one.

    Args:
        verb: of the line that asks, and so of the line to type.
    Raises:
        ModelNotFoundError: there is none, or none of that name; says the nearest and the line to type.
        SeveralModelsError: no name was given and there is more than one.
    """
    models = models_in(namespace)
    if name is None:
        return _only(models, namespace, verb)
    if name in models:
        return models[name]
    value = recognised(namespace.get(name))
    if spec_of(value) is not None:
        return cast("type[VideoModel]", value)
    if value is not None:
        raise ModelNotFoundError(_no_model(name, value, models, verb))
    if not models:
        raise ModelNotFoundError(f"{name!r} is no model. {_none_found(namespace)}")
    near = difflib.get_close_matches(name, list(models), 1)
    question = f"Did you mean {near[0]}? " if near else ""
    raise ModelNotFoundError(
        f"No model of the name {name!r}; there is {_listed(models)}. {question}"
        f"Type: %reactor {verb} {near[0] if near else next(iter(models))}"
    )


def _only(models: Mapping[str, type[VideoModel]], namespace: Mapping[str, Any], verb: str) -> type[VideoModel]:
    if not models:
        raise ModelNotFoundError(_none_found(namespace))
    if len(models) > 1:
        raise SeveralModelsError(
            f"Multiple models found: {sorted(models)}. Name the one that is meant. "
            f"Type: %reactor {verb} {list(models)[-1]}"
        )
    return next(iter(models.values()))


def undecorated_in(namespace: Mapping[str, Any]) -> list[type[VideoModel]]:
    """The VideoModel subclasses of a namespace that have no @model of their own."""
    return [
        value
        for value in namespace.values()
        if isinstance(value, type)
        and issubclass(value, VideoModel)
        and value is not VideoModel
        and spec_of(value) is None
    ]


def _none_found(namespace: Mapping[str, Any]) -> str:
    undecorated = [cls.__name__ for cls in undecorated_in(namespace)]
    text = "No @model decorated class found."
    if undecorated:
        return f'{text} Type @model(name="{proposed_name(undecorated[-1])}") above class {undecorated[-1]}(VideoModel).'
    return f'{text} Type @model(name="my-model") above a class of VideoModel and run its cell first.'


def _no_model(name: str, value: object, models: Mapping[str, type[VideoModel]], verb: str) -> str:
    known = f" Models here: {_listed(models)}." if models else ""
    if isinstance(value, type) and issubclass(value, VideoModel):
        if value is VideoModel:
            return f"VideoModel is the base of every model and no model itself. Derive a class from it.{known}"
        return (
            f"{name} is a VideoModel without @model.{known} "
            f'Type @model(name="{proposed_name(value.__name__)}") above class {value.__name__}.'
        )
    if isinstance(value, VideoModel):
        spec = spec_of(type(value))
        meant = spec.name if spec is not None else type(value).__name__
        return f"{name} is an instance of {type(value).__name__}; a run needs the class. Type: %reactor {verb} {meant}"
    what = f"the class {value.__name__}" if isinstance(value, type) else f"a variable of type {type(value).__name__}"
    mend = f" Type: %reactor {verb} {next(iter(models))}" if models else ""
    return f"{name} is {what}, no model.{known}{mend}"


def _listed(models: Mapping[str, type[VideoModel]]) -> str:
    return ", ".join(models)
