"""Classes of the original package, where it is installed: recognised, and run as ours.

The package here has the original's modules and names, in our own words; what it does wrong is written as wrong.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reactor_nb.core.alias import install_alias, remove_alias
from reactor_nb.core.discovery import choose
from reactor_nb.core.model import ModelSpec, spec_of
from reactor_nb.core.project import find_model
from reactor_nb.core.source import folder_of
from reactor_nb.errors import ContextError, ModelDefinitionError, ModelNotFoundError, ParameterError, WeightsError
from tests.unit.core.stage import staged

PACKAGE = {
    "__init__.py": """
from reactor_runtime.context_api import get_ctx
from reactor_runtime.model_api import VideoModel, command, model
""",
    "registry.py": "MODEL_REGISTRY = {}\n",
    "context_api.py": """
ctx = None

def get_ctx():
    if ctx is None:
        raise RuntimeError("no context")
    return ctx
""",
    "model_api.py": """
from abc import ABC, abstractmethod
from reactor_runtime.registry import MODEL_REGISTRY

command_registry = {}

def model(name, config=None, weights=None, **metadata):
    def decorate(cls):
        if name in MODEL_REGISTRY:
            raise ValueError(f"Duplicate model name {name!r}")
        MODEL_REGISTRY[name] = {"class": cls, "name": name, "config": config, "weights": weights or [], **metadata}
        return cls
    return decorate

def command(name, description=""):
    def decorate(function):
        command_registry[name] = {"model": None, "description": description, "handler": function}
        return function
    return decorate

class VideoModel(ABC):
    @abstractmethod
    def start_session(self): ...
    def on_frame(self, frame): ...
    def send(self, name, args=None):
        raise AssertionError("the original's send")
    @staticmethod
    def weights(name):
        return "the original's"
""",
}
DREAM = """
import numpy as np
from pydantic import Field
from reactor_runtime import VideoModel, command, get_ctx, model

@model("dream", config="dream.yaml", weights=["vae"], author="Me")
class Dream(VideoModel):
    def __init__(self, config):
        self.speed = config.speed
        self.path = VideoModel.weights("vae")

    @command("set_speed", description="How fast")
    def set_speed(self, speed: float = Field(0.5, ge=0, le=1)):
        self.speed = speed
        get_ctx().send({"speed": speed})
        return speed

    def start_session(self):
        while not get_ctx().should_stop():
            get_ctx().emit_block(np.zeros((4, 6, 3), np.uint8))
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The original, on the search path of this test."""
    monkeypatch.delenv("REACTOR_WEIGHTS_PATH", raising=False)
    write(tmp_path / "site" / "reactor_runtime", PACKAGE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    before = set(sys.modules)
    install_alias()
    yield
    remove_alias()
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "weights" / "vae").mkdir(parents=True)
    return write(folder, {"dream.py": DREAM, "dream.yaml": "speed: 0.25\n"})


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def original(name: str = "model_api") -> Any:
    return importlib.import_module(f"reactor_runtime.{name}")


def test_a_model_of_the_original_plays_with_its_weights_configuration_and_command(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    cls = find_model(project)
    assert spec_of(cls) == ModelSpec("dream", "dream.yaml", ("vae",), {"author": "Me"})
    assert issubclass(cls, original().VideoModel) and folder_of(cls) == project
    with staged(cls) as stage:
        session = stage.play()
        assert session.wait_ready(5)
        instance: Any = stage.loaded.instance
        assert (instance.speed, instance.path) == (0.25, project / "weights" / "vae")
        assert session.send("set_speed", 5, speed=0.75) == 0.75
        assert next(iter(session.messages(5))) == {"speed": 0.75}
        with pytest.raises(ParameterError):
            session.send("set_speed", 5, speed=2)
        assert session.wait(5, 3)
        session.stop()
        assert session.state == "ended" and session.error is None


def test_its_schema_is_that_of_a_class_of_ours(project: Path) -> None:
    speed = {"default": 0.5, "maximum": 1, "minimum": 0, "type": "number"}
    expected = {"set_speed": {"description": "How fast", "schema": {"speed": speed}}}
    assert find_model(project).commands() == {"commands": expected}


def test_a_class_in_a_notebook_is_found_and_its_cell_may_run_again() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(DREAM, namespace)
    first = choose(namespace)
    assert first is choose(namespace, "dream") is choose(namespace, "Dream")
    exec(DREAM, namespace)
    assert choose(namespace) is not first
    assert choose(namespace).__name__ == "Dream"


def test_an_override_without_command_keeps_the_command() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    text = """
@model("deeper")
class Deeper(Dream):
    def __init__(self, config): ...
    def set_speed(self, speed: float = 0.5):
        return -speed
"""
    exec(DREAM + text, namespace)
    deeper: Any = choose(namespace, "deeper")
    assert deeper({}).send("set_speed", {"speed": 1}) == -1


def test_an_undecorated_class_of_the_original_is_no_candidate() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("from reactor_runtime import VideoModel\nclass Bare(VideoModel):\n    def start_session(self): ...", namespace)
    with pytest.raises(ModelNotFoundError, match="No @model decorated class found"):
        choose(namespace)


def test_a_class_without_start_session_says_what_to_write() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("from reactor_runtime import *\n@model('m')\nclass Empty(VideoModel): pass", namespace)
    with pytest.raises(ModelDefinitionError, match="Empty has no start_session"):
        choose(namespace)


def test_its_name_must_be_one() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(DREAM.replace('"dream",', '"My Dream",'), namespace)
    with pytest.raises(ModelDefinitionError, match=r"'M' at position 1 is not allowed"):
        choose(namespace)


def test_outside_a_session_its_context_says_what_ours_says(project: Path) -> None:
    find_model(project)
    with pytest.raises(ContextError, match=r"^Global context not set"):
        original("context_api").get_ctx().should_stop()


def test_taken_back_the_original_is_as_it_was(project: Path) -> None:
    find_model(project)
    remove_alias()
    assert original("context_api").ctx is None
    assert original().VideoModel.weights("vae") == "the original's"
    find_model(project)
    with pytest.raises(WeightsError, match="while no model is being loaded"):
        original().VideoModel.weights("vae")


def test_a_version_that_is_not_known_is_refused_with_a_sentence() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(DREAM, namespace)
    del original().command_registry
    with pytest.raises(
        ModelDefinitionError, match=r"^Dream is a VideoModel of the installed reactor_runtime of an unknown"
    ):
        choose(namespace)
    with pytest.raises(
        ModelDefinitionError, match=r"Write: from reactor_nb import VideoModel, model, command, get_ctx$"
    ):
        choose(namespace)
