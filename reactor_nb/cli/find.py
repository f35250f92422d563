"""The model that a command line means."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

from reactor_nb.cli.arguments import Arguments
from reactor_nb.cli.console import tell
from reactor_nb.core.alias import install_alias
from reactor_nb.core.model import VideoModel


def found_model(arguments: Arguments) -> type[VideoModel]:
    """The one model of --path, by default of this folder. `reactor_runtime` may be imported from here on.

    What a project prints while it is imported goes to stderr: the answer of a verb may be read by a program.

    Raises:
        ModelNotFoundError, SeveralModelsError: as find_project.
    """
    from reactor_nb.core.project import find_project

    install_alias()
    with redirect_stdout(sys.stderr):
        project = find_project(arguments.values.get("path", "."))
    for failure in project.failures:
        tell(f"[WARN] {failure}")
        if arguments.values.get("is_verbose"):
            sys.stderr.write(failure.traceback_text)
    return project.cls
