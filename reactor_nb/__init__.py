"""reactor_nb: a real-time video model, playable in a notebook cell.

    %load_ext reactor_nb        a class with @model and @command methods        %reactor run

Public names are loaded when they are first used (PEP 562): importing the package loads no torch,
aiortc, av or ipywidgets.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from reactor_nb.core.command import command
    from reactor_nb.core.context import Context, get_ctx
    from reactor_nb.core.model import ModelSpec, VideoModel, model
    from reactor_nb.core.session import Session
    from reactor_nb.errors import ReactorError, SessionStopped
    from reactor_nb.notebook.play import play as run
    from reactor_nb.runtime.headless import HeadlessResult, headless

__version__ = "0.1.0"

_HOMES = {
    "Context": "reactor_nb.core.context",
    "HeadlessResult": "reactor_nb.runtime.headless",
    "ModelSpec": "reactor_nb.core.model",
    "ReactorError": "reactor_nb.errors",
    "Session": "reactor_nb.core.session",
    "SessionStopped": "reactor_nb.errors",
    "VideoModel": "reactor_nb.core.model",
    "command": "reactor_nb.core.command",
    "get_ctx": "reactor_nb.core.context",
    "headless": "reactor_nb.runtime.headless",
    "model": "reactor_nb.core.model",
    "run": "reactor_nb.notebook.play",
}

__all__ = [  # noqa: RUF022  in the order in which a reader meets them
    "VideoModel",
    "model",
    "command",
    "get_ctx",
    "run",
    "headless",
    "HeadlessResult",
    "Session",
    "Context",
    "ModelSpec",
    "ReactorError",
    "SessionStopped",
    "__version__",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'reactor_nb' has no attribute {name!r}")
    value = getattr(import_module(home), "play" if name == "run" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext reactor_nb`: registers %reactor and the display of a Session."""
    from reactor_nb.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext reactor_nb`: ends every session, then takes back what load registered."""
    from reactor_nb.notebook.extension import unload

    unload(shell)
