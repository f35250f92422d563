"""`reactor doctor`."""

from __future__ import annotations

from reactor_nb.cli.arguments import Arguments
from reactor_nb.cli.console import in_shell, say
from reactor_nb.cli.statuses import DONE, FAILED


def perform(arguments: Arguments) -> int:
    """A line for each part, as soon as it is known; 1 if one is missing."""
    from reactor_nb.runtime.base import Runtime
    from reactor_nb.runtime.doctor import MISSING, examine

    is_missing = False
    runtime = Runtime()
    try:
        for line in examine(runtime):
            is_missing = is_missing or line.verdict == MISSING
            say(in_shell(str(line)))
    finally:
        runtime.close()
    return FAILED if is_missing else DONE
