"""The schema of a model in each of its forms."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from reactor_nb.core.command import command
from reactor_nb.core.export import schema_of
from reactor_nb.core.model import VideoModel, model
from reactor_nb.errors import ModelDefinitionError, UsageError


class Light(BaseModel):
    colour: str
    power: float = 1.0


@model("stage", config="stage.yaml", weights=["lamps"], author="tests", version="1.2.0", shape=(2, 3), kind=set)
class Stage(VideoModel):
    @command("move", description="Set movement direction")
    def move(self, direction: Literal["left", "right"]) -> None: ...

    @command("dim")
    def dim(self, speed: float = Field(0.5, ge=0.0, le=1.0)) -> None: ...

    @command("place")
    def place(self, lights: list[Light]) -> None: ...

    def start_session(self) -> None: ...


@model("mute")
class Mute(VideoModel):
    def start_session(self) -> None: ...


def properties(schema: dict[str, Any]) -> Any:
    return {name: message["properties"]["data"] for name, message in zip(
        ("move", "dim", "place"), schema["oneOf"], strict=True)}  # fmt: skip


def test_reactors_form_has_the_commands_as_they_are_and_what_the_decorator_says() -> None:
    schema = schema_of(Stage)
    assert schema["commands"] == Stage.commands()["commands"]
    assert schema["model"] == {
        "name": "stage",
        "config": "stage.yaml",
        "weights": ["lamps"],
        "metadata": {"author": "tests", "version": "1.2.0", "shape": [2, 3], "kind": "<class 'set'>"},
    }


@pytest.mark.parametrize("format", ["reactor", "openapi", "json-schema"])
def test_every_form_is_json_and_has_no_reference(format: str) -> None:
    assert "$ref" not in json.dumps(schema_of(Stage, format), allow_nan=False)


def test_the_json_schema_lists_what_is_required_and_says_so_in_nested_objects() -> None:
    data = properties(schema_of(Stage, "json-schema"))
    assert data["move"]["required"] == ["direction"]
    assert "required" not in data["dim"]
    light = data["place"]["properties"]["lights"]["items"]
    assert light["required"] == ["colour"]
    assert light["properties"]["colour"] == {"type": "string"}


def test_the_messages_of_a_model_without_commands_are_none() -> None:
    assert schema_of(Mute, "json-schema")["oneOf"] == [False]
    assert schema_of(Mute)["commands"] == {}


def test_openapi_has_a_post_for_each_command_and_the_version_of_the_metadata() -> None:
    document = schema_of(Stage, "openapi")
    assert document["info"]["title"] == "stage"
    assert document["info"]["version"] == "1.2.0"
    assert set(document["paths"]) == {"/commands/move", "/commands/dim", "/commands/place"}
    body = document["paths"]["/commands/move"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["direction"] == {"enum": ["left", "right"], "type": "string"}


def test_another_form_and_an_undecorated_class_are_refused() -> None:
    with pytest.raises(UsageError, match="no schema format 'yaml'"):
        schema_of(Stage, "yaml")
    with pytest.raises(ModelDefinitionError, match="has no @model"):
        schema_of(type("Plain", (VideoModel,), {}))
