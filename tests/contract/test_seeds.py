"""The seed documents, as they are: every block of theirs runs, and their models play."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from reactor_nb.core.buffer import FrameBuffer
from reactor_nb.core.config import load_config
from reactor_nb.core.discovery import choose
from reactor_nb.core.loaded import LoadedModel
from reactor_nb.core.log import Log
from reactor_nb.core.model import ModelSpec, VideoModel, model, spec_of
from reactor_nb.core.session import Session
from reactor_nb.core.source import folder_of
from reactor_nb.errors import ModelNotFoundError
from tests.contract.seed_cases.blocks import COMMAND_PAGE, DOCUMENTS, FOLDER, MODEL_PAGE, SEEDS, Seed, lines_of, seed_at
from tests.support.eventually import eventually

CODE = [seed for seed in SEEDS if seed.kind in ("module", "decorator", "method")]
COMMANDS = Path(__file__).parent / "seed_cases" / "commands.json"
_LOOKS_LIKE_CODE = re.compile(r"@\w+\(|from \w+ import |import |class |def |    |\)$|cd |reactor run --|\w+: [\d.]+$")

Load = Callable[[Seed], ModuleType]
Play = Callable[[type[VideoModel]], Session]


@pytest.fixture(autouse=True)
def seeds() -> None:
    missing = [document for document in DOCUMENTS if not (FOLDER / document).is_file()]
    if missing:
        pytest.skip(f"no {' and '.join(missing)} in {FOLDER}; set REACTOR_NB_SEEDS to the folder of the seed documents")


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Runs a block as a module, in a folder that holds the files which the documents speak of."""
    (tmp_path / "configs").mkdir()
    values = seed_at(MODEL_PAGE, 124).text()
    for name in ("default.yaml", "production.yaml"):
        (tmp_path / "configs" / name).write_text(values)
    for name in ("diffusion-weights", "vae-decoder", "my-model-weights"):
        (tmp_path / "weights" / name).mkdir(parents=True)
    monkeypatch.delenv("REACTOR_WEIGHTS_PATH", raising=False)

    def run(seed: Seed) -> ModuleType:
        name = f"seed_{seed.label.replace('-', '_')}"
        path = tmp_path / f"{name}.py"
        path.write_text(seed.module())
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return run


@pytest.fixture
def play() -> Iterator[Play]:
    """Starts a session whose frames a clock takes; it is stopped and unloaded after the test."""
    with ExitStack() as ends:

        def start(cls: type[VideoModel]) -> Session:
            spec = spec_of(cls)
            assert spec is not None
            loaded = LoadedModel(cls, load_config(spec, folder=folder_of(cls)), Log())
            ends.callback(loaded.unload, 5.0)
            buffer = FrameBuffer(240)
            clock = threading.Thread(
                target=lambda: list(iter(buffer.take, None)), name="reactor-clock-seed", daemon=True
            )
            ends.callback(clock.join, 5.0)
            ends.callback(buffer.close)
            session = Session(loaded, buffer, rate_fps=240)
            ends.callback(session.stop)
            clock.start()
            session.start()
            eventually(lambda: session.state in ("ready", "streaming"), timeout_s=5)
            return session

        yield start


def model_of(module: ModuleType) -> type[VideoModel]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, VideoModel) and value is not VideoModel
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.label)
def test_each_block_starts_where_the_table_says(seed: Seed) -> None:
    assert seed.text().splitlines()[0] == seed.starts


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_line_of_code_is_left_out_of_the_table(document: str) -> None:
    covered = {line for seed in SEEDS if seed.document == document for line in range(seed.first, seed.last + 1)}
    left = [
        (number, line)
        for number, line in enumerate(lines_of(document), 1)
        if number not in covered and _LOOKS_LIKE_CODE.match(line)
    ]
    assert left == []


@pytest.mark.parametrize("seed", CODE, ids=lambda seed: seed.label)
def test_each_block_runs(seed: Seed, load: Load) -> None:
    assert issubclass(model_of(load(seed)), VideoModel)


@pytest.mark.parametrize("seed", [seed for seed in CODE if seed.document == MODEL_PAGE], ids=lambda seed: seed.label)
def test_each_model_of_the_documents_is_found_by_its_name(seed: Seed, load: Load) -> None:
    module = load(seed)
    cls = choose(vars(module))
    spec = spec_of(cls)
    assert spec is not None and f'name="{spec.name}"' in seed.text()
    assert choose(vars(module), spec.name) is cls


