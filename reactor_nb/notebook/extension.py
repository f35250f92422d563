"""Loads into and unloads from an IPython shell: magic, completion, display of a Session, output capture."""

from __future__ import annotations

import os
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from reactor_nb.core.alias import install_alias, remove_alias
from reactor_nb.core.discovery import models_in
from reactor_nb.core.session import Session
from reactor_nb.notebook.capture import OutputCapture
from reactor_nb.notebook.panels import Panels
from reactor_nb.runtime.base import get_runtime

_MAGIC = "reactor"
FIRST_FRAME_S = 60.0


class Extension:
    """What one shell holds of us. Threads: the kernel's only."""

    def __init__(self, shell: InteractiveShell) -> None:
        from reactor_nb.notebook.completion import complete_line
        from reactor_nb.notebook.magics import ReactorMagic

        self.shell = shell
        self.runtime = get_runtime()
        self.panels: Panels | None = None
        self.magic = ReactorMagic(self)
        self._capture = OutputCapture(shell)
        self._shown: tuple[int, int] | None = None
        self._completer = lambda ip, event: complete_line(self, event.line)
        shell.magics_manager.register_function(self.magic, "line", _MAGIC)
        self._formatter().for_type(Session, self.display)
        for key in (f"%{_MAGIC}", _MAGIC):
            shell.set_hook("complete_command", self._completer, str_key=key)
        self._capture.install()
        install_alias()
        if has_widgets(shell):
            self.panels = Panels(self.runtime, self._publish, shell.events)
            self.runtime.prepare()
            self.runtime.find_class = lambda name: models_in(shell.user_ns).get(name)

    def display(self, session: Session) -> None:
        """How a Session shows itself as the result of a cell."""
        if self._shown == (session.id, self.shell.execution_count):
            return  # `%reactor run --for 10s` has shown it in this cell already, before it waited
        if self.panels is None:
            print(f"{session!r}. This console shows no picture: session.stats(), session.snapshot().save('frame.png')")
        else:
            self.panels.display(session, first_frame_s=FIRST_FRAME_S if _is_run_by_a_program(self.shell) else 0.0)

    def display_once(self, session: Session) -> None:
        """Show a session now, and not again as the result of this cell."""
        self.display(session)
        self._shown = (session.id, self.shell.execution_count)

    def close(self) -> None:
        """End every session, then take back what was registered."""
        try:
            self.runtime.close()
        finally:
            if self.panels is not None:
                self.panels.close()
            self._capture.uninstall()
            remove_alias()
            self.shell.magics_manager.magics["line"].pop(_MAGIC, None)
            formatter = self._formatter()
            if formatter.type_printers.get(Session) == self.display:
                formatter.pop(Session)
            self._forget_completer()

    def _publish(self, data: dict[str, Any], transient: dict[str, Any], is_update: bool) -> None:
        self.shell.display_pub.publish(data, metadata={}, transient=transient, update=is_update)

    def _formatter(self) -> Any:
        display = self.shell.display_formatter
        assert display is not None, "a shell that displays nothing"
        return display.ipython_display_formatter

    def _forget_completer(self) -> None:
        hooks = self.shell.strdispatchers.get("complete_command")
        for key in (f"%{_MAGIC}", _MAGIC):
            chain = hooks.strs.get(key) if hooks is not None else None
            if chain is not None:
                chain.chain[:] = [entry for entry in chain.chain if entry[1] is not self._completer]


_extension: Extension | None = None


def load(shell: InteractiveShell) -> Extension:
    """Idempotent: a second %load_ext finds the first."""
    global _extension
    if _extension is None or _extension.shell is not shell:
        _extension = Extension(shell)
    return _extension


def unload(shell: InteractiveShell) -> None:
    global _extension
    if _extension is not None and _extension.shell is shell:
        loaded, _extension = _extension, None
        loaded.close()


def has_widgets(shell: InteractiveShell) -> bool:
    """Whether the shell belongs to a kernel, whose front end may draw widgets."""
    return hasattr(shell, "kernel")


def _is_run_by_a_program(shell: InteractiveShell) -> bool:
    """Whether nbconvert or papermill runs this notebook: none can be asked, and the kernel ends with the last cell.

    Voila runs it likewise, and then a page comes.
    """
    takes_input = getattr(getattr(shell, "kernel", None), "_allow_stdin", True)
    return takes_input is False and not any(name.startswith("VOILA_") for name in os.environ)
