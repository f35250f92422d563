"""Reads a command line against the table of verbs. Nothing is imported for it but the words themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from reactor_nb.errors import UsageError


class Flag(NamedTuple):
    """An option of a verb. `metavar` is empty for a switch. `read` turns its text into `key`'s value."""

    name: str
    key: str
    metavar: str
    summary: str
    example: str = ""
    short: str = ""
    choices: tuple[str, ...] = ()
    read: Callable[[str], Any] = str

    def shown(self) -> str:
        return " ".join(filter(None, (", ".join(filter(None, (self.short, self.name))), self.metavar)))


class Verb(NamedTuple):
    """`usage` stands behind the verb's name in its help. `words` are the least and the most bare words it takes."""

    name: str
    usage: str
    summary: str
    flags: tuple[Flag, ...] = ()
    takes_overrides: bool = False
    words: tuple[int, int] = (0, 0)
    is_listed: bool = True


class Arguments(NamedTuple):
    """A command line that was understood. `values`: key of a Flag -> its value; absent where it was not given."""

    verb: Verb
    values: dict[str, Any]
    words: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    asks_help: bool = False


def read_arguments(argv: Sequence[str], verbs: Sequence[Verb]) -> Arguments:
    """The verb and what was typed behind it.

    Raises:
        UsageError: an unknown verb or option, with the nearest; a value that is missing or wrong.
    """
    verb = _verb(argv[0], verbs)
    values: dict[str, Any] = {}
    words: list[str] = []
    overrides: list[str] = []
    left = list(argv[1:])
    is_bare = False
    while left:
        word = left.pop(0)
        name, equals, inline = word.partition("=")
        if is_bare or not word.startswith("-") or word == "-":
            words.append(word)
        elif word == "--":
            is_bare = True
        elif word in ("-h", "--help"):
            return Arguments(verb, {}, asks_help=True)
        elif verb.takes_overrides and name.startswith("--model.") and name != "--model.":
            overrides.append(f"{name.removeprefix('--model.')}={inline if equals else _next(left, name, f'{name}=60')}")
        else:
            flag = _flag(verb, name)
            values[flag.key] = _value(verb, flag, name, inline if equals else None, left)
    least, most = verb.words
    if not least <= len(words) <= most:
        got = " ".join(map(repr, words)) or "nothing"
        raise UsageError(f"reactor {verb.name} got {got}. Type: reactor {verb.name} {verb.usage}")
    return Arguments(verb, values, tuple(words), tuple(overrides))


def verb_help(verb: Verb) -> str:
    """What `reactor VERB --help` prints."""
    lines = [f"reactor {verb.name} {verb.usage}".rstrip(), "", f"  {verb.summary}"]
    rows = [(flag.shown(), flag.summary) for flag in verb.flags]
    if verb.takes_overrides:
        rows.append(("--model.KEY=VALUE", "a configuration value on top of the file's; repeat it for more"))
    if rows:
        width = max(len(left) for left, _ in rows)
        lines += ["", *(f"  {left:<{width}}  {right}" for left, right in rows)]
    return "\n".join(lines) + "\n"


def _verb(name: str, verbs: Sequence[Verb]) -> Verb:
    for verb in verbs:
        if verb.name == name:
            return verb
    near = _nearest(name, [verb.name for verb in verbs], 1)
    listed = ", ".join(verb.name for verb in verbs if verb.is_listed)
    kind = "option" if name.startswith("-") else "verb"
    raise UsageError(f"reactor has no {kind} {name!r}; it has {listed}. Type: reactor {near[0] if near else 'help'}")


def _flag(verb: Verb, name: str) -> Flag:
    for flag in verb.flags:
        if name in (flag.name, flag.short):
            return flag
    shown = {name: name for flag in verb.flags for name in (flag.name, flag.short) if name}
    if verb.takes_overrides:
        shown["--model"] = "--model.KEY=VALUE"
    near = [shown[found] for found in _nearest(name.partition(".")[0], list(shown))]
    question = f" Did you mean {near[0]}?" if near else ""
    listed = ", ".join(shown.values()) or "none"
    raise UsageError(
        f"reactor {verb.name} has no option {name!r}.{question} Its options: {listed}. Type: reactor {verb.name} --help"
    )


def _value(verb: Verb, flag: Flag, name: str, inline: str | None, left: list[str]) -> Any:
    if not flag.metavar:
        if inline is not None:
            raise UsageError(f"{name} is a switch and takes no value, got {inline!r}. Type: reactor {verb.name} {name}")
        return True
    example = f"reactor {verb.name} {flag.name} {flag.example}"
    text = inline if inline is not None else _next(left, name, example)
    if flag.choices and text not in flag.choices:
        near = _nearest(text, flag.choices, 1) or flag.choices[:1]
        raise UsageError(
            f"{name} got {text!r}; it takes {', '.join(flag.choices)}. Type: reactor {verb.name} {name} {near[0]}"
        )
    return flag.read(text)


def _next(left: list[str], name: str, example: str) -> str:
    if not left or (left[0].startswith("--") or (left[0].startswith("-") and left[0][1:2].isalpha())):
        raise UsageError(f"{name} needs a value after it. Type: {example}")
    return left.pop(0)


def _nearest(name: str, names: Sequence[str], most: int = 1) -> list[str]:
    import difflib

    return difflib.get_close_matches(name, names, most)
