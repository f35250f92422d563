"""Parameter types: what their schema says, what they accept, and what a refusal says."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Optional, Union

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.color import Color

from reactor_nb.core.command import CommandSpec, command, commands_of
from reactor_nb.core.parameters import NO_DEFAULT
from reactor_nb.core.schema import properties_of, type_word
from reactor_nb.errors import ModelDefinitionError, ParameterError


class Mood(enum.Enum):
    CALM = "calm"
    WILD = "wild"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(BaseModel):
    x: float = Field(ge=0)
    y: float = 0.0
    title: str = "here"


class Pose(BaseModel):
    """Where the camera is."""

    at: Point
    mood: Mood = Mood.CALM
    trail: list[Point] = []


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Wave(BaseModel):
    phase: float
    gain: float = Field(0.0, allow_inf_nan=True)


@dataclasses.dataclass
class Size:
    width: int
    p0: int = 1


class Span(NamedTuple):
    first: int
    last: int


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


def spec_of_method(method: Callable[..., Any]) -> CommandSpec:
    """The command `go` of a class that has this method."""
    owner = type("Owner", (), {"go": command("go", "Goes")(method)})
    return commands_of(owner)["go"]


def schema_of(method: Callable[..., Any]) -> dict[str, Any]:
    schema: dict[str, Any] = spec_of_method(method).schema()["schema"]
    json.dumps(schema, allow_nan=False)
    return schema


def refused(method: Callable[..., Any], **params: Any) -> ParameterError:
    with pytest.raises(ParameterError) as caught:
        spec_of_method(method).validate(params)
    assert isinstance(caught.value.__cause__, ValidationError)
    return caught.value


def test_annotated_keeps_its_constraints() -> None:
    def go(self: Any, speed: Annotated[float, Field(ge=0, le=2, description="How fast")]) -> None: ...

    assert schema_of(go) == {
        "speed": {"description": "How fast", "maximum": 2, "minimum": 0, "type": "number", "required": True}
    }
    assert "less than or equal to 2" in str(refused(go, speed=3))


def test_annotated_and_a_field_default_are_merged() -> None:
    def go(self: Any, speed: Annotated[float, Field(ge=0)] = Field(0.5, le=1)) -> None: ...

    assert schema_of(go) == {"speed": {"default": 0.5, "maximum": 1, "minimum": 0, "type": "number"}}


def test_an_enum_is_inlined_and_given_to_the_method_as_a_member() -> None:
    def go(self: Any, mood: Mood, level: Level = Level.LOW) -> None: ...

    assert schema_of(go) == {
        "mood": {"enum": ["calm", "wild"], "type": "string", "required": True},
        "level": {"default": 1, "enum": [1, 2], "type": "integer"},
    }
    assert spec_of_method(go).validate({"mood": "wild", "level": 2}) == {"mood": Mood.WILD, "level": Level.HIGH}
    assert spec_of_method(go).validate({"mood": Mood.CALM})["mood"] is Mood.CALM
    assert "'calm' or 'wild'" in str(refused(go, mood="mild"))


def test_optional_takes_null_and_its_default() -> None:
    def go(self: Any, seed: Optional[int] = None, name: str | None = Field(None, max_length=3)) -> None: ...  # noqa: UP045

    assert schema_of(go)["seed"] == {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
    assert spec_of_method(go).validate({"seed": None, "name": "abc"}) == {"seed": None, "name": "abc"}
    assert spec_of_method(go).validate({}) == {"seed": None, "name": None}


def test_lists_and_tuples_are_validated_inside() -> None:
    def go(self: Any, size: tuple[int, int], points: list[float] = Field([0.0], max_length=2)) -> None: ...  # noqa: B008

    schema = schema_of(go)
    assert schema["size"]["prefixItems"] == [{"type": "integer"}, {"type": "integer"}]
    assert schema["points"] == {"default": [0.0], "items": {"type": "number"}, "maxItems": 2, "type": "array"}
    assert spec_of_method(go).validate({"size": [1, 2]}) == {"size": (1, 2), "points": [0.0]}
    error = refused(go, size=[1, "x"], points=[1, 2, 3])
    assert error.fields["size"].startswith("[1]: Input should be a valid integer")
    assert "at most 2 items" in error.fields["points"]


def test_nested_models_are_inlined_without_any_reference_or_title() -> None:
    def go(self: Any, pose: Pose) -> None: ...

    text = json.dumps(schema_of(go))
    assert "$ref" not in text and "$defs" not in text
    pose = schema_of(go)["pose"]
    assert pose["required"] is True
    assert pose["description"] == "Where the camera is."
    assert pose["properties"]["at"]["required"] is True
    assert pose["properties"]["at"]["properties"]["x"] == {"minimum": 0, "type": "number", "required": True}
    assert pose["properties"]["mood"] == {"default": "calm", "enum": ["calm", "wild"], "type": "string"}


def test_a_property_that_is_called_title_is_no_title() -> None:
    def go(self: Any, at: Point) -> None: ...

    assert schema_of(go)["at"]["properties"]["title"] == {"default": "here", "type": "string"}


def test_a_nested_model_reaches_the_method_as_an_instance() -> None:
    def go(self: Any, pose: Pose) -> None: ...

    pose = spec_of_method(go).validate({"pose": {"at": {"x": "1.5"}, "trail": [{"x": 1}]}})["pose"]
    assert isinstance(pose, Pose)
    assert pose.at.x == 1.5 and pose.trail[0].x == 1
    assert "pose.at.x=-1: Input should be greater than or equal to 0" in str(refused(go, pose={"at": {"x": -1}}))
    assert refused(go, pose={"at": {}}).fields == {"pose": "at.x: Field required"}


def test_an_optional_nested_model_says_so_without_claiming_to_be_required() -> None:
    def go(self: Any, at: Point = Point(x=1), other: Point | None = None) -> None: ...  # noqa: B008

    schema = schema_of(go)
    assert "required" not in schema["at"]
    assert schema["at"]["default"] == {"x": 1.0, "y": 0.0, "title": "here"}
    assert schema["other"]["anyOf"][0]["properties"]["x"]["required"] is True


def test_dataclasses_and_named_tuples_are_parameters_too() -> None:
    def go(self: Any, size: Size, span: Span = Span(0, 1)) -> None: ...  # noqa: B008

    schema = schema_of(go)
    assert schema["size"]["properties"]["width"] == {"type": "integer", "required": True}
    assert spec_of_method(go).validate({"size": {"width": "3"}, "span": [1, 2]}) == {
        "size": Size(3),
        "span": Span(1, 2),
    }
    assert "size.depth=1: Unexpected keyword argument" in str(refused(go, size={"width": 3, "depth": 1}))


@pytest.mark.filterwarnings("ignore:The `Color` class is deprecated")
def test_a_colour_of_pydantic_is_a_parameter() -> None:
    def go(self: Any, colour: Color) -> None: ...

    assert schema_of(go) == {"colour": {"type": "string", "format": "color", "required": True}}
    assert spec_of_method(go).validate({"colour": "#ff0000"})["colour"].as_named() == "red"
    assert "not a valid color" in str(refused(go, colour="reddish"))


def test_a_model_that_holds_itself_ends() -> None:
    def go(self: Any, tree: Tree) -> None: ...

    schema = schema_of(go)["tree"]
    assert schema["properties"]["children"]["items"] == {"type": "object"}
    tree = spec_of_method(go).validate({"tree": {"name": "a", "children": [{"name": "b"}]}})["tree"]
    assert tree.children[0].name == "b"


def test_a_union_told_apart_by_a_key_has_no_dangling_reference() -> None:
    def go(self: Any, pet: Annotated[Union[Cat, Dog], Field(discriminator="kind")]) -> None: ...  # noqa: UP007

    assert "#/" not in json.dumps(schema_of(go))
    assert isinstance(spec_of_method(go).validate({"pet": {"kind": "dog"}})["pet"], Dog)


def test_dates_and_times_are_read_from_text() -> None:
    def go(self: Any, day: datetime.date, at: datetime.datetime, path: Path = Path("a")) -> None: ...

    assert [part.get("format") for part in schema_of(go).values()] == ["date", "date-time", "path"]
    values = spec_of_method(go).validate({"day": "2026-01-02", "at": "2026-01-02T03:04:05", "path": "x/y"})
    assert values["day"] == datetime.date(2026, 1, 2)
    assert values["path"] == Path("x/y")
    assert "day='tomorrow'" in str(refused(go, day="tomorrow", at="2026-01-02T03:04:05"))


def test_a_number_may_come_as_text() -> None:
    def go(self: Any, speed: float, count: int = 1, is_on: bool = False) -> None: ...

    values = spec_of_method(go).validate({"speed": "0.25", "count": "3", "is_on": "true"})
    assert values == {"speed": 0.25, "count": 3, "is_on": True}


def test_numbers_and_arrays_of_numpy_may_be_sent() -> None:
    def go(self: Any, speed: float, count: int, points: list[float]) -> None: ...

    values = spec_of_method(go).validate(
        {"speed": np.float32(0.5), "count": np.int64(3), "points": np.array([1.0, 2.0], dtype=np.float32)}
    )
    assert values == {"speed": 0.5, "count": 3, "points": [1.0, 2.0]}
    assert type(values["count"]) is int


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "nan", "inf", np.float32("nan")])
def test_nan_and_infinity_are_refused(value: Any) -> None:
    def go(self: Any, speed: float = 0.0) -> None: ...

    assert refused(go, speed=value).fields == {"speed": "Input should be a finite number"}


def test_nan_is_refused_wherever_it_hides() -> None:
    def go(self: Any, points: list[float] = [], any_shape: Any = None, wave: Wave | None = None) -> None: ...  # noqa: B006

    assert "points[1]=nan" in str(refused(go, points=[0.0, math.nan]))
    assert refused(go, any_shape={"a": [math.inf]}).fields == {"any_shape": "a[0]: Input should be a finite number"}
    assert refused(go, wave={"phase": math.nan}).fields == {"wave": "phase: Input should be a finite number"}


def test_nan_is_accepted_where_the_field_says_so() -> None:
    def go(self: Any, gain: float = Field(..., allow_inf_nan=True), wave: Wave | None = None) -> None: ...

    values = spec_of_method(go).validate({"gain": math.inf, "wave": {"phase": 0, "gain": math.nan}})
    assert values["gain"] == math.inf
    assert math.isnan(values["wave"].gain)


def test_a_default_of_nan_is_the_authors_own_and_stays_out_of_the_json() -> None:
    def go(self: Any, gain: float = math.nan, limits: tuple[float, float] = (-math.inf, math.inf)) -> None: ...

    assert "default" not in schema_of(go)["gain"]
    assert "default" not in schema_of(go)["limits"]
    assert math.isnan(spec_of_method(go).validate({})["gain"])


def test_a_default_that_json_cannot_hold_is_left_out_of_the_schema() -> None:
    marker = object()

    def go(self: Any, x: Any = marker) -> None: ...

    assert schema_of(go) == {"x": {}}
    assert spec_of_method(go).params[0].default is marker


def test_mutable_defaults_are_copied_for_each_call() -> None:
    shared: list[int] = [1]

    def go(self: Any, points: list[int] = shared, more: dict[str, list[int]] = Field({"a": []})) -> None: ...  # noqa: B008

    spec = spec_of_method(go)
    values = spec.validate({})
    values["points"].append(2)
    values["more"]["a"].append(3)
    assert spec.validate({}) == {"points": [1], "more": {"a": []}}
    assert shared == [1]


def test_a_default_factory_makes_a_new_value_for_each_call() -> None:
    def go(self: Any, points: list[int] = Field(default_factory=lambda: [7])) -> None: ...  # noqa: B008

    spec = spec_of_method(go)
    assert spec.validate({})["points"] is not spec.validate({})["points"]
    assert (spec.params[0].is_required, spec.params[0].default) == (False, NO_DEFAULT)


def test_a_missing_and_an_extra_parameter_are_told_in_one_error() -> None:
    def go(self: Any, direction: str, speed: float = 0.5) -> None: ...

    error = refused(go, sped=1, zzz=2)
    assert error.fields == {
        "direction": "is required",
        "sped": "no such parameter; did you mean speed?",
        "zzz": "no such parameter",
    }
    assert str(error) == (
        "go refused direction is missing; sped: no such parameter; did you mean speed?; zzz: no such parameter. "
        "Send: go direction=<str> [speed=<float>]"
    )
    assert error.to_wire()["fields"] == error.fields


def test_a_refusal_says_what_came_what_is_needed_and_the_line_to_type() -> None:
    def go(self: Any, speed: float = Field(0.5, ge=0.0, le=1.0)) -> None: ...

    assert str(refused(go, speed=1.5)) == (
        "go refused speed=1.5: Input should be less than or equal to 1. Send: go [speed=<float 0..1>]"
    )


def test_a_long_value_is_cut_in_the_message() -> None:
    def go(self: Any, speed: float) -> None: ...

    assert len(str(refused(go, speed="x" * 5000))) < 300


def test_parameters_that_are_no_object_are_refused() -> None:
    def go(self: Any, speed: float) -> None: ...

    with pytest.raises(ParameterError, match=r"go got list \[1\]; its parameters are sent by name"):
        spec_of_method(go).validate([1])  # type: ignore[arg-type]


def test_the_validated_order_is_the_methods_own() -> None:
    def go(self: Any, b: int, a: int) -> None: ...

    assert list(spec_of_method(go).validate({"a": 1, "b": 2})) == ["b", "a"]


def test_names_that_pydantic_keeps_for_itself_are_parameters_all_the_same() -> None:
    def go(self: Any, copy: int, schema: str, model_config: float, _hidden: int, json: bool = True) -> None: ...

    spec = spec_of_method(go)
    given = {"copy": 1, "schema": "s", "model_config": 0.5, "_hidden": 2}
    assert spec.validate(given) == {**given, "json": True}
    assert list(spec.schema()["schema"]) == ["copy", "schema", "model_config", "_hidden", "json"]


def test_the_inner_names_of_the_fields_are_not_accepted() -> None:
    def go(self: Any, speed: float = 1.0) -> None: ...

    assert refused(go, p0=2.0).fields == {"p0": "no such parameter"}


def test_a_parameter_without_annotation_takes_any_json() -> None:
    def go(self, x, y=2):  # type: ignore[no-untyped-def]
        ...

    assert schema_of(go) == {"x": {"required": True}, "y": {"default": 2}}
    assert spec_of_method(go).validate({"x": {"a": [1]}}) == {"x": {"a": [1]}, "y": 2}


def test_a_keyword_only_parameter_is_an_ordinary_one() -> None:
    def go(self: Any, *, speed: float = 1.0) -> None: ...

    assert spec_of_method(go).validate({"speed": 2}) == {"speed": 2.0}


def test_a_type_that_json_cannot_carry_is_refused_with_the_parameters_name() -> None:
    def go(self: Any, speed: float, frame: np.ndarray[Any, Any]) -> None: ...

    with pytest.raises(ModelDefinitionError, match=r"command go: parameter frame is .*ndarray.*cannot be sent as JSON"):
        spec_of_method(go)

    def call(self: Any, then: Callable[[], None]) -> None: ...

    with pytest.raises(ModelDefinitionError, match=r"parameter then is .*Callable"):
        spec_of_method(call)


def test_an_annotation_that_names_nothing_is_refused_with_the_mend() -> None:
    def go(self: Any, speed: Sped) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(
        ModelDefinitionError, match=r"annotation 'Sped' of parameter speed.*Define or import Sped above"
    ):
        spec_of_method(go)


def test_a_return_annotation_that_names_nothing_does_not_matter() -> None:
    def go(self: Any, speed: float) -> Nowhere: ...  # type: ignore[name-defined]  # noqa: F821

    assert spec_of_method(go).signature() == "go speed=<float>"


def test_an_alias_is_refused_with_the_mend() -> None:
    def go(self: Any, speed: float = Field(0.5, alias="velocity")) -> None: ...

    with pytest.raises(ModelDefinitionError, match=r"Field\(alias=\.\.\.\) on parameter speed.*remove the alias"):
        spec_of_method(go)


def test_a_nested_model_of_the_author_keeps_its_own_configuration() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)
        x: int

    def go(self: Any, part: Any) -> None: ...

    go.__annotations__["part"] = Strict
    assert "part.y=1: Extra inputs are not permitted" in str(refused(go, part={"x": 1, "y": 1}))
    assert "valid integer" in str(refused(go, part={"x": "1"}))


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"type": "number", "minimum": 0.0, "maximum": 1.0}, "float 0..1"),
        ({"type": "number", "minimum": 0.5}, "float >=0.5"),
        ({"type": "integer", "exclusiveMinimum": 0, "maximum": 9}, "int >0 <=9"),
        ({"type": "integer"}, "int"),
        ({"type": "boolean"}, "true|false"),
        ({"enum": ["a", 1, None]}, "a|1|null"),
        ({"const": "only", "type": "string"}, "only"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "str or null"),
        ({"type": "array", "items": {"type": "integer"}}, "[int, ...]"),
        ({"type": "object", "properties": {}}, "{...}"),
        ({"type": "string", "format": "date"}, "date"),
        ({}, "JSON"),
    ],
)
def test_a_schema_in_a_few_characters(schema: dict[str, Any], word: str) -> None:
    assert type_word(schema) == word


def test_a_single_all_of_as_older_pydantic_writes_it_is_flattened() -> None:
    class Old(BaseModel):
        @classmethod
        def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return {
                "$defs": {"E": {"enum": ["a"], "type": "string", "title": "E"}},
                "properties": {"x": {"allOf": [{"$ref": "#/$defs/E"}], "default": "a", "title": "X"}},
            }

    assert properties_of(Old) == {"x": {"enum": ["a"], "type": "string", "default": "a"}}


def test_a_validator_of_the_author_that_fails_refuses_the_call() -> None:
    class Fragile(BaseModel):
        x: int

        @field_validator("x")
        @classmethod
        def look_up(cls, x: int) -> int:
            return {1: 1}[x]

    def go(self: Any, part: Fragile) -> None: ...

    go.__annotations__["part"] = Fragile
    with pytest.raises(ParameterError, match=r"go could not read its parameters: KeyError: 7\. Send: go part=") as bad:
        spec_of_method(go).validate({"part": {"x": 7}})
    assert isinstance(bad.value.__cause__, KeyError)


def test_json_that_is_nested_too_deeply_is_refused() -> None:
    def go(self: Any, x: Any) -> None: ...

    with pytest.raises(ParameterError, match="go could not read its parameters: RecursionError"):
        spec_of_method(go).validate({"x": json.loads("[" * 900 + "]" * 900)})


def test_a_value_that_cannot_be_shown_is_refused_by_its_type() -> None:
    def go(self: Any, x: str) -> None: ...

    assert str(refused(go, x=10**5000)).startswith("go refused x=<int>: Input should be a valid string")


def test_an_annotation_that_is_no_type_is_refused_with_what_may_stand_there() -> None:
    def go(self: Any, speed: Any) -> None: ...

    go.__annotations__["speed"] = "0..1"
    with pytest.raises(
        ModelDefinitionError, match=r"annotation '0\.\.1' of parameter speed is no type: .*Annotate it with"
    ):
        spec_of_method(go)


@pytest.mark.parametrize(
    ("annotation", "default", "message"),
    [
        (str, Field("a", pattern="["), r"parameter x cannot be read\. .*unclosed character class"),
        (float, Field(1.0, gt="x"), r"parameter x cannot be read\. .*must be real number"),
        (str, Field("a", ge=1), r"Field\(ge=1\) on parameter x, which is str and has no such rule\. Remove it"),
        (ClassVar[int], 1, r"parameter x is ClassVar\[int\], which is no type of a value"),
        (Annotated[Cat | int, Field(discriminator="sort")], 1, r"parameter x cannot be read\. .*'sort'"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(annotation: Any, default: Any, message: str) -> None:
    def go(self: Any, x: Any) -> None: ...

    go.__annotations__["x"] = annotation
    go.__defaults__ = (default,)
    with pytest.raises(ModelDefinitionError, match=message):
        spec_of_method(go)


def test_no_default_is_shown_as_such() -> None:
    def go(self: Any, speed: float) -> None: ...

    assert repr(spec_of_method(go).params[0].default) == "NO_DEFAULT"
