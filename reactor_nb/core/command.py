"""@command: a method of a model as a named input with a schema."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from pydantic.fields import FieldInfo

from reactor_nb.core.direct_call import with_plain_defaults
from reactor_nb.core.invoke import invoke
from reactor_nb.core.parameters import Parameters, ParamSpec
from reactor_nb.core.results import to_json
from reactor_nb.core.signature import UnresolvedAnnotation, read_parameters
from reactor_nb.errors import ModelDefinitionError, UnknownCommandError

__all__ = [
    "BUILT_IN",
    "CommandCall",
    "CommandSpec",
    "ParamSpec",
    "command",
    "commands_of",
    "find_command",
    "invoke",
    "to_json",
]

Method = TypeVar("Method")

_MARK = "__reactor_command__"
BUILT_IN = "requestCapabilities"
_OF_VIDEO_MODEL = frozenset({"__init__", "commands", "on_frame", "send", "start_session", "weights"})


@dataclass(frozen=True)
class CommandSpec:
    """A named input of a model class. Belongs to its class: nothing is registered anywhere."""

    name: str
    description: str
    params: tuple[ParamSpec, ...]
    method_name: str
    _parameters: Parameters = field(repr=False, compare=False)

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter's value, as the method receives it.

        Raises:
            ParameterError: missing, extra or refused parameters, all in one; pydantic's error is its cause.
        """
        return self._parameters.validate(params)

    def schema(self) -> dict[str, Any]:
        """What `VideoModel.commands()` tells of this command. Plain JSON values, a fresh dict."""
        return {"description": self.description, "schema": {spec.name: dict(spec.schema) for spec in self.params}}

    def signature(self) -> str:
        """`set_speed speed=<float 0..1>`, what may be left out in brackets."""
        return self._parameters.signature()


@dataclass(frozen=True)
class CommandCall:
    """One use of a command, as it was received. `source`: "python", "page" or "magic"."""

    id: str
    name: str
    params: dict[str, Any]
    source: str
    received_s: float


@dataclass
class _Mark:
    """What @command leaves on the function; copied with its `__dict__` by functools.wraps."""

    name: str
    description: str
    function: Callable[..., Any]
    read: dict[bool, Parameters] = field(default_factory=dict)

    def annotated_defaults(self) -> Mapping[str, FieldInfo]:
        return next((parameters.annotated_defaults for parameters in self.read.values()), {})

    def parameters(self, *, is_bound: bool, names: Mapping[str, Any]) -> Parameters:
        if is_bound not in self.read:
            self.read[is_bound] = read_parameters(self.name, self.function, is_bound=is_bound, names=names)
        return self.read[is_bound]


def command(name: str, description: str = "") -> Callable[[Method], Method]:
    """Make a method a command that a page, a magic or Python can call while the model plays.

    The method's annotations become the schema by which a call is validated. Calling the method from Python
    stays a plain call: a default written as Field(0.5, ...) is 0.5, and Field(...) means required. Goes above or
    below @staticmethod and @classmethod. An `async def` is run to its end.

    Args:
        name: what callers use, one word; one method per name in a class. A subclass that overrides the method keeps the
            command; decorating the override replaces it.
        description: for people.
    Raises:
        ModelDefinitionError: what is decorated is no method, or the name is none.
    Source: seed 001, "The @command Decorator".
    """
    if not isinstance(name, str) or not name.strip():
        raise ModelDefinitionError(
            f'@command got {_what(name)} for its name; it needs a string. Write @command("{_suggested(name)}")'
        )
    wrong = next((letter for letter in name if letter in "='\"" or letter.isspace() or not letter.isprintable()), None)
    if wrong is not None:
        raise ModelDefinitionError(
            f"@command({name!r}): {wrong!r} at position {name.index(wrong) + 1} is not allowed; a command's name is "
            f'typed as one word. Write @command("{_one_word(name)}")'
        )
    if name == BUILT_IN:
        raise ModelDefinitionError(
            f"@command got the name {BUILT_IN!r}, which every model answers by itself. "
            'Rename it: @command("capabilities")'
        )
    if not isinstance(description, str):
        raise ModelDefinitionError(
            f'@command("{name}") got {_what(description)} for its description; it needs a string. '
            f'Write @command("{name}", description="...")'
        )

    def decorate(method: Method) -> Method:
        if isinstance(method, (staticmethod, classmethod)):
            return cast("Method", type(method)(_marked(name, description, method.__func__)))
        return cast("Method", _marked(name, description, method))

    return decorate


