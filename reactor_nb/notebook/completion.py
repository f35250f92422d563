"""Tab completion of %reactor: verbs, options, model names, commands and their parameters."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from reactor_nb.core.command import CommandSpec, commands_of
from reactor_nb.core.discovery import models_in
from reactor_nb.media.quality import QUALITIES
from reactor_nb.notebook.arguments import RUN_FLAGS, VERBS
from reactor_nb.notebook.magics import model_names
from reactor_nb.runtime.carriers import CARRIERS

if TYPE_CHECKING:
    from reactor_nb.notebook.extension import Extension

_VALUES = {"--quality": QUALITIES, "--carrier": CARRIERS}


def complete_line(extension: Extension, line: str) -> list[str]:
    """What may stand at the end of `line`, whose first word is %reactor."""
    words = line.split()
    last = "" if line.endswith((" ", "\t")) else words.pop()
    before = words[1:]
    return sorted(option for option in _options(extension, before, last) if option.startswith(last))


def _options(extension: Extension, before: list[str], last: str) -> Iterable[str]:
    if not before:
        return VERBS
    verb = before[0]
    if before[-1] in _VALUES:
        return _VALUES[before[-1]]
    if verb in ("run", "config", "check"):
        return [*model_names(extension), *RUN_FLAGS]
    if verb == "send":
        return _of_send(extension, before[1:], last)
    if verb == "profile":
        return [*model_names(extension), "--out"]
    if verb in ("stop", "status", "schema", "session", "unload"):
        return model_names(extension)
    return ()


def _of_send(extension: Extension, before: list[str], last: str) -> Iterable[str]:
    if before and before[-1] == "--on":
        return model_names(extension)
    named = [word for previous, word in pairwise(["", *before]) if "--on" not in (previous, word)]
    commands = _commands(extension)
    if not named:
        return [*commands, "--on"]
    spec = commands.get(named[0])
    if spec is None:
        return ()
    used = {word.partition("=")[0] for word in named[1:]}
    options: list[str] = []
    for param in spec.params:
        values = [str(value) for value in param.schema.get("enum", ())]
        if last.startswith(f"{param.name}="):
            return [f"{param.name}={value}" for value in values]
        if len(spec.params) == 1 and not used:
            options += values
        if param.name not in used:
            options.append(f"{param.name}=")
    return options


def _commands(extension: Extension) -> dict[str, CommandSpec]:
    """Of every model that plays, else of every class of the notebook."""
    playing: dict[str, CommandSpec] = {}
    for session in extension.runtime.sessions().values():
        playing.update(session.commands)
    if not playing:
        for model in models_in(extension.shell.user_ns).values():
            playing.update(commands_of(model))
    return playing
