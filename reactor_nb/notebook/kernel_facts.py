"""What the doctor says of the kernel: subshells, and whether the front end speaks on one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reactor_nb.notebook.extension import Extension


def kernel_lines(extension: Extension) -> Iterator[tuple[str, str, str]]:
    """(part, verdict, text)."""
    kernel = getattr(extension.shell, "kernel", None)
    if kernel is None or extension.panels is None:
        yield "kernel", "note", "none: this console draws no View. session.snapshot() and session.stats() work"
        return
    words = f"{_named(kernel)}, subshells: {'yes' if has_subshells(kernel) else 'no'}"
    is_with_cells = extension.panels.hearing.is_with_cells
    if is_with_cells is None:
        yield "kernel", "ok", f"{words}; no page has spoken yet"
    elif not is_with_cells:
        yield "kernel", "ok", f"{words}; pages speak on one, and are heard while a cell runs"
    elif has_subshells(kernel):
        yield (
            "kernel",
            "note",
            f"{words}; this front end uses none, so that pages are heard between cells only (by WebRTC at all times). "
            "JupyterLab and Notebook do from 4.4 and 7.4 on",
        )
    else:
        yield "kernel", "note", f"{words}; pages are heard between cells only (by WebRTC at all times)"


def has_subshells(kernel: Any) -> bool:
    """As ipykernel 7 tells its front ends; older ones have none."""
    return bool(getattr(kernel, "_supports_kernel_subshells", False))


def _named(kernel: Any) -> str:
    package = type(kernel).__module__.partition(".")[0]
    version = getattr(sys.modules.get(package), "__version__", "")
    return f"{package} {version}".strip()
