"""The configuration that a model's `__init__` receives: a YAML file, and what was typed over it."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from reactor_nb.core.config_file import places_of_keys, problem, read_file
from reactor_nb.core.overrides import Overrides, apply, full_keys, keys_of, pairs_of, unknown
from reactor_nb.errors import ConfigError

if TYPE_CHECKING:
    from reactor_nb.core.model import ModelSpec

__all__ = ["DEFAULT_RATE_FPS", "MAX_RATE_FPS", "ModelConfig", "Overrides", "load_config", "rate_of"]

DEFAULT_RATE_FPS: Final = 30.0
MAX_RATE_FPS: Final = 240.0


@dataclass(frozen=True)
class ModelConfig:
    """`values` goes to `__init__`; equal `fingerprint`s mean equal values.

    `warnings` are sentences for the person who typed the overrides. `file` is None where nothing was read.
    `typed`: dotted key -> the override that set it, as it was typed.
    """

    values: DictConfig
    warnings: tuple[str, ...]
    fingerprint: str
    file: Path | None = None
    typed: Mapping[str, str] = field(default_factory=dict)


def load_config(
    spec: ModelSpec,
    *,
    file: str | os.PathLike[str] | None = None,
    overrides: Overrides = (),
    folder: Path,
) -> ModelConfig:
    """Read the configuration of one run: `file` (the -c of a command line), else what @model names, else nothing.

    Args:
        file: relative to the working directory, or to `folder` where it is not found there.
        overrides: {"a.b": value}, or strings "a.b=value" whose right side is YAML. Always merged on top; of equal keys
            the last wins. A key that the file does not have is added, with a warning that names the nearest.
        folder: the model's own folder, where a path in @model starts.
    Raises:
        ConfigError: names the file and the line, or the key, of what cannot be read.
    """
    path = _path(spec, file, folder)
    values = OmegaConf.create({}) if path is None else read_file(path)
    known = {*keys_of(values), "fps"}  # `fps` is read by the runtime, whether the file has it or not
    warnings: list[str] = []
    typed: dict[str, str] = {}
    for key, value, text in pairs_of(overrides):
        set_keys = full_keys(key, value)
        if path is not None:
            warnings += [unknown(full, path, known) for full in set_keys if full not in known]
        apply(values, key, value)
        typed.update(dict.fromkeys(set_keys, text))
    config = ModelConfig(values, tuple(dict.fromkeys(warnings)), _fingerprint(values, path), path, typed)
    rate_of(config)
    return config


def rate_of(config: ModelConfig | Mapping[str, Any]) -> float:
    """The frame rate of `fps`, in frames per second; 30 where the configuration has none.

    Raises:
        ConfigError: no number in (0, 240].
    """
    values = config.values if isinstance(config, ModelConfig) else config
    origin = ""
    if isinstance(config, ModelConfig) and config.file is not None and "fps" not in config.typed:
        origin = f"{_origin(config.file, 'fps')}: "
    value = values.get("fps")
    if value is None:
        return DEFAULT_RATE_FPS
    try:
        rate_fps = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        rate_fps = math.nan
    if 0 < rate_fps <= MAX_RATE_FPS:
        return rate_fps
    raise ConfigError(
        f"{origin}fps is {value!r}; it needs frames per second, above 0 and at most {MAX_RATE_FPS:g}. "
        f"Write fps: {DEFAULT_RATE_FPS:g}, or type --model.fps={DEFAULT_RATE_FPS:g}"
    )


def _path(spec: ModelSpec, file: str | os.PathLike[str] | None, folder: Path) -> Path | None:
    if file is None and spec.config is None:
        return None
    wanted = Path(os.fspath(file if file is not None else spec.config or "")).expanduser()
    roots = [Path.cwd(), folder] if file is not None else [folder]
    places = list(dict.fromkeys((root / wanted).absolute() for root in roots))
    for place in places:
        if place.is_file():
            return place
    where = "a folder" if any(place.is_dir() for place in places) else "not there"
    named = "-c" if file is not None else f'@model(name="{spec.name}", config=...)'
    mend = "Type another one" if file is not None else "Write the file, remove config=, or type another one"
    raise ConfigError(
        f"{named} names the configuration {str(wanted)!r}, which is {where}: looked at "
        f"{' and '.join(map(str, places))}. {mend}: %reactor run {spec.name} -c FILE"
    )


def _fingerprint(values: DictConfig, path: Path | None) -> str:
    try:
        plain = OmegaConf.to_container(values, resolve=True)
    except OmegaConfBaseException as error:
        key = error.full_key or "?"
        where = _origin(path, key) or "the overrides"
        raise ConfigError(f"{where}: the key {key} cannot be resolved: {_unresolved(key, error)}") from error
    # Here, for OpenSSL takes 2 ms to load, and the schema of a model needs none.
    import hashlib

    return hashlib.sha256(json.dumps(_ordered(plain), default=repr).encode()).hexdigest()


def _origin(path: Path | None, key: str) -> str:
    """The file, with line and column of the key where it has it."""
    if path is None:
        return ""
    place = places_of_keys(path).get(key)
    return str(path) if place is None else place.of(path)


def _unresolved(key: str, error: OmegaConfBaseException) -> str:
    absent = re.search(r"Environment variable '([^']*)' not found", str(error))
    if absent is None:
        return f"{problem(error)}. Type --model.{key}=VALUE to do without it."
    name = absent.group(1)
    return f"the environment has no {name}. Set it, or write ${{oc.env:{name},DEFAULT}}, or type --model.{key}=VALUE"


def _ordered(value: Any) -> Any:
    """The same whatever the order of the keys, which YAML allows to be numbers and words at once."""
    if isinstance(value, Mapping):
        return sorted(([repr(key), _ordered(part)] for key, part in value.items()), key=lambda pair: pair[0])
    return [_ordered(part) for part in value] if isinstance(value, list | tuple) else value