def test_the_decorators_say_what_the_page_says(load: Load) -> None:
    def said(first: int) -> ModelSpec | None:
        return spec_of(model_of(load(seed_at(MODEL_PAGE, first))))

    assert said(36) == ModelSpec("my-model", config="configs/default.yaml")
    assert said(44) == ModelSpec("my-model", weights=("my-model-weights", "vae-decoder"))
    assert said(52) == ModelSpec(
        "my-model",
        config="configs/default.yaml",
        metadata={"author": "Your Name", "version": "1.0.0", "description": "A real-time diffusion model"},
    )


def test_a_model_without_config_gets_an_empty_configuration(load: Load) -> None:
    spec = spec_of(model_of(load(seed_at(MODEL_PAGE, 3))))
    assert spec is not None
    assert OmegaConf.to_container(load_config(spec, folder=Path.cwd()).values) == {}


def test_the_factory_configuration_is_read_and_overridden(load: Load) -> None:
    cls = model_of(load(seed_at(MODEL_PAGE, 36)))
    spec = spec_of(cls)
    assert spec is not None
    config = load_config(spec, overrides=["fps=60"], folder=folder_of(cls))
    assert OmegaConf.to_container(config.values) == {"fps": 60, "num_steps": 8, "guidance_scale": 7.5}


def test_a_folder_without_a_model_says_what_the_page_says(load: Load) -> None:
    said = seed_at(MODEL_PAGE, 78).text().removeprefix("Error: ").removesuffix(" in project.\n")
    with pytest.raises(ModelNotFoundError, match=f"^{re.escape(said)}"):
        choose({})


def test_the_commands_of_the_page_have_upstreams_schema(load: Load) -> None:
    found: dict[str, Any] = {}
    for first in (17, 43, 53, 66):
        found |= model_of(load(seed_at(COMMAND_PAGE, first))).commands()["commands"]
    expected = json.loads(COMMANDS.read_text())
    assert json.dumps({"commands": found}, sort_keys=True) == json.dumps(expected, sort_keys=True)


def test_the_message_of_the_page_reaches_its_method(load: Load) -> None:
    line = lines_of(COMMAND_PAGE)[33]
    found = re.search(r'\{"type".*\}\}', line)
    assert found is not None
    message = json.loads(found.group())
    instance: Any = model_of(load(seed_at(COMMAND_PAGE, 17)))({})
    instance.send(message["type"], message["data"])
    assert instance.current_prompt == "a rainy night"


def test_the_camera_of_the_page_takes_a_default_in_both_ways_to_call(load: Load) -> None:
    camera: Any = type("Camera", (model_of(load(seed_at(COMMAND_PAGE, 66))),), {"start_session": lambda self: None})()
    camera.send("set_camera", {"direction": "up"})
    assert (camera.camera_direction, camera.camera_speed) == ("up", 0.5)
    camera.set_camera("down")
    assert (camera.camera_direction, camera.camera_speed) == ("down", 0.5)


def test_the_complete_example_plays_with_its_weights_configuration_and_command(
    load: Load, play: Play, tmp_path: Path
) -> None:
    cls: Any = model_of(load(seed_at(MODEL_PAGE, 87)))
    found: list[Path] = []
    asked = cls._load_pipeline
    prompts: list[str] = []

    def load_pipeline(self: Any) -> None:
        found.append(VideoModel.weights("diffusion-weights"))
        asked(self)

    def generate(self: Any) -> Any:
        prompts.append(getattr(self, "current_prompt", ""))
        return np.zeros((2, 48, 64, 3), np.uint8)

    cls._load_pipeline, cls.generate = load_pipeline, generate
    session = play(cls)
    assert session.loaded.instance.num_steps == 8  # type: ignore[attr-defined]
    assert found == [tmp_path / "weights" / "diffusion-weights"]
    session.send("set_prompt", 5, prompt="a rainy night")
    eventually(lambda: prompts[-1:] == ["a rainy night"], timeout_s=5)
    session.stop()
    assert session.state == "ended" and session.error is None


def test_the_loop_that_never_asks_to_stop_plays_and_ends(load: Load, play: Play) -> None:
    module: Any = load(seed_at(COMMAND_PAGE, 91))
    movements: list[str] = []

    class Pipeline:
        def generate(self, movement: str) -> Any:
            movements.append(movement)
            return np.zeros((48, 64, 3), np.uint8)

    module.load_pipeline = Pipeline
    session = play(model("walker")(model_of(module)))
    session.send("move", 5, direction="left")
    eventually(lambda: movements[-1:] == ["left"], timeout_s=5)
    session.stop()
    assert session.state == "ended" and session.error is None