def commands_of(cls: type, names: Mapping[str, Any] | None = None) -> dict[str, CommandSpec]:
    """Command name -> spec for a class, inherited ones first, each class in its order of definition.

    Args:
        names: what string annotations may refer to, beside the module and the class.
    Raises:
        ModelDefinitionError: two methods of one class under one name, an override that cannot take the
            command's parameters, or parameters that cannot be read.
    """
    found: dict[str, CommandSpec] = {}
    for owner in reversed(cls.__mro__):
        own: dict[str, str] = {}
        for method_name, attribute in vars(owner).items():
            mark = _mark_of(attribute)
            inherited = next((spec for spec in found.values() if spec.method_name == method_name), None)
            if mark is not None:
                if mark.name in own:
                    raise ModelDefinitionError(
                        f"{owner.__name__} has two methods for the command {mark.name!r}: {own[mark.name]} and "
                        f'{method_name}. Give one another name: @command("{method_name}")'
                    )
                own[mark.name] = method_name
                spec = _spec(owner, method_name, attribute, mark, names or {})
                if inherited is not None and inherited.name != mark.name:
                    del found[inherited.name]
                found[mark.name] = spec
            elif inherited is not None:
                if callable(attribute) or isinstance(attribute, (staticmethod, classmethod)):
                    _check_override(owner, attribute, inherited)
                else:
                    # `set_speed = None` takes a command away, as `__hash__ = None` does.
                    del found[inherited.name]
    return found


def find_command(commands: Mapping[str, CommandSpec], name: str) -> CommandSpec:
    """The command of that name.

    Raises:
        UnknownCommandError: says the nearest name and lists all.
    """
    if name in commands:
        return commands[name]
    if not commands:
        raise UnknownCommandError(
            f'Unknown command: {name}. This model has no commands; put @command("{name}") above a method.'
        )
    near = difflib.get_close_matches(str(name), list(commands), 1)
    hint = f"Did you mean {near[0]}? Send: {commands[near[0]].signature()}" if near else ""
    known = f"Commands: {', '.join(commands)}."
    raise UnknownCommandError(" ".join(filter(None, (f"Unknown command: {name}.", known, hint))))


def _marked(name: str, description: str, function: Any) -> Any:
    if not callable(function) or isinstance(function, type):
        raise ModelDefinitionError(
            f'@command("{name}") was put on {_what(function)}; it needs a method. Write\n'
            f'@command("{name}")\ndef {_suggested(name)}(self): ...'
        )
    mark = _Mark(name, description, function)
    method = with_plain_defaults(function, mark.annotated_defaults)
    if not hasattr(method, "__dict__"):
        method = functools.wraps(function)(functools.partial(function))
    setattr(method, _MARK, mark)
    return method


def _layers(attribute: Any) -> Iterator[Any]:
    """An attribute of a class and what it wraps, outermost first."""
    seen: set[int] = set()
    while attribute is not None and id(attribute) not in seen:
        seen.add(id(attribute))
        yield attribute
        is_descriptor = isinstance(attribute, (staticmethod, classmethod))
        attribute = attribute.__func__ if is_descriptor else getattr(attribute, "__wrapped__", None)


def _mark_of(attribute: Any) -> _Mark | None:
    if isinstance(attribute, type) or not (callable(attribute) or isinstance(attribute, (staticmethod, classmethod))):
        return None
    for layer in _layers(attribute):
        mark = getattr(layer, "__dict__", {}).get(_MARK)
        if isinstance(mark, _Mark):
            return mark
    return None


def _spec(owner: type, method_name: str, attribute: Any, mark: _Mark, names: Mapping[str, Any]) -> CommandSpec:
    if method_name in _OF_VIDEO_MODEL:
        raise ModelDefinitionError(
            f"{owner.__name__}.{method_name} is a method of every VideoModel and cannot be the command {mark.name!r}. "
            f"Rename it: def {method_name.strip('_')}_command(self, ...)"
        )
    is_static = any(isinstance(layer, staticmethod) for layer in _layers(attribute))
    try:
        parameters = mark.parameters(is_bound=not is_static, names={**names, **vars(owner), owner.__name__: owner})
    except UnresolvedAnnotation as error:
        raise ModelDefinitionError(str(error)) from error
    return CommandSpec(mark.name, mark.description, parameters.specs, method_name, parameters)


def _check_override(owner: type, attribute: Any, inherited: CommandSpec) -> None:
    function = attribute.__func__ if isinstance(attribute, (staticmethod, classmethod)) else attribute
    arguments = () if isinstance(attribute, staticmethod) else (None,)
    try:
        inspect.signature(function).bind(*arguments, **dict.fromkeys(spec.name for spec in inherited.params))
    except NameError:
        return  # its annotations are not defined yet; they do not matter here
    except TypeError as error:
        raise ModelDefinitionError(
            f"{owner.__name__}.{inherited.method_name} overrides the command {inherited.name!r} and cannot take its "
            f"parameters ({error}). Keep them, or make it a command of its own: "
            f'@command("{inherited.name}") above {inherited.method_name}'
        ) from error


def _what(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if inspect.isroutine(value):
        return f"the function {value.__qualname__}"
    return f"{type(value).__name__} {value!r}"


def _one_word(name: str) -> str:
    return re.sub(r"[^\w.:/-]+", "_", name).strip("_") or "set_speed"


def _suggested(name: object) -> str:
    text = str(getattr(name, "__name__", name))
    return text if text.isidentifier() else "set_speed"
