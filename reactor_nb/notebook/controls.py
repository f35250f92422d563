"""The Controls of a model: a button, a live control or a form for each command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets

from reactor_nb.core.command import CommandSpec, find_command
from reactor_nb.notebook.control_moves import Move
from reactor_nb.notebook.control_parts import Submit, part_of
from reactor_nb.notebook.subshell import keep_subshell

SOURCE = "controls"


class Controls:
    """All commands of one model, drawn. Its `widget` goes under the picture.

    What a person changes comes by two roads: from ipywidgets, which waits for a running cell where the kernel has
    no subshells, and from the View beside it, by `moved`. It is applied once, by whichever is first.

    Threads: made on the thread that runs the model. Widget callbacks hand over and return; `moved` comes on a
    thread of the link's, `applied` on the command thread. No callback waits, so one slow command never freezes
    the others.
    """

    def __init__(self, commands: Mapping[str, CommandSpec], submit: Submit) -> None:
        self._commands = commands
        self._parts = {name: part_of(spec, submit) for name, spec in commands.items()}
        self.widget = ipywidgets.VBox([part.widget for part in self._parts.values()])
        self.widget.add_class("reactor-controls")
        keep_subshell(self.widget)

    def addresses(self) -> list[dict[str, Any]]:
        """Where a page finds the widgets: for each command {command, params: {name: {model_id, state}}, press}."""
        return [part.address() for part in self._parts.values()]

    def moved(self, message: Mapping[str, Any]) -> None:
        """A `control` message: a View says what a person changed in its page. Returns at once.

        Raises:
            UnknownCommandError, ParameterError: it is of no control that is drawn here.
        """
        find_command(self._commands, message["command"])
        move = Move(message["page_id"], message["order"])
        self._parts[message["command"]].moved(move, message["values"])

    def applied(self, command: str, params: Mapping[str, Any], source: str) -> None:
        """Somebody's call was applied: show its values, unless these controls sent it themselves."""
        part = self._parts.get(command)
        if part is not None and source != SOURCE:
            part.show(params)

    def forget_refused(self) -> None:
        """A new session has begun: show what the model has, not what the session before refused."""
        for part in self._parts.values():
            part.forget_refused()

    def close(self) -> None:
        close_widgets(self.widget)


def close_widgets(widget: ipywidgets.DOMWidget) -> None:
    """Close a widget with all that it holds, on both sides of the comm."""
    for child in getattr(widget, "children", ()):
        close_widgets(child)
    for part in (widget.layout, getattr(widget, "style", None)):
        if part is not None:
            part.close()  # widgets of their own, which ipywidgets leaves open
    widget.close()
