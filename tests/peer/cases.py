"""The signatures and payloads that both packages are given, as text.

A case is a method `go(self, ...)` under @command and the arguments that are sent to it. `differs` says which of
them the two packages treat differently on purpose: "definition" (the decorator or the schema), or the payload,
-> a word of tests/peer/reasons.py. Whatever differs and is not said fails the test; so does what is said here
and does not differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

PRELUDE = """
import dataclasses, datetime, decimal, enum, pathlib, typing, uuid
from collections.abc import Callable, Sequence
from typing import *
from pydantic import BaseModel, Field, StrictInt, conint

class Mood(enum.Enum):
    CALM = "calm"
    WILD = "wild"

class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2

class Tint(str, enum.Enum):
    RED = "red"
    BLUE = "blue"

class Point(BaseModel):
    x: float = Field(ge=0)
    y: float = 0.0

class Pose(BaseModel):
    at: Point
    mood: Mood = Mood.CALM

class Tree(BaseModel):
    name: str
    children: list["Tree"] = []

class Cat(BaseModel):
    kind: Literal["cat"]

class Dog(BaseModel):
    kind: Literal["dog"]

@dataclasses.dataclass
class Size:
    width: int
    height: int = 1

class Span(NamedTuple):
    first: int
    last: int

Speed = Annotated[float, Field(ge=0, le=1)]
UserId = NewType("UserId", int)
"""


class Case(NamedTuple):
    """`signature`: what stands between the brackets of `def go(self, ...)`; `payloads` are JSON, NaN included."""

    name: str
    signature: str
    payloads: tuple[str, ...]
    differs: Mapping[str, str] = {}
    style: str = "def"


def _value(name: str, annotation: str, values: str, differs: str = "", default: str = "") -> Case:
    """One parameter x and its values, parted by blanks; `differs` is a list of VALUE:REASON."""
    payloads = tuple(f'{{"x": {value}}}' for value in values.split())
    found: dict[str, str] = {}
    for pair in differs.split():
        key, _, reason = pair.rpartition(":")
        found[key if key == "definition" else f'{{"x": {key}}}'] = reason
    return Case(name, f"x: {annotation}" + (f" = {default}" if default else ""), (*payloads, "{}"), found)


NUMBERS = '0 1 -1 0.5 1.0 1e3 1e400 NaN Infinity "0.25" "1" "nan" "x" "" true null [] {}'
FINITE = "1e400:nan NaN:nan Infinity:nan"
FINITE_TEXT = f'{FINITE} "nan":nan'

CASES: tuple[Case, ...] = (
    # What the seeds show.
    Case("set_prompt", "prompt: str", ('{"prompt": "a"}', '{"prompt": ""}', '{"prompt": 1}', '{"prompt": null}', "{}")),
    Case(
        "move",
        'direction: Literal["forward", "back", "left", "right", "none"]',
        ('{"direction": "left"}', '{"direction": "up"}', '{"direction": "LEFT"}', '{"direction": 1}', "{}"),
    ),
    Case(
        "set_speed",
        'speed: float = Field(..., ge=0.0, le=1.0, description="Speed multiplier")',
        ('{"speed": 0}', '{"speed": 1.0}', '{"speed": "0.25"}', '{"speed": 1.01}', '{"speed": -0.1}', "{}"),
    ),
    Case(
        "set_camera",
        'direction: Literal["up", "down", "left", "right", "none"] = Field(..., description="Camera movement '
        'direction"), speed: float = Field(0.5, ge=0.0, le=1.0, description="Movement speed")',
        ('{"direction": "up"}', '{"direction": "up", "speed": 1}', '{"direction": "up", "speed": 2}', '{"speed": 1}'),
    ),
    Case("reset", "", ("{}", '{"x": 1}'), {'{"x": 1}': "extra"}),
    # Numbers, text, truth.
    _value("float", "float", NUMBERS, FINITE_TEXT),
    _value("int", "int", NUMBERS),
    _value("str", "str", '"a" "" 1 true null [] {} "ä"'),
    _value("bool", "bool", 'true false 1 0 2 "true" "no" "x" null [] 0.5'),
    _value("float_default", "float", '1 "x" NaN', "NaN:nan", default="0.5"),
    _value("float_allow_nan", "float", "NaN Infinity 1", default="Field(..., allow_inf_nan=True)"),
    _value("float_default_nan", "float", "1", "definition:default-nan", default='float("nan")'),
    _value("int_default_text", "int", '1 "x"', default='"five"'),
    _value("gt_lt", "float", "0 0.5 1 NaN", default="Field(0.5, gt=0, lt=1)"),
    _value("multiple_of", "int", "4 5 -2", default="Field(..., multiple_of=2)"),
    _value("length", "str", '"a" "abc" "abcdef" ""', default="Field(..., min_length=2, max_length=4)"),
    _value("pattern", "str", '"ab" "A" ""', default='Field(..., pattern="^[a-z]+$")'),
    _value(
        "examples", "int", "1", default='Field(1, examples=[1, 2], title="How many", json_schema_extra={"unit": "px"})'
    ),
    _value("deprecated", "int", "1", default='Field(1, deprecated="use y")'),
    _value("strict", "StrictInt", '1 "1" 1.0', '"1":annotated 1.0:annotated'),
    _value("strict_field", "float", '1 "1" 0.5', default="Field(..., strict=True)"),
    _value("conint", "conint(ge=0, le=9)", "0 10 -1", "definition:annotated 10:annotated -1:annotated"),
    _value("decimal", "decimal.Decimal", '1 "1.5" "x" 0.1'),
    _value("bytes", "bytes", '"a" 1'),
    _value("annotated", "Annotated[float, Field(ge=0)]", "-1 0 1 NaN", "definition:annotated -1:annotated NaN:nan"),
    _value("annotated_alias", "Speed", "-1 0 1 2", "definition:annotated -1:annotated 2:annotated", default="0.5"),
    _value("annotated_words", 'Annotated[str, "only words"]', '"a" 1'),
    _value(
        "annotated_merged",
        "Annotated[float, Field(ge=0)]",
        "-1 0.5 2",
        "definition:annotated -1:annotated",
        default="Field(0.5, le=1)",
    ),
    _value("new_type", "UserId", '1 "a"'),
    _value("any", "Any", '1 "a" null [1] {"a":1} NaN', "NaN:nan"),
    _value("object", "object", "1 null"),
    Case("bare", "x", ('{"x": 1}', '{"x": {"a": [1]}}', "{}")),
    Case("bare_default", "x=2", ('{"x": 1}', '{"x": null}', "{}")),
    # Choices.
    _value("literal_mixed", 'Literal[1, "a", None]', '1 "a" null "1" 2 true'),
    _value("literal_bool", "Literal[True]", "true 1 false"),
    _value("literal_one", 'Literal["only"]', '"only" "other"', default='"only"'),
    _value("enum", "Mood", '"calm" "mild" "CALM" 1', "definition:reference"),
    _value("enum_default", "Mood", '"wild" "mild"', "definition:reference", default="Mood.CALM"),
    _value("int_enum", "Level", '1 3 "1"', "definition:reference"),
    _value("str_enum", "Tint", '"red" "green"', "definition:reference"),
    _value("literal_of_enum", "Literal[Mood.CALM]", '"calm" "wild"'),
    # Several types, none, and containers.
    _value("optional", "Optional[int]", '1 null "x"', default="None"),
    _value("optional_required", "Optional[int]", "1 null"),
    _value("pipe_none", "float | None", 'null 0.5 NaN "x"', "NaN:nan", default="None"),
    _value("implicit_none", "float", "1 null", default="None"),
    _value("union", "Union[int, str]", '1 "a" null 0.5 []'),
    _value("union_models", "Union[Cat, Dog]", '{"kind":"dog"} {"kind":"cow"} 1', "definition:reference"),
    _value(
        "told_apart",
        'Annotated[Union[Cat, Dog], Field(discriminator="kind")]',
        '{"kind":"dog"} {"kind":"cow"}',
        "definition:reference",
    ),
    _value("list", "list[int]", '[] [1,2] ["1"] ["x"] 1 null {}'),
    _value("list_bare", "list", "[] [1] 1"),
    _value("list_default", "list[int]", "[1]", default="[7]"),
    _value("list_factory", "list[int]", "[1]", default="Field(default_factory=list)"),
    _value(
        "list_length",
        "list[float]",
        "[] [1,2] [1,2,3] [NaN,1]",
        "[NaN,1]:nan",
        default="Field(..., min_length=1, max_length=2)",
    ),
    _value("list_of_models", "list[Point]", '[] [{"x":1}] [{"x":-1}] [{}]', "definition:reference"),
    _value("sequence", "Sequence[int]", "[1] 1"),
    _value("tuple", "tuple[int, str]", '[1,"a"] [1] [1,"a",2]'),
    _value("tuple_any", "tuple[int, ...]", '[] [1,2] ["x"]'),
    _value("set", "set[int]", "[1,1] 1"),
    _value("dict", "dict[str, float]", '{} {"a":1} {"a":"x"} [] {"a":NaN}', '{"a":NaN}:nan'),
    _value("dict_of_int", "dict[int, str]", '{"1":"a"} {"a":"a"}'),
    _value("dict_of_enum", "dict[str, Mood]", '{"a":"calm"} {"a":"b"}', "definition:reference"),
    # Models, dataclasses, dates.
    _value(
        "model",
        "Point",
        '{"x":1} {"x":-1} {} {"x":1,"z":2} {"x":1,"y":NaN} 1',
        '{"x":1,"y":NaN}:nan definition:reference',
    ),
    _value("model_default", "Point", '{"x":1}', "definition:reference", default="Point(x=1)"),
    _value("nested", "Pose", '{"at":{"x":1}} {"at":{}} {"at":{"x":1},"mood":"wild"}', "definition:reference"),
    _value("optional_model", "Optional[Point]", 'null {"x":1} {"x":"a"}', "definition:reference", default="None"),
    _value(
        "holds_itself",
        "Tree",
        '{"name":"a"} {"name":"a","children":[{"name":"b"}]} {"name":"a","children":[{}]}',
        "definition:reference",
    ),
    _value(
        "dataclass",
        "Size",
        '{"width":1} {"width":"x"} {"width":1,"depth":2} {}',
        'definition:reference {"width":1,"depth":2}:extra',
    ),
    _value("named_tuple", "Span", "[1,2] [1] 1", "definition:reference"),
    _value("date", "datetime.date", '"2026-01-02" "tomorrow" 0'),
    _value("datetime", "datetime.datetime", '"2026-01-02T03:04:05Z" "x" 0'),
    _value("timedelta", "datetime.timedelta", '"PT1S" 1.5 "x"'),
    _value("uuid", "uuid.UUID", '"12345678123456781234567812345678" "x"'),
    _value("path", "pathlib.Path", '"a/b" 1'),
    _value("forward", '"Mood"', '"calm" "x"', "definition:reference"),
    # Shapes of a signature.
    Case("several", "a: int, b: str = 'x', c: float = Field(1.0)", ('{"a": 1}', '{"b": "y"}', '{"a": 1, "c": 2}')),
    Case("keyword_only", "*, x: int, y: int = 2", ('{"x": 1}', '{"y": 1}')),
    Case(
        "typo",
        "speed: float = 0.5",
        ('{"sped": 1}', '{"speed": 1, "more": 2}', "{}"),
        {'{"sped": 1}': "extra", '{"speed": 1, "more": 2}': "extra"},
    ),
    Case(
        "many",
        "*args: int",
        ("{}", '{"args": [1]}'),
        {"definition": "by-name", "{}": "by-name", '{"args": [1]}': "by-name"},
    ),
    Case(
        "any_names",
        "**kwargs: int",
        ("{}", '{"kwargs": {"a": 1}}'),
        {"definition": "by-name", "{}": "by-name", '{"kwargs": {"a": 1}}': "by-name"},
    ),
    Case("positional_only", "x: int, /", ('{"x": 1}',), {"definition": "by-name", '{"x": 1}': "by-name"}),
    Case("underscore", "_x: int", ('{"_x": 1}',), {"definition": "names", '{"_x": 1}': "names"}),
    Case("named_copy", "copy: int, schema: str = 'a'", ('{"copy": 1}',)),
    Case(
        "named_model_config",
        "model_config: int",
        ('{"model_config": 1}',),
        {"definition": "names", '{"model_config": 1}': "names"},
    ),
    Case(
        "aliased",
        'x: float = Field(0.5, alias="velocity")',
        ('{"velocity": 1}', '{"x": 1}'),
        {"definition": "alias", '{"velocity": 1}': "alias", '{"x": 1}': "alias"},
    ),
    Case("callback", "x: Callable[[], None]", ("{}",), {"definition": "unsendable", "{}": "unsendable"}),
    Case("unknown_type", "x: 'Nowhere'", ('{"x": 1}',)),
    Case("async", "x: int", ('{"x": 1}', '{"x": "a"}'), {'{"x": 1}': "async"}, style="async def"),
    Case("static", "x: int", ('{"x": 1}',), {"definition": "static", '{"x": 1}': "static"}, style="static"),
    Case("args_null", "x: int = 1", ("null", "[]", '[["x", 2]]', '"x"', "1")),
)
