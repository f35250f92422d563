"""Values as a person types them: times, counts, and the parameters of a command. For magics, shell and prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from reactor_nb.core.command import CommandSpec
from reactor_nb.errors import ParameterError, UsageError

_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def duration_s(text: str, flag: str = "--for", line: str = "%reactor run --for 10s") -> float:
    """Seconds of `10`, `10s`, `500ms`, `2m` or `1h`. `line` is what an error proposes to type.

    Raises:
        UsageError: no time above zero.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|)\s*", text)
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise UsageError(f"{flag} got {text!r}; it needs a time above zero such as 10s, 500ms or 2m. Type: {line}")
    return seconds


def count(text: str, flag: str = "--frames", line: str = "%reactor run --frames 300") -> int:
    """A whole number above zero.

    Raises:
        UsageError: anything else.
    """
    if not text.isdecimal() or int(text) == 0:
        raise UsageError(f"{flag} got {text!r}; it needs a whole number above zero. Type: {line}")
    return int(text)


def parameters(words: Sequence[str], spec: CommandSpec, verb: str = "%reactor send") -> dict[str, Any]:
    """The parameters as the words give them: `name=value` each, or the value alone of a single parameter.

    Raises:
        ParameterError: a word that is neither, or a name that is given twice.
    """
    known = {param.name: param.schema for param in spec.params}
    if len(known) == 1 and words and not any(word.partition("=")[0] in known for word in words):
        (only, schema) = next(iter(known.items()))
        return {only: value(" ".join(words), schema)}
    params: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ParameterError(
                f"{spec.name} got {word!r}, which is no NAME=VALUE. Type: {verb} {spec.signature()}",
                {word: "no NAME=VALUE"},
            )
        if name in params:
            raise ParameterError(f"{spec.name} got {name!r} twice. Type it once.", {name: "given twice"})
        params[name] = value(text, known.get(name, {}))
    return params


def value(text: str, schema: Mapping[str, Any]) -> Any:
    """Text stays text where the schema takes text; anything else may be written as JSON."""
    options = schema.get("enum", ())
    if schema.get("type") == "string" or (options and all(isinstance(option, str) for option in options)):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
