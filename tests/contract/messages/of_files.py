"""Mistakes in configuration files, overrides, weights and media files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reactor_nb.core.config import load_config
from reactor_nb.core.model import ModelSpec
from reactor_nb.core.weights import find_weights
from reactor_nb.errors import ConfigError, MediaFileError, WeightsError
from reactor_nb.media.input_file import open_frames
from tests.contract.messages.case import Cases

CASES = Cases()
answered = CASES.answered


def written(folder: Path, text: str, overrides: Any = ()) -> object:
    (folder / "plasma.yaml").write_text(text)
    return load_config(ModelSpec("plasma", "plasma.yaml"), overrides=overrides, folder=folder)


def typed(folder: Path, *overrides: str) -> object:
    return written(folder, "fps: 30\nvae: {size: 1}\n", overrides)


@answered(
    ConfigError,
    "@model(name=\"plasma\", config=...) names the configuration 'plasma.yaml', which is not there: looked at "
    "FOLDER/plasma.yaml. Write the file, remove config=, or type another one: %reactor run plasma -c FILE",
)
def a_file_that_is_not_there(folder: Path) -> object:
    return load_config(ModelSpec("plasma", "plasma.yaml"), folder=folder)


@answered(
    ConfigError,
    "-c names the configuration 'FOLDER', which is a folder: looked at FOLDER. Type another one: %reactor run "
    "plasma -c FILE",
)
def a_folder_in_place_of_a_file(folder: Path) -> object:
    return load_config(ModelSpec("plasma"), file=folder, folder=folder)


@answered(
    ConfigError,
    "FOLDER/plasma.yaml, line 2, column 1: while constructing a mapping, found duplicate key fps. It needs "
    "YAML, such as\nfps: 30",
)
def a_key_that_stands_twice(folder: Path) -> object:
    return written(folder, "fps: 30\nfps: 60\n")


@answered(
    ConfigError,
    "FOLDER/plasma.yaml, line 2, column 1: an interpolation that cannot be read. Write ${KEY}, ${oc.env:NAME}, "
    "or \\${ for these two letters",
)
def an_interpolation_that_is_not_closed(folder: Path) -> object:
    return written(folder, "fps: 30\nsize: ${\n")


@answered(ConfigError, "FOLDER/plasma.yaml holds a list; it needs keys and values, such as\nfps: 30")
def a_list_in_place_of_keys(folder: Path) -> object:
    return written(folder, "- 30\n")


@answered(ConfigError, "FOLDER/plasma.yaml holds a single value; it needs keys and values, such as\nfps: 30")
def a_colon_that_was_forgotten(folder: Path) -> object:
    return written(folder, "fps 30\n")


@answered(ConfigError, "FOLDER/plasma.yaml is no text: byte 0 is not UTF-8. Save it as UTF-8 YAML.")
def a_file_that_is_no_text(folder: Path) -> object:
    (folder / "plasma.yaml").write_bytes(b"\xff\xfe")
    return load_config(ModelSpec("plasma", "plasma.yaml"), folder=folder)


@answered(
    ConfigError,
    "FOLDER/plasma.yaml, line 2, column 1: the key size cannot be resolved: the environment has no "
    "NO_SUCH_VARIABLE. Set it, or write ${oc.env:NO_SUCH_VARIABLE,DEFAULT}, or type --model.size=VALUE",
)
def a_variable_that_the_environment_does_not_have(folder: Path) -> object:
    return written(folder, "fps: 30\nsize: ${oc.env:NO_SUCH_VARIABLE}\n")


@answered(
    ConfigError,
    "FOLDER/plasma.yaml, line 1, column 1: the key size cannot be resolved: Interpolation key 'nowhere' not "
    "found. Type --model.size=VALUE to do without it.",
)
def a_reference_to_a_key_that_is_none(folder: Path) -> object:
    return written(folder, "size: ${nowhere}\n")


@answered(
    ConfigError,
    "--model.sizes='[1]\\nsteps: 2' holds more than one value. Type one --model.KEY=VALUE for each, or "
    "--model.sizes='{a: 1, b: 2}'",
)
def an_override_of_two_values(folder: Path) -> object:
    return typed(folder, "sizes=[1]\nsteps: 2")


@answered(
    ConfigError,
    "FOLDER/plasma.yaml, line 1, column 1: fps is 'fast'; it needs frames per second, above 0 and at most 240. "
    "Write fps: 30, or type --model.fps=30",
)
def a_rate_that_is_no_number(folder: Path) -> object:
    return written(folder, "fps: fast\n")


@answered(ConfigError, "override 'fps' has no value; it needs KEY=VALUE. Type --model.fps=VALUE")
def an_override_without_a_value(folder: Path) -> object:
    return typed(folder, "fps")


@answered(ConfigError, "--model.vae..size is no key; its parts are joined by single dots. Type --model.a.b=VALUE")
def an_override_with_two_dots(folder: Path) -> object:
    return typed(folder, "vae..size=1")


@answered(
    ConfigError,
    "--model.fps.max: fps is 30 and holds no keys. Type --model.fps=VALUE, or --model.fps='{max: VALUE}' to "
    "replace it.",
)
def an_override_below_a_value(folder: Path) -> object:
    return typed(folder, "fps.max=60")


@answered(
    ConfigError, 'overrides got int 60; it needs keys and values. Type overrides={"fps": 30} or overrides=["fps=30"]'
)
def overrides_that_are_a_number(folder: Path) -> object:
    return written(folder, "fps: 30", 60)


@answered(
    WeightsError,
    "weights('difusion'): plasma declares no such weights, only diffusion. Did you mean weights(\"diffusion\")?",
)
def weights_that_are_not_declared(folder: Path) -> object:
    return find_weights(ModelSpec("plasma", weights=("diffusion",)), "difusion", folder)


@answered(
    WeightsError,
    "weights('../diffusion'): the name of a weight folder has letters, digits, underscores and hyphens. "
    "Declared by plasma: diffusion",
)
def weights_with_a_path_for_a_name(folder: Path) -> object:
    return find_weights(ModelSpec("plasma", weights=("diffusion",)), "../diffusion", folder)


@answered(MediaFileError, "FOLDER/in.mp4 is not there. Name a video or a folder of pictures: --input in.mp4")
def an_input_that_is_not_there(folder: Path) -> object:
    return open_frames(folder / "in.mp4")
