"""A configuration file: read as YAML, and where in it each key stands."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import GrammarParseError, OmegaConfBaseException
from omegaconf.grammar_parser import parse
from yaml import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

from reactor_nb.errors import ConfigError

_EXAMPLE = "It needs YAML, such as\nfps: 30"
_INTERPOLATION = "an interpolation that cannot be read. Write ${KEY}, ${oc.env:NAME}, or \\${ for these two letters"


class KeyPlace(NamedTuple):
    """Where a key is written in its file, both from 1."""

    line: int
    column: int

    def of(self, path: Path) -> str:
        """`FILE, line 3, column 1`."""
        return f"{path}, line {self.line}, column {self.column}"


def read_file(path: Path) -> DictConfig:
    """The keys and values of a YAML file; an empty one has none.

    Raises:
        ConfigError: names the file, and the line and column where it can be told.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text: byte {error.start} is not UTF-8. Save it as UTF-8 YAML.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}. Give it another one with -c.") from error
    try:
        values = OmegaConf.load(StringIO(text))
    except GrammarParseError as error:
        place = _unparsable(text)
        raise ConfigError(f"{path if place is None else place.of(path)}: {_INTERPOLATION}") from error
    except (YAMLError, OmegaConfBaseException, OSError, RecursionError) as error:
        raise ConfigError(f"{_place(path, text, error)}: {problem(error)}. {_EXAMPLE}") from error
    # Of the text `fps 30`, where the colon was forgotten, OmegaConf makes {"fps 30": None}.
    if isinstance(values, DictConfig) and (":" in text or not values):
        return values
    kind = "a list" if OmegaConf.is_list(values) else "a single value"
    raise ConfigError(f"{path} holds {kind}; it needs keys and values, such as\nfps: 30")


def places_of_keys(path: Path) -> dict[str, KeyPlace]:
    """Dotted key -> where it stands, for every key of the file; list positions are keys too.

    What a merge key (`<<`) brings stands where it was written. Empty where the file cannot be read any more.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, YAMLError, RecursionError):
        return {}
    return {key: place for key, place, _ in _nodes(root, "", ())}


def problem(error: BaseException) -> str:
    """What an error of yaml or OmegaConf says, in a line and without its full stop."""
    if isinstance(error, MarkedYAMLError):
        said = ", ".join(filter(None, (error.context, error.problem)))
        if said:
            return said.rstrip(".")
    return (str(error).strip() or type(error).__name__).split("\n", 1)[0].rstrip(".")


def _place(path: Path, text: str, error: Exception) -> str:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return str(path) if mark is None else KeyPlace(mark.line + 1, mark.column + 1).of(path)
    if isinstance(error, ReaderError):
        before = text[: max(text.find(chr(error.character)), 0)] if isinstance(error.character, int) else ""
        return KeyPlace(before.count("\n") + 1, len(before) - before.rfind("\n")).of(path)
    return str(path)


def _unparsable(text: str) -> KeyPlace | None:
    """The key whose value has an interpolation that OmegaConf cannot read."""
    for _, place, node in _nodes(yaml.compose(text, Loader=yaml.SafeLoader), "", ()):
        if isinstance(node, yaml.ScalarNode) and "${" in node.value:
            try:
                parse(node.value)
            except GrammarParseError:
                return place
    return None


def _nodes(node: Any, start: str, above: tuple[int, ...]) -> Iterator[tuple[str, KeyPlace, Any]]:
    if id(node) in above:
        return
    above = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        # What is merged in comes first, for the mapping's own keys overrule it.
        for key, value in sorted(node.value, key=lambda pair: pair[0].tag != "tag:yaml.org,2002:merge"):
            if key.tag == "tag:yaml.org,2002:merge":
                merged = reversed(value.value) if isinstance(value, yaml.SequenceNode) else [value]
                for part in merged:
                    yield from _nodes(part, start, above)
            elif isinstance(key, yaml.ScalarNode):
                yield f"{start}{key.value}", KeyPlace(key.start_mark.line + 1, key.start_mark.column + 1), value
                yield from _nodes(value, f"{start}{key.value}.", above)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield f"{start}{number}", KeyPlace(value.start_mark.line + 1, value.start_mark.column + 1), value
            yield from _nodes(value, f"{start}{number}.", above)
