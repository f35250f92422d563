"""The command line: arguments -> project and runtime; exit statuses. No logic of its own.

Exit statuses are those of statuses.py. Verbs are imported when they are used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from reactor_nb.cli.arguments import Arguments, read_arguments, verb_help
from reactor_nb.cli.console import say, show_error
from reactor_nb.cli.statuses import BROKEN_PIPE, DONE, FAILED, INTERRUPTED, MISREAD
from reactor_nb.cli.verbs import ALL_VERBS, HELP
from reactor_nb.errors import ReactorError, UsageError

_HOMES = {"capabilities": "schema"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; its exit status. Console scripts and `python -m reactor_nb` start here.

    Args:
        argv: without the program's name; by default this process's own.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _performed(words)
    except ReactorError as error:
        show_error(error)
        return MISREAD if isinstance(error, UsageError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # `reactor schema | head`: nobody reads on, and the interpreter must not say so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def _performed(words: list[str]) -> int:
    if not words or words[0] in ("help", "-h", "--help"):
        sys.stdout.write(HELP)
        return DONE if words else MISREAD
    if words[0] in ("--version", "-V"):
        from reactor_nb import __version__

        say(f"reactor_nb {__version__}")
        return DONE
    arguments = read_arguments(words, ALL_VERBS)
    if arguments.asks_help:
        sys.stdout.write(verb_help(arguments.verb))
        return DONE
    name = arguments.verb.name
    perform: Callable[[Arguments], int] = import_module(f"reactor_nb.cli.{_HOMES.get(name, name)}").perform
    return perform(arguments)
