"""What a model takes, as JSON: in Reactor's form, as an OpenAPI document, as a JSON schema of its messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reactor_nb.core.model import ModelSpec, VideoModel, spec_of
from reactor_nb.core.results import to_json
from reactor_nb.errors import ModelDefinitionError, ResultError, UsageError

FORMATS: Final = ("reactor", "openapi", "json-schema")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")


def schema_of(cls: type[VideoModel], format: str = "reactor") -> dict[str, Any]:
    """The commands of a model and what @model says of it. Plain JSON values, a fresh dict.

    Args:
        format: "reactor" as `VideoModel.commands()`, with `model` beside `commands`; "openapi" 3.1 with a POST for
            each command; "json-schema" 2020-12 of the messages {"type": NAME, "data": {...}} that the model takes.
    Raises:
        ModelDefinitionError: the class has no @model.
        UsageError: another format.
    """
    spec = spec_of(cls)
    if spec is None:
        raise ModelDefinitionError(f'{cls.__name__} has no @model. Write @model(name="my-model") above it.')
    if format == "reactor":
        return {"model": _described(spec), **cls.commands()}
    commands: dict[str, Any] = cls.commands()["commands"]
    if format == "openapi":
        return _openapi(spec, commands)
    if format == "json-schema":
        return _json_schema(spec, commands)
    raise UsageError(f"there is no schema format {format!r}; there is {', '.join(FORMATS)}. Type: --format reactor")


def _described(spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "config": spec.config,
        "weights": list(spec.weights),
        "metadata": {key: _as_json(value) for key, value in spec.metadata.items()},
    }


def _as_json(value: Any) -> Any:
    """Metadata may hold anything; what JSON cannot hold is shown as text."""
    try:
        return to_json(value)
    except ResultError:
        return str(value)


def _openapi(spec: ModelSpec, commands: Mapping[str, Any]) -> dict[str, Any]:
    paths = {
        f"/commands/{name}": {
            "post": {
                "operationId": name,
                "summary": command["description"],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _object(command["schema"])}},
                },
                "responses": {
                    "200": {"description": "what the command returned", "content": {"application/json": {}}},
                    "422": {"description": "parameters that the command does not take"},
                },
            }
        }
        for name, command in commands.items()
    }
    about = _described(spec)
    metadata = about["metadata"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": spec.name,
            "version": str(metadata.get("version", "0")),
            "description": str(metadata.get("description", "")),
            "x-reactor-model": about,
        },
        "paths": paths,
    }


def _json_schema(spec: ModelSpec, commands: Mapping[str, Any]) -> dict[str, Any]:
    messages: list[Any] = [
        {
            "title": name,
            "description": command["description"],
            "type": "object",
            "properties": {"type": {"const": name}, "data": _object(command["schema"])},
            "required": ["type", "data"],
        }
        for name, command in commands.items()
    ]
    about = _described(spec)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": spec.name,
        "description": str(about["metadata"].get("description", "")),
        "x-reactor-model": about,
        # Of a model without commands no message is valid: `false` as a schema refuses all.
        "oneOf": messages or [False],
    }


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a command's parameters, or of a nested object, with `required` as a list."""
    required = [name for name, schema in properties.items() if schema.get("required") is True]
    whole = {
        "type": "object",
        "properties": {name: _standard(schema) for name, schema in properties.items()},
        "additionalProperties": False,
    }
    return {**whole, "required": required} if required else whole


def _standard(schema: Any) -> Any:
    """Reactor's form as standard JSON schema: `required: true` at a property becomes its object's list."""
    if not isinstance(schema, Mapping):
        return schema
    flat = {key: value for key, value in schema.items() if not (key == "required" and value is True)}
    for key in _LISTED:
        if key in flat:
            flat[key] = [_standard(part) for part in flat[key]]
    for key in ("items", "additionalProperties", "propertyNames", "contains"):
        if key in flat:
            flat[key] = _standard(flat[key])
    if isinstance(flat.get("properties"), Mapping):
        required = [name for name, part in flat["properties"].items() if part.get("required") is True]
        flat["properties"] = {name: _standard(part) for name, part in flat["properties"].items()}
        if required:
            flat["required"] = required
    return flat
