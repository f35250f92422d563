"""Reads the line of a magic: `run plasma -c big.yaml --model.fps=60 --for 10s`. No IPython in here."""

from __future__ import annotations

import ast
import difflib
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reactor_nb.core import typed
from reactor_nb.core.command import CommandSpec
from reactor_nb.errors import UsageError
from reactor_nb.runtime.settings import StreamChoice

VERBS = ("run", "send", "stop", "status", "schema", "config", "check", "session", "unload", "profile", "doctor", "help")
STREAM_FLAGS = {"--quality": "high", "--bitrate": "8M", "--smoothness": "0.5", "--carrier": "auto"}
"""Options of `%reactor run` that are fields of StreamChoice, and an example of each."""
RUN_FLAGS = ("-c", "--path", "--for", "--frames", "--no-poster", *STREAM_FLAGS, "--model.")


@dataclass(frozen=True, slots=True)
class RunArguments:
    """`%reactor run`, and `check` and `config`: which class, with which configuration, for how long."""

    name: str | None = None
    path: str | None = None
    config: str | None = None
    overrides: tuple[str, ...] = ()
    duration_s: float | None = None
    frames: int | None = None
    has_poster: bool = True
    stream: StreamChoice = field(default_factory=StreamChoice)

    @property
    def waits(self) -> bool:
        return self.duration_s is not None or self.frames is not None


@dataclass(frozen=True, slots=True)
class SendArguments:
    """`%reactor send`: the words after the command are read once its CommandSpec is known."""

    command: str
    words: tuple[str, ...] = ()
    json_params: Mapping[str, Any] | None = None
    model_name: str | None = None


def expand(line: str, expand_text: Callable[[str], str]) -> str:
    """IPython's `{x}` and `$x` expansion, outside JSON objects: their braces and dollars are theirs."""
    pieces: list[str] = []
    position = 0
    for start, end in _json_spans(line):
        pieces += (expand_text(line[position:start]), line[start:end])
        position = end
    pieces.append(expand_text(line[position:]))
    return "".join(pieces)


def split_verb(line: str) -> tuple[str, str]:
    """The verb and the rest of the line; a trailing `;` is accepted."""
    text = line.strip()
    while text.endswith(";"):
        text = text[:-1].rstrip()
    verb, _, rest = text.partition(" ")
    verb = verb or "help"
    if verb in VERBS:
        return verb, rest.strip()
    near = difflib.get_close_matches(verb, VERBS, n=1)
    mend = f"%reactor {near[0]} {rest}".rstrip() if near else "%reactor help"
    raise UsageError(f"%reactor has no verb {verb!r}; it has {', '.join(VERBS)}. Type: {mend}")


def parse_run(rest: str) -> RunArguments:
    name: str | None = None
    path: str | None = None
    config: str | None = None
    overrides: list[str] = []
    duration_s: float | None = None
    frames: int | None = None
    has_poster = True
    stream: dict[str, str] = {}
    words = _split(rest, "run")
    while words:
        word = words.pop(0)
        flag, equals, value = word.partition("=")
        if flag in ("-c", "--config"):
            config = value if equals else _take(words, flag, "%reactor run -c configs/big.yaml")
        elif flag == "--path":
            path = value if equals else _take(words, flag, "%reactor run --path my-model")
        elif flag == "--for":
            duration_s = typed.duration_s(value if equals else _take(words, flag, "%reactor run --for 10s"))
        elif flag == "--frames":
            frames = typed.count(value if equals else _take(words, flag, "%reactor run --frames 300"))
        elif word == "--no-poster":
            has_poster = False
        elif flag in STREAM_FLAGS:
            text = value if equals else _take(words, flag, f"%reactor run {flag} {STREAM_FLAGS[flag]}")
            stream[flag.removeprefix("--")] = text
        elif flag.startswith("--model.") and len(flag) > len("--model."):
            key = flag.removeprefix("--model.")
            if not equals:
                value = _take(words, flag, f"%reactor run {flag}=60")
            overrides.append(f"{key}={value}")
        elif word.startswith("-"):
            near = difflib.get_close_matches(flag, RUN_FLAGS, n=1, cutoff=0.7)
            key = f"--model.{word.lstrip('-')}" if equals else "a configuration value is --model.KEY=VALUE"
            hint = f"; did you mean {near[0] if near else key}?"
            raise UsageError(
                f"%reactor run has no option {flag!r}{hint} It has --path FOLDER, -c FILE, --model.KEY=VALUE, "
                "--quality high, --bitrate 8M, --smoothness 0.5, --carrier auto, --for 10s, --frames 300 and "
                "--no-poster. Type: %reactor help"
            )
        elif name is None:
            name = word
        else:
            raise UsageError(
                f"%reactor run takes one model name, got {name!r} and {word!r}. "
                f"To run both, type two lines: %reactor run {name} and %reactor run {word}"
            )
    if name is not None and path is not None:
        raise UsageError(
            f"%reactor run got the name {name!r} and --path {path}; a path holds one model. "
            f"Type: %reactor run --path {path}"
        )
    return RunArguments(name, path, config, tuple(overrides), duration_s, frames, has_poster, StreamChoice(**stream))


