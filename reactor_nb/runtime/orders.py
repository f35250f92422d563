"""The orders of the headless prompt: how a line is read, and what may stand next in it."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from reactor_nb.core.command import CommandSpec, find_command
from reactor_nb.core.typed import parameters
from reactor_nb.errors import ParameterError, UsageError

ORDERS: Final = {
    "start": "begin a session; the model is loaded once",
    "stop": "end it",
    "cmd": "NAME JSON: call a command; also NAME KEY=VALUE",
    "status": "state, frames and rate",
    "profile": "where the time of the last 300 frames went; profile FILE.svg draws it",
    "wait": "2s, or 90 frames: wait before the next line",
    "help": "this page, and the model's commands",
    "quit": "end everything",
}
_ALIASES: Final = {"exit": "quit", "q": "quit", "?": "help", "command": "cmd", "send": "cmd"}


class Option(NamedTuple):
    """What may be typed at the end of a line: `text` in place of the last `typed` characters."""

    text: str
    typed: int
    summary: str


def read_order(line: str) -> tuple[str, str]:
    """The order and the rest of its line.

    Raises:
        UsageError: there is no such order; names the nearest.
    """
    word, _, rest = line.strip().partition(" ")
    order = _ALIASES.get(word.lower(), word.lower())
    if order in ORDERS:
        return order, rest.strip()
    near = difflib.get_close_matches(order, ORDERS, 1)
    raise UsageError(f"there is no {word!r}; there is {', '.join(ORDERS)}. Type: {near[0] if near else 'help'}")


def read_call(rest: str, commands: Mapping[str, CommandSpec]) -> tuple[str, dict[str, Any]]:
    """The command and the parameters of `NAME {"key": value}` or `NAME key=value ...`. Not validated yet.

    Raises:
        UsageError, UnknownCommandError, ParameterError: it cannot be read; says what to type.
    """
    name, _, text = rest.partition(" ")
    if not name:
        raise UsageError(f"cmd needs the name of a command. Type: {_example(commands)}")
    text = text.strip()
    if not text:
        return name, {}
    if text.startswith(("{", "[")):
        return name, _read_json(name, text, commands)
    spec = find_command(commands, name)
    try:
        words = shlex.split(text)
    except ValueError as unbalanced:
        raise UsageError(f"{text!r} cannot be split into words: {unbalanced}. Type: {template(spec)}") from unbalanced
    return name, parameters(words, spec, "cmd")


def template(spec: CommandSpec) -> str:
    """A line that calls the command: `cmd move {"direction": "left"}`."""
    text = f" {json.dumps({param.name: _example_value(param.schema) for param in spec.params})}" if spec.params else ""
    return f"cmd {spec.name}{text}"


def options(line: str, commands: Mapping[str, CommandSpec]) -> Iterator[Option]:
    """What may be typed next: an order, a command, or the parameters of one."""
    words = line.split(" ", 2)
    if len(words) == 1:
        yield from (Option(order, len(line), text) for order, text in ORDERS.items() if order.startswith(line))
    elif words[0] == "cmd" and len(words) == 2:
        for name, spec in commands.items():
            if name.startswith(words[1]):
                yield Option(name, len(words[1]), spec.description)
    elif words[0] == "cmd" and words[1] in commands:
        for text, summary in _filled(commands[words[1]]):
            if text.startswith(words[2]):
                yield Option(text, len(words[2]), summary)


def _read_json(name: str, text: str, commands: Mapping[str, CommandSpec]) -> dict[str, Any]:
    proposed = template(commands[name]) if name in commands else _example(commands)
    try:
        params = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{text} is no JSON: {error}. Type: {proposed}") from error
    if not isinstance(params, dict):
        raise ParameterError(f"{name} got {text}; it needs a JSON object. Type: {proposed}")
    return params


def _example(commands: Mapping[str, CommandSpec]) -> str:
    return template(next(iter(commands.values()))) if commands else "cmd NAME {}"


def _example_value(schema: Mapping[str, Any]) -> Any:
    if "default" in schema:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    kind = schema.get("type")
    if kind in ("number", "integer"):
        return low if low is not None else 0
    return {"boolean": True, "array": [], "object": {}, "null": None}.get(str(kind), "...")


def _filled(spec: CommandSpec) -> Iterator[tuple[str, str]]:
    """The parameters with each value of the first one that has a few; else with an example."""
    example = {param.name: _example_value(param.schema) for param in spec.params}
    for param in spec.params:
        choices = param.schema.get("enum") or ([True, False] if param.schema.get("type") == "boolean" else [])
        if choices:
            yield from ((json.dumps({**example, param.name: choice}), spec.signature()) for choice in choices)
            return
    if example:
        yield json.dumps(example), spec.signature()
