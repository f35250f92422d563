"""The merged configuration, key by key, and where each value came from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from omegaconf import OmegaConf

from reactor_nb.core.config import DEFAULT_RATE_FPS, ModelConfig
from reactor_nb.core.config_file import KeyPlace, places_of_keys

_SECRET: Final = re.compile(r"token(?!s|iz)|secret|password|passwd|api_?key|credential", re.IGNORECASE)
_HIDDEN: Final = "********"


class ConfigRow(NamedTuple):
    """One value that `__init__` receives. `key` is what --model.KEY=VALUE takes; lists are one row.

    `value`: resolved; what looks like a secret by its name is hidden. `source`: file and line, or what was typed.
    """

    key: str
    value: Any
    source: str

    @property
    def text(self) -> str:
        """The value as YAML, in one line."""
        return _as_yaml(self.value)


def explain_config(config: ModelConfig) -> tuple[ConfigRow, ...]:
    """A row for each value of a loaded configuration, in the order of the file; `fps` is always among them."""
    places = places_of_keys(config.file) if config.file is not None else {}
    resolved = OmegaConf.to_container(config.values, resolve=True)
    written = OmegaConf.to_container(config.values)
    rows = [
        ConfigRow(key, _shown(key, value, raw), _source(config, places, key, raw))
        for key, value, raw in _leaves(resolved, written, "")
    ]
    if config.values.get("fps") is None and not any(row.key == "fps" for row in rows):
        rows.append(ConfigRow("fps", DEFAULT_RATE_FPS, "default"))
    return tuple(rows)


def config_lines(config: ModelConfig) -> list[str]:
    """What `%reactor config` and `reactor run --config-help` print: a line per value, its source behind it."""
    rows = explain_config(config)
    typed = [f"--model.{row.key}={row.text}" for row in rows]
    # A prompt of 300 characters must not push the sources of all other keys off the screen.
    width = min(max(map(len, typed)), 60)
    return [f"{text:<{width}}  {row.source}" for text, row in zip(typed, rows, strict=True)]


def _leaves(resolved: Any, written: Any, start: str) -> Iterator[tuple[str, Any, Any]]:
    for key, value in resolved.items():
        # Of `a: ${b}` with a mapping for b, what is written is the interpolation itself.
        raw = written.get(key, value) if isinstance(written, Mapping) else written
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, raw, f"{start}{key}.")
        else:
            yield f"{start}{key}", value, raw


def _source(config: ModelConfig, places: Mapping[str, KeyPlace], key: str, raw: Any) -> str:
    typed = {at: _without_secrets(at, text) for at, text in config.typed.items()}
    outer = [text for at, text in typed.items() if key == at or key.startswith(f"{at}.")]
    if outer or config.file is None:
        return outer[-1] if outer else "overrides"
    inner = [text for at, text in typed.items() if at.startswith(f"{key}.")]
    place = places.get(key) or _nearest(places, key)
    source = _relative(config.file) + (f", line {place.line}" if place is not None else "")
    if isinstance(raw, str) and "${" in raw:
        source += f": {raw}"
    return ", ".join(dict.fromkeys([source, *inner]))


def _nearest(places: Mapping[str, KeyPlace], key: str) -> KeyPlace | None:
    """Where the mapping stands that holds the key: an alias or an interpolation brought it."""
    while "." in key:
        key = key.rpartition(".")[0]
        if key in places:
            return places[key]
    return None


def _without_secrets(key: str, text: str) -> str:
    is_secret = _SECRET.search(key) or ("{" in text and _SECRET.search(text))
    return f"{text.partition('=')[0]}={_HIDDEN}" if is_secret else text


def _shown(key: str, value: Any, raw: Any) -> Any:
    is_secret = _SECRET.search(key) or (isinstance(raw, str) and "oc.env" in raw and _SECRET.search(raw))
    return _HIDDEN if is_secret and value not in (None, "") and isinstance(value, str) else value


def _as_yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return os.fspath(path)
