"""The doctor's line about the Jupyter server: which one it is, and whether its pages can draw a View."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Final

from reactor_nb.runtime.jupyter_server import FRONT_ENDS, Server, front_ends, hosts, own_environment, server_of_kernel

_OF_THE_SERVER: Final = ("jupyterlab", "notebook", "nbclassic", "voila", "jupyter_server", "jupyterhub")


def server_lines() -> Iterator[tuple[str, str, str]]:
    """(part, verdict, text); nothing outside a kernel or where nothing is known."""
    within = hosts()
    if within:
        yield "within", "ok", ", ".join(within)
    yield _line(server_of_kernel())


def _line(server: Server | None) -> tuple[str, str, str]:
    prefix = server.prefix if server is not None else own_environment()
    found = front_ends(prefix)
    drawn = ", ".join(f"{name} {version}" for name, version in found.items())
    lacks = [name for name in FRONT_ENDS if name not in found]
    if server is None:
        if not lacks:
            return "server", "ok", f"not seen from here; this environment has the front ends {drawn}"
        return (
            "server",
            "note",
            f"not seen from here; this environment has no front end of {' and '.join(lacks)}. "
            "Where a View stays empty, type in the server's environment: pip install anywidget ipywidgets",
        )
    versions = ", ".join(f"{name} {version}" for name, version in server.versions(*_OF_THE_SERVER).items())
    words = f"{server.program} of {prefix}" + (f": {versions}" if versions else "")
    if lacks:
        return (
            "server",
            "MISSING",
            f"{words}\nits pages have no front end of {' and '.join(lacks)}: a View stays empty. "
            f"Type: {server.python} -m pip install anywidget ipywidgets  and reload the page",
        )
    return "server", *_compared(f"{words}\nfront ends {drawn}", found)


def _compared(words: str, found: Mapping[str, str]) -> tuple[str, str]:
    """A front end of another anywidget than the kernel's may draw nothing."""
    try:
        here = metadata.version("anywidget")
    except metadata.PackageNotFoundError:
        return "ok", words
    if here.split(".")[:2] == found["anywidget"].split(".")[:2]:
        return "ok", words
    return "note", f"{words}\nthe kernel has anywidget {here}; where a View stays empty, install the same in both"
