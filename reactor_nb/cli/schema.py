"""`reactor schema`, in the original `reactor capabilities`."""

from __future__ import annotations

import json

from reactor_nb.cli.arguments import Arguments
from reactor_nb.cli.console import say
from reactor_nb.cli.find import found_model


def perform(arguments: Arguments) -> int:
    """Print the schema; what the project prints on its way goes to stderr."""
    from reactor_nb.core.export import schema_of

    cls = found_model(arguments)
    say(json.dumps(schema_of(cls, arguments.values.get("format", "reactor")), indent=2, ensure_ascii=False))
    return 0
