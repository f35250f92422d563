"""The configuration that a model's `__init__` receives: a YAML file, and what was typed over it."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from reactor_nb.errors import ConfigError

if TYPE_CHECKING:
    from reactor_nb.core.model import ModelSpec

DEFAULT_RATE_FPS: Final = 30.0
MAX_RATE_FPS: Final = 240.0

Overrides: TypeAlias = Mapping[str, Any] | Iterable[str]


@dataclass(frozen=True)
class ModelConfig:
    """`values` goes to `__init__`; equal `fingerprint`s mean equal values.

    `warnings` are sentences for the person who typed the overrides. `file` is None where nothing was read.
    """

    values: DictConfig
    warnings: tuple[str, ...]
    fingerprint: str
    file: Path | None = None


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
        overrides: {"a.b": value}, or strings "a.b=value" whose right side is YAML. Always merged on top. A key that
            the file does not have is added, with a warning that names the nearest.
        folder: the model's own folder, where a path in @model starts.
    Raises:
        ConfigError: names the file and the line, or the key, of what cannot be read.
    """
    path = _path(spec, file, folder)
    values = OmegaConf.create({}) if path is None else _read(path)
    known = {*_keys(values), "fps"}  # `fps` is read by the runtime, whether the file has it or not
    warnings: list[str] = []
    for key, value in _pairs(overrides):
        if path is not None:
            warnings += [_unknown(full, path, known) for full in _full_keys(key, value) if full not in known]
        _apply(values, key, value)
    config = ModelConfig(values, tuple(dict.fromkeys(warnings)), _fingerprint(values, path), path)
    rate_of(config)
    return config


def rate_of(config: ModelConfig | Mapping[str, Any]) -> float:
    """The frame rate of `fps`, in frames per second; 30 where the configuration has none.

    Raises:
        ConfigError: no number in (0, 240].
    """
    values = config.values if isinstance(config, ModelConfig) else config
    origin = f"{config.file}: " if isinstance(config, ModelConfig) and config.file is not None else ""
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


def _read(path: Path) -> DictConfig:
    try:
        text = path.read_text(encoding="utf-8")
        values = OmegaConf.load(StringIO(text))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text: byte {error.start} is not UTF-8. Save it as UTF-8 YAML.") from error
    except MarkedYAMLError as error:
        raise ConfigError(f"{_place(path, error)}: {_problem(error)}. It needs YAML, such as\nfps: 30") from error
    except (YAMLError, OmegaConfBaseException, OSError) as error:
        raise ConfigError(f"{path} cannot be read: {_first_line(error)}. It needs YAML, such as\nfps: 30") from error
    # Of the text `fps 30`, where the colon was forgotten, OmegaConf makes {"fps 30": None}.
    if isinstance(values, DictConfig) and (":" in text or not values):
        return values
    kind = "a list" if OmegaConf.is_list(values) else "a single value"
    raise ConfigError(f"{path} holds {kind}; it needs keys and values, such as\nfps: 30")


def _pairs(overrides: Overrides) -> Iterator[tuple[str, Any]]:
    if isinstance(overrides, str):
        overrides = (overrides,)
    if isinstance(overrides, Mapping):
        yield from ((str(key), value) for key, value in overrides.items())
        return
    for text in overrides:
        key, equals, right = str(text).partition("=")
        key = key.strip()
        if not equals or not key:
            raise ConfigError(
                f"override {text!r} has no {'value' if key else 'key'}; it needs KEY=VALUE. "
                f"Type --model.{key or 'fps'}=VALUE"
            )
        yield key, _value(key, right)


def _value(key: str, text: str) -> Any:
    try:
        # A document of one key, so that the value is read exactly as it is in a file.
        document = OmegaConf.to_container(OmegaConf.create(f"value: {text}"))
    except MarkedYAMLError as error:
        if (error.problem or "").startswith("mapping values are not allowed"):
            return text  # a sentence with a colon in it
        raise _unreadable(key, text, error) from error
    except (YAMLError, OmegaConfBaseException) as error:
        raise _unreadable(key, text, error) from error
    return document["value"]  # type: ignore[index, call-overload]


def _unreadable(key: str, text: str, error: Exception) -> ConfigError:
    problem = _problem(error) if isinstance(error, MarkedYAMLError) else _first_line(error)
    return ConfigError(
        f"--model.{key}={text}: the value cannot be read as YAML: {problem}. To have it as text, type --model.{key}="
        f"\"'{text}'\""
    )


def _apply(values: DictConfig, key: str, value: Any) -> None:
    parts = _dotted(key).split(".")
    if not all(parts):
        raise ConfigError(f"--model.{key} is no key; its parts are joined by single dots. Type --model.a.b=VALUE")
    for count in range(1, len(parts)):
        holder = ".".join(parts[:count])
        held = OmegaConf.select(values, holder, throw_on_missing=False)
        if held is not None and not OmegaConf.is_config(held):
            raise ConfigError(
                f"--model.{key}: {holder} is {held!r} and holds no keys. Type --model.{holder}=VALUE, or "
                f"--model.{holder}='{{{'.'.join(parts[count:])}: VALUE}}' to replace it."
            )
    try:
        OmegaConf.update(values, key, value, merge=True, force_add=True)
    except (OmegaConfBaseException, ValueError, TypeError, AttributeError, IndexError) as error:
        raise ConfigError(
            f"--model.{key}={value!r} does not fit the configuration: {_first_line(error)}. "
            "Give it a key of the file, and a number, a string, a list or a mapping of them."
        ) from error


def _fingerprint(values: DictConfig, path: Path | None) -> str:
    try:
        plain = OmegaConf.to_container(values, resolve=True)
    except OmegaConfBaseException as error:
        raise ConfigError(
            f"{path or 'the overrides'}: the key {error.full_key or '?'} cannot be resolved: {_first_line(error)}."
        ) from error
    text = json.dumps(plain, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def _keys(values: Any, start: str = "") -> Iterator[str]:
    """Every key of a configuration, dotted, list positions included; those that hold others as well."""
    if OmegaConf.is_config(values):
        values = OmegaConf.to_container(values)
    if isinstance(values, Mapping):
        pairs = list(values.items())
    elif isinstance(values, list):
        pairs = list(enumerate(values))
    else:
        return
    for key, value in pairs:
        yield f"{start}{key}"
        yield from _keys(value, f"{start}{key}.")


def _full_keys(key: str, value: Any) -> list[str]:
    """The keys that an override sets: a mapping is merged, anything else replaces."""
    key = _dotted(key)
    return (list(_keys(value, f"{key}.")) if isinstance(value, Mapping | DictConfig) else []) or [key]


def _dotted(key: str) -> str:
    return key.replace("[", ".").replace("]", "")


def _unknown(key: str, path: Path, known: set[str]) -> str:
    names = sorted(name for name in known if not any(part.isdigit() for part in name.split(".")))
    near = difflib.get_close_matches(key, names, 1)
    tail = f"Nearest: {near[0]}. Type --model.{near[0]}=VALUE" if near else f"Its keys: {', '.join(names)}"
    return f"{path.name} has no key {key}; it was added. {tail}"


def _place(path: Path, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return str(path) if mark is None else f"{path}, line {mark.line + 1}, column {mark.column + 1}"


def _problem(error: MarkedYAMLError) -> str:
    return ", ".join(filter(None, (error.context, error.problem))) or _first_line(error)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).split("\n", 1)[0].rstrip(".")
