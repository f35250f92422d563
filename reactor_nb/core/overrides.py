"""What is typed over a configuration: --model.a.b=VALUE, or a mapping from Python."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from reactor_nb.core.config_file import problem
from reactor_nb.errors import ConfigError

Overrides: TypeAlias = Mapping[str, Any] | Iterable[str] | None

_COMMENT: Final = re.compile(r"(?:^|\s)#")
_OPENS_YAML: Final = tuple("\"'[{|>&*!@`%")


def pairs_of(overrides: Overrides) -> Iterator[tuple[str, Any, str]]:
    """Key, value, and how it was typed, in the order in which they are applied.

    Raises:
        ConfigError: an override without key or value, or a value that is no YAML.
    """
    if overrides is None:
        return
    if isinstance(overrides, str):
        overrides = (overrides,)
    if isinstance(overrides, Mapping):
        for name, value in overrides.items():
            yield str(name), _plain(value), f"overrides={{{str(name)!r}: {_short(value)}}}"
        return
    if not isinstance(overrides, Iterable):
        raise ConfigError(
            f"overrides got {type(overrides).__name__} {overrides!r}; it needs keys and values. "
            'Type overrides={"fps": 30} or overrides=["fps=30"]'
        )
    for text in overrides:
        key, equals, right = str(text).partition("=")
        key = key.strip()
        if not equals or not key:
            raise ConfigError(
                f"override {str(text)!r} has no {'value' if key else 'key'}; it needs KEY=VALUE. "
                f"Type --model.{key or 'fps'}=VALUE"
            )
        yield key, _value(key, right), f"--model.{key}={right}"


def apply(values: DictConfig, key: str, value: Any) -> None:
    """Set `key` of `values`; a mapping is merged, anything else replaces.

    Raises:
        ConfigError: the key goes through something that holds no keys, or the value is none of a configuration.
    """
    parts = dotted(key).split(".")
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
            f"--model.{key}={value!r} does not fit the configuration: {problem(error)}. "
            "Give it a key of the file, and a number, a string, a list or a mapping of them."
        ) from error


def keys_of(values: Any, start: str = "") -> Iterator[str]:
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
        yield from keys_of(value, f"{start}{key}.")


def full_keys(key: str, value: Any) -> list[str]:
    """The keys that an override sets: a mapping is merged, anything else replaces."""
    key = dotted(key)
    return (list(keys_of(value, f"{key}.")) if isinstance(value, Mapping | DictConfig) else []) or [key]


def dotted(key: str) -> str:
    """`layers[0].size` as `layers.0.size`."""
    return key.replace("[", ".").replace("]", "")


def unknown(key: str, path: Path, known: set[str]) -> str:
    """The warning about a key that the file does not have."""
    names = sorted(name for name in known if not any(part.isdigit() for part in name.split(".")))
    near = difflib.get_close_matches(key, names, 1)
    tail = f"Nearest: {near[0]}. Type --model.{near[0]}=VALUE" if near else f"Its keys: {', '.join(names)}"
    return f"{path.name} has no key {key}; it was added. {tail}"


def _value(key: str, text: str) -> Any:
    plain = text.strip()
    if not plain.startswith(_OPENS_YAML) and (_COMMENT.search(plain) or "\n" in plain):
        return plain  # a colour such as #ff8800, a sentence: an override has neither comments nor a second key
    try:
        # A document of one key, so that the value is read exactly as it is in a file.
        document = OmegaConf.to_container(OmegaConf.create(f"value: {text}"))
    except MarkedYAMLError as error:
        if (error.problem or "").startswith("mapping values are not allowed"):
            return text  # a sentence with a colon in it
        raise _unreadable(key, text, error) from error
    except (YAMLError, OmegaConfBaseException) as error:
        raise _unreadable(key, text, error) from error
    if not isinstance(document, dict) or len(document) != 1:
        raise ConfigError(
            f"--model.{key}={text!r} holds more than one value. Type one --model.KEY=VALUE for each, or "
            f"--model.{key}='{{a: 1, b: 2}}'"
        )
    return document["value"]


def _unreadable(key: str, text: str, error: Exception) -> ConfigError:
    quoted = text.replace("'", "''")
    return ConfigError(
        f"--model.{key}={text}: the value cannot be read as YAML: {problem(error)}. To have it as text, type "
        f"--model.{key}=\"'{quoted}'\""
    )


def _plain(value: Any) -> Any:
    """Numbers and arrays of numpy as Python's own, which OmegaConf takes."""
    return value.tolist() if callable(getattr(value, "tolist", None)) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
