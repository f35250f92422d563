"""A method's signature, read as the parameters of a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from reactor_nb.core.parameters import SENDABLE, Parameters, first_line
from reactor_nb.errors import ModelDefinitionError


class UnresolvedAnnotation(NameError):
    """An annotation names something that is not defined yet."""


def read_parameters(
    command: str, function: Callable[..., Any], *, is_bound: bool, names: Mapping[str, Any]
) -> Parameters:
    """Read the signature of a command's method.

    Args:
        is_bound: the first parameter is `self` or `cls`.
        names: what string annotations may refer to beside the function's globals.
    Raises:
        UnresolvedAnnotation: a string annotation names something that is not defined (yet).
        ModelDefinitionError: a signature that cannot be called by name, or a type that JSON cannot carry.
    """
    try:
        given = list(inspect.signature(function).parameters.values())
    except NameError as error:
        raise UnresolvedAnnotation(str(error), name=error.name) from error
    if is_bound:
        if not given or given[0].kind not in (given[0].POSITIONAL_ONLY, given[0].POSITIONAL_OR_KEYWORD):
            raise ModelDefinitionError(
                f"command {command}: {function.__qualname__} takes no `self`. "
                f"Write def {function.__name__}(self, ...), or put @staticmethod above."
            )
        given = given[1:]
    for param in given:
        if param.kind in (param.POSITIONAL_ONLY, param.VAR_POSITIONAL, param.VAR_KEYWORD):
            raise ModelDefinitionError(
                f"command {command}: {function.__qualname__} takes `{_shown(param)}`, and a command's parameters are "
                "sent by name. Name each one; if this is a decorator's wrapper, give it functools.wraps."
            )
    annotations = _resolve(command, function, {p.name: p.annotation for p in given}, names)
    return Parameters(command, annotations, {p.name: p.default for p in given if p.default is not p.empty})


def _shown(param: inspect.Parameter) -> str:
    if param.kind is param.POSITIONAL_ONLY:
        return f"{param.name}, /"
    return f"{'*' if param.kind is param.VAR_POSITIONAL else '**'}{param.name}"


def _resolve(
    command: str, function: Callable[..., Any], annotations: Mapping[str, Any], names: Mapping[str, Any]
) -> dict[str, Any]:
    inner = inspect.unwrap(function)

    def holder() -> None: ...

    # One at a time and without the return annotation, which may name what is only imported for a type checker.
    resolved: dict[str, Any] = {}
    for name, annotation in annotations.items():
        if annotation is inspect.Parameter.empty:
            resolved[name] = Any
            continue
        holder.__annotations__ = {name: annotation}
        try:
            hints = get_type_hints(holder, getattr(inner, "__globals__", {}), dict(names), include_extras=True)
        except NameError as error:
            raise UnresolvedAnnotation(
                f"command {command}: the annotation {annotation!r} of parameter {name} cannot be read: {error}. "
                f"Define or import {error.name or 'it'} above the class.",
                name=error.name,
            ) from error
        except (SyntaxError, TypeError, AttributeError) as error:
            raise ModelDefinitionError(
                f"command {command}: the annotation {annotation!r} of parameter {name} is no type: "
                f"{first_line(error)}. Annotate it with {SENDABLE}."
            ) from error
        resolved[name] = hints[name]
    return resolved
