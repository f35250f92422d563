"""`reactor check`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

from reactor_nb.cli.arguments import Arguments
from reactor_nb.cli.console import in_shell


def perform(arguments: Arguments) -> int:
    """A line for each part, as soon as it is known; 1 if one has failed."""
    from reactor_nb.core.alias import install_alias
    from reactor_nb.core.check import check_project

    install_alias()
    values = arguments.values
    answer = sys.stdout
    is_ok = True
    with redirect_stdout(sys.stderr):
        for line in check_project(values.get("path", "."), config=values.get("config"), overrides=arguments.overrides):
            is_ok = is_ok and line.is_ok
            answer.write(f"{in_shell(str(line))}\n")
            answer.flush()
    return 0 if is_ok else 1
