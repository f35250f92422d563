"""`reactor weights list | path NAME | add NAME FOLDER`."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from reactor_nb.cli.arguments import Arguments
from reactor_nb.cli.console import say
from reactor_nb.cli.find import found_model
from reactor_nb.errors import UsageError

_USAGE = {"list": "list", "path": "path NAME", "add": "add NAME FOLDER"}


def perform(arguments: Arguments) -> int:
    """Show every place, print the one that is used, or put a folder into the cache."""
    from reactor_nb.core.weights import add_weights, list_weights

    what, *rest = _checked(arguments.words)
    cls = found_model(arguments)
    if what == "path":
        say(str(cls.weights(rest[0])))
    elif what == "add":
        say(str(add_weights(rest[0], rest[1], cls)))
    else:
        places = list_weights(cls)
        say("\n".join(map(str, places)) if places else "This model declares no weights.")
    return 0


def _checked(words: Sequence[str]) -> Sequence[str]:
    usage = _USAGE.get(words[0])
    if usage is None:
        near = difflib.get_close_matches(words[0], _USAGE, 1)
        raise UsageError(
            f"reactor weights has no verb {words[0]!r}; it has {', '.join(_USAGE)}. "
            f"Type: reactor weights {_USAGE[near[0]] if near else 'list'}"
        )
    if len(words) != len(usage.split()):
        raise UsageError(
            f"reactor weights {words[0]} got {' '.join(words[1:]) or 'nothing'}. Type: reactor weights {usage}"
        )
    return words
