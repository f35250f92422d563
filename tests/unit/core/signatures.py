"""Random signatures of commands, random payloads, and a judge of values that knows nothing of pydantic."""

from __future__ import annotations

import datetime
import enum
import inspect
import keyword
import math
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

from annotated_types import Ge, Le
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from reactor_nb.core.command import CommandSpec, command, commands_of


class Mood(enum.Enum):
    CALM = "calm"
    WILD = "wild"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(BaseModel):
    x: float = Field(ge=0)
    y: int = 0


class Param(NamedTuple):
    """`default` is inspect.Parameter.empty where there is none."""

    name: str
    annotation: Any
    default: Any


NO = inspect.Parameter.empty
NAMES = st.from_regex(r"\A[a-z_][a-z0-9_]{0,8}\Z").filter(lambda name: not keyword.iskeyword(name) and name != "self")

_SCALARS = st.sampled_from(
    [
        int,
        float,
        str,
        bool,
        Any,
        Mood,
        Level,
        Point,
        datetime.date,
        Literal["left", "right"],
        Literal[1, "one"],
        Annotated[float, Field(ge=0, le=1)],
        Annotated[int, Field(ge=-5)],
    ]
)
ANNOTATIONS = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        inner.map(lambda part: Optional[part]),  # noqa: UP045  one way to write it
        inner.map(lambda part: types.GenericAlias(list, (part,))),
        inner.map(lambda part: types.GenericAlias(dict, (str, part))),
        st.tuples(inner, inner).map(lambda parts: types.GenericAlias(tuple, parts)),
        st.tuples(inner, inner).map(lambda parts: Union[parts]),  # noqa: UP007
    ),
    max_leaves=4,
)
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 3),
        st.integers(),
        st.floats(),
        st.sampled_from(["left", "calm", "one", "0.25", "nan", "true", "2026-01-02", "", "\x00", "\ud800"]),
        st.text(max_size=6),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(["x", "y", "a"]), st.text(max_size=3)), inner, max_size=3),
    ),
    max_leaves=6,
)


@st.composite
def signatures(draw: st.DrawFn) -> list[Param]:
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    return [Param(name, draw(ANNOTATIONS), draw(_DEFAULTS)) for name in names]


def payloads(params: list[Param]) -> st.SearchStrategy[dict[str, Any]]:
    """Mostly of the signature's own names, with values that often fit."""
    fitting = {param.name: _fitting(param.annotation) for param in params}
    near = {name: st.one_of(fit, fit, fit, JSON) for name, fit in fitting.items()}
    needed = {param.name: fitting[param.name] for param in params if param.default is NO}
    optional = {name: value for name, value in near.items() if name not in needed}
    return st.one_of(
        st.fixed_dictionaries(needed, optional=optional),
        st.fixed_dictionaries(fitting),
        st.fixed_dictionaries(near),
        st.dictionaries(st.one_of(st.sampled_from(sorted(near)), st.text(max_size=5)), JSON, max_size=3)
        if near
        else st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    )


def spec_of(params: list[Param], method: Callable[..., Any] | None = None) -> CommandSpec:
    """The command `go` of a class whose method has these parameters, by name only as defaults stand anywhere."""

    def go(self: Any, **values: Any) -> Any:
        return values

    self_ = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = [
        inspect.Parameter(p.name, inspect.Parameter.KEYWORD_ONLY, default=p.default, annotation=p.annotation)
        for p in params
    ]
    go.__signature__ = inspect.Signature([self_, *own])  # type: ignore[attr-defined]
    return commands_of(type("Owner", (), {"go": command("go")(method or go)}))["go"]


def fits(annotation: Any, value: Any) -> bool:
    """Whether a method that is annotated so may be given this value."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return fits(parts[0], value) and all(_holds(rule, value) for rule in parts[1:])
    if annotation is Any:
        return _is_finite(value)
    if origin in (Union, types.UnionType):
        return any(fits(part, value) for part in parts)
    if origin is Literal:
        return any(type(part) is type(value) and part == value for part in parts)
    if origin is list:
        return type(value) is list and all(fits(parts[0], part) for part in value)
    if origin is tuple:
        return type(value) is tuple and len(value) == len(parts) and all(map(fits, parts, value))
    if origin is dict:
        return type(value) is dict and all(type(k) is str and fits(parts[1], v) for k, v in value.items())
    if annotation in (None, type(None)):
        return value is None
    if annotation is Point:
        return type(value) is Point and math.isfinite(value.x) and value.x >= 0 and type(value.y) is int
    return type(value) is annotation and (annotation is not float or math.isfinite(value))


def _fitting(annotation: Any) -> st.SearchStrategy[Any]:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return st.sampled_from([0, 1, 0.5, "0.5", -9, 2, math.nan, "nan"])
    if origin in (Union, types.UnionType):
        return st.one_of(*map(_fitting, parts))
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is list:
        return st.lists(_fitting(parts[0]), max_size=3)
    if origin is tuple:
        return st.tuples(*map(_fitting, parts)).map(list)
    if origin is dict:
        return st.dictionaries(st.text(max_size=3), _fitting(parts[1]), max_size=2)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        int: st.integers(),
        float: st.floats(),
        str: st.text(max_size=5),
        bool: st.booleans(),
        Mood: st.sampled_from(["calm", "wild"]),
        Level: st.sampled_from([1, 2]),
        Point: st.fixed_dictionaries({"x": st.floats(-1, 9)}, optional={"y": st.integers()}),
        datetime.date: st.dates().map(str),
        type(None): st.none(),
    }
    return simple.get(annotation, st.one_of(JSON, st.just([math.nan])))


def _holds(rule: Any, value: Any) -> bool:
    rules = rule.metadata if isinstance(rule, FieldInfo) else ()
    return all(value >= r.ge if isinstance(r, Ge) else value <= r.le if isinstance(r, Le) else True for r in rules)


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(_is_finite, parts))


_DEFAULTS = st.one_of(
    st.just(NO),
    st.just(NO),
    st.builds(lambda: Field(..., description="needed")),
    st.builds(lambda: Field(None, description="free")),
    st.none(),
    st.integers(-3, 3),
    st.text(max_size=3),
)