def parse_send(rest: str) -> SendArguments:
    usage = "%reactor send set_speed speed=0.8"
    spans = _json_spans(rest)
    if len(spans) > 1:
        raise UsageError(f"%reactor send takes one JSON object, got {len(spans)}. Type: {usage}")
    params: Mapping[str, Any] | None = None
    if spans:
        start, end = spans[0]
        params = json.loads(rest[start:end])
        rest = f"{rest[:start]} {rest[end:]}"
    else:
        rest, params = _python_dict(rest)
    words = _split(rest, "send")
    model_name: str | None = None
    for index, word in enumerate(words):
        if word == "--on" or word.startswith("--on="):
            del words[index]
            inline = word.partition("=")[2]
            model_name = inline or (words.pop(index) if index < len(words) else None)
            if not model_name:
                raise UsageError("--on needs the name of a model. Type: %reactor send --on plasma set_speed speed=0.8")
            break
    if not words:
        raise UsageError(f"%reactor send needs the name of a command. Type: {usage}")
    if params is not None and len(words) > 1:
        raise UsageError(
            f"%reactor send takes words or a JSON object, got both ({' '.join(words[1:])!r} and an object). "
            f"Type: {usage}"
        )
    return SendArguments(words[0], tuple(words[1:]), params, model_name)


def parse_profile(rest: str) -> tuple[str | None, str | None]:
    """The optional NAME, and the file of --out."""
    words = _split(rest, "profile")
    names: list[str] = []
    out: str | None = None
    while words:
        word = words.pop(0)
        flag, equals, value = word.partition("=")
        if flag == "--out":
            out = value if equals else _take(words, flag, "%reactor profile --out profile.svg")
        elif word.startswith("-"):
            raise UsageError(f"%reactor profile has no option {flag!r}; it has --out FILE. Type: %reactor profile")
        else:
            names.append(word)
    return one_name(" ".join(names), "profile"), out


def one_name(rest: str, verb: str) -> str | None:
    """The optional NAME of stop, status, schema, session and unload."""
    words = _split(rest, verb)
    if len(words) > 1:
        raise UsageError(
            f"%reactor {verb} takes one model name, got {' '.join(words)!r}. Type: %reactor {verb} {words[0]}"
        )
    return words[0] if words else None


def refuse_words(rest: str, verb: str) -> None:
    """For a verb that takes none."""
    if rest:
        raise UsageError(f"%reactor {verb} takes no words, got {rest!r}. Type: %reactor {verb}")


def parameters_of(arguments: SendArguments, spec: CommandSpec) -> dict[str, Any]:
    """The parameters as the words or the object give them."""
    if arguments.json_params is not None:
        return dict(arguments.json_params)
    return typed.parameters(arguments.words, spec)


def _take(words: list[str], flag: str, example: str) -> str:
    if not words or (words[0].startswith("-") and not words[0].lstrip("-").replace(".", "").isdigit()):
        raise UsageError(f"{flag} needs a value after it. Type: {example}")
    return words.pop(0)


def _split(text: str, verb: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as unbalanced:
        raise UsageError(
            f"%reactor {verb} cannot split {text!r} into words ({unbalanced}). Put a value with a quotation "
            'mark or a space in double quotes. Type: %reactor send set_prompt prompt="it\'s raining"'
        ) from unbalanced


def _python_dict(text: str) -> tuple[str, Mapping[str, Any] | None]:
    """`{params}` of a Python dict expands to its repr, which is no JSON: read it as Python's literal."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return text, None
    try:
        value = ast.literal_eval(text[start : end + 1])
    except (ValueError, SyntaxError):
        return text, None
    if not isinstance(value, dict):
        return text, None
    return f"{text[:start]} {text[end + 1 :]}", value


def _json_spans(text: str) -> list[tuple[int, int]]:
    """Where the JSON objects of a line begin and end."""
    spans: list[tuple[int, int]] = []
    decoder = json.JSONDecoder()
    position = text.find("{")
    while position >= 0:
        try:
            value, end = decoder.raw_decode(text, position)
        except ValueError:
            value, end = None, position + 1
        if isinstance(value, dict):
            spans.append((position, end))
        position = text.find("{", end)
    return spans
