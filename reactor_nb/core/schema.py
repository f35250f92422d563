"""JSON schema in the form that Reactor's clients read: no titles, no references, `required` at each property."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from pydantic_core import PydanticSerializationError

_NAMED = ("properties", "patternProperties", "dependentSchemas")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else")


class _Generator(GenerateJsonSchema):
    # A default that JSON cannot hold is left out: the parameter stays optional, and no control shows a wrong value.
    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"non-serializable-default", "skipped-choice"}  # noqa: RUF012

    def encode_default(self, dft: Any) -> Any:
        if not _is_finite(dft):
            # Left out in turn: JSON has no NaN, and pydantic would write null for it.
            raise PydanticSerializationError("not finite")
        return super().encode_default(dft)


def properties_of(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """Wire name -> schema of each field, in the order of definition. Plain JSON values only."""
    whole = model.model_json_schema(schema_generator=_Generator)
    flat = _flatten(whole, whole.get("$defs", {}), ())
    properties: dict[str, dict[str, Any]] = flat.get("properties", {})
    return properties


def type_word(schema: Mapping[str, Any]) -> str:
    """What a person types for such a value, in a few characters: `float 0..1`, `up|down`, `str or null`."""
    if "enum" in schema:
        return "|".join("null" if value is None else str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(type_word(choice) for choice in choices))
    kind = schema.get("type")
    if kind in ("number", "integer"):
        return " ".join(filter(None, ("float" if kind == "number" else "int", _bounds(schema))))
    if kind == "string":
        return str(schema.get("format", "str"))
    if kind == "array":
        return f"[{type_word(schema.get('items', {}))}, ...]"
    return {"boolean": "true|false", "object": "{...}", "null": "null"}.get(str(kind), "JSON")


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{low:g}..{high:g}"
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    return " ".join(f"{sign}{schema[key]:g}" for key, sign in signs.items() if schema.get(key) is not None)


def _flatten(schema: Mapping[str, Any], shared: Mapping[str, Any], open_names: tuple[str, ...]) -> dict[str, Any]:
    """`open_names` are the references being inlined: a model that holds itself is an object of any shape in there."""
    flat = {key: value for key, value in schema.items() if key not in ("title", "$defs", "$ref", "discriminator")}
    for key in _NAMED:
        if key in flat:
            flat[key] = {name: _flatten(part, shared, open_names) for name, part in flat[key].items()}
    for key in _LISTED:
        if key in flat:
            flat[key] = [_flatten(part, shared, open_names) for part in flat[key]]
    for key in _SINGLE:
        if isinstance(flat.get(key), Mapping):
            flat[key] = _flatten(flat[key], shared, open_names)
    if len(flat.get("allOf", ())) == 1:
        # How pydantic before 2.9 wrote a reference that has a default or a description beside it.
        flat = {**flat.pop("allOf")[0], **flat}
    reference = schema.get("$ref")
    if reference is not None:
        name = str(reference).rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")
        found = {"type": "object"} if name in open_names else _flatten(shared[name], shared, (*open_names, name))
        flat = {**found, **flat}
    if isinstance(flat.get("required"), list):
        # `required` is a flag of the property in Reactor's form, so an object's list moves to its properties.
        for name in flat.pop("required"):
            if name in flat.get("properties", {}):
                flat["properties"][name]["required"] = True
    return flat


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, BaseModel):
        value = dict(value)
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return all(map(_is_finite, parts))
