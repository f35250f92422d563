"""`from reactor_runtime import VideoModel, model, command, get_ctx` means ours while the original is not installed.

load_ext and the command line call install_alias(); nothing else does, so importing reactor_nb changes no import.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType
from typing import Final

ORIGINAL: Final = "reactor_runtime"

_MODEL = ("reactor_nb.core.model", "VideoModel"), ("reactor_nb.core.model", "model")
_COMMAND = ("reactor_nb.core.command", "command")
_CONTEXT = ("reactor_nb.core.context", "get_ctx")

# Module -> where its public names live here. The two modules are those that the names come from in the original.
_STANDS_IN: Final = MappingProxyType(
    {
        ORIGINAL: (*_MODEL, _COMMAND, _CONTEXT),
        f"{ORIGINAL}.model_api": (*_MODEL, _COMMAND),
        f"{ORIGINAL}.context_api": (_CONTEXT,),
    }
)


class _StandIn(Loader):
    """Makes a module whose names are ours, the very same objects."""

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual kind of module."""

    def exec_module(self, module: ModuleType) -> None:
        names = _STANDS_IN[module.__name__]
        for home, name in names:
            setattr(module, name, getattr(import_module(home), name))
        module.__doc__ = f"reactor_nb in place of {ORIGINAL}, which is not installed."
        module.__dict__["__version__"] = import_module("reactor_nb").__version__
        module.__dict__["__all__"] = [name for _, name in names]


class _LastFinder(MetaPathFinder):
    """Answers when nobody else does, whoever came to sys.meta_path after it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _STANDS_IN or (fullname != ORIGINAL and not _is_ours(sys.modules.get(ORIGINAL))):
            return None
        finders = list(sys.meta_path)
        behind = finders[finders.index(self) + 1 :] if self in finders else []
        for finder in behind:
            found = finder.find_spec(fullname, path, target)
            if found is not None:
                return found
        return ModuleSpec(fullname, _StandIn(), origin="reactor_nb", is_package=fullname == ORIGINAL)


_finder = _LastFinder()


def install_alias() -> None:
    """Let `reactor_runtime` mean reactor_nb wherever no such package is found. Idempotent.

    Threads: the one that runs cells, or the command line's.
    """
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    sys.meta_path.append(_finder)


def remove_alias() -> None:
    """Take it back: the next import of `reactor_runtime` finds what is installed, or nothing. Idempotent."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    if ORIGINAL in sys.modules and not _is_ours(sys.modules[ORIGINAL]):
        import_module("reactor_nb.core.upstream").take_back()
    for name in _STANDS_IN:
        if _is_ours(sys.modules.get(name)):
            del sys.modules[name]


def _is_ours(module: ModuleType | None) -> bool:
    spec = getattr(module, "__spec__", None)
    return spec is not None and isinstance(spec.loader, _StandIn)
