"""The Controls of a model: a button, a live control or a form for each command."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import ipywidgets

from reactor_nb.core.command import CommandSpec, to_json
from reactor_nb.errors import ParameterError, ReactorError
from reactor_nb.notebook.control import UNSET, Control, note_html
from reactor_nb.notebook.control_table import build_field
from reactor_nb.notebook.subshell import keep_subshell

SOURCE = "controls"
# submit(command, params) -> the call's future; raises a ReactorError when the call is refused at once.
Submit = Callable[[str, Mapping[str, Any]], "Future[Any]"]


class Controls:
    """All commands of one model, drawn. Its `widget` goes under the picture.

    Threads: made on the thread that runs the model. Widget callbacks hand over and return; `applied`
    comes on the command thread. No callback waits, so one slow command never freezes the others.
    """

    def __init__(self, commands: Mapping[str, CommandSpec], submit: Submit) -> None:
        self._parts = {name: _part(spec, submit) for name, spec in commands.items()}
        self.widget = ipywidgets.VBox([part.widget for part in self._parts.values()])
        self.widget.add_class("reactor-controls")
        keep_subshell(self.widget)

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


class _Part:
    """What one command looks like."""

    def __init__(self, spec: CommandSpec, submit: Submit) -> None:
        self.spec = spec
        self.widget: ipywidgets.Widget
        self.controls: dict[str, Control] = {}
        self._submit = submit
        self._turn = threading.Lock()
        self._in_flight = False
        self._is_refused = False
        self._next: Mapping[str, Any] | None = None

    def show(self, params: Mapping[str, Any]) -> None:
        for name, value in params.items():
            if name in self.controls:
                self.controls[name].show(to_json(value))

    def send(self, params: Mapping[str, Any]) -> None:
        """One call in flight, the newest next: values that a slider passed on the way are not queued."""
        with self._turn:
            if self._in_flight:
                self._next = params
                return
            self._in_flight = True
        self._dispatch(params)

    def _dispatch(self, params: Mapping[str, Any]) -> None:
        try:
            future = self._submit(self.spec.name, params)
        except ReactorError as refused:
            self._finished(params, refused)
            return
        future.add_done_callback(lambda done: self._finished(params, done.exception()))

    def forget_refused(self) -> None:
        if self._is_refused:
            self._is_refused = False
            self.complain(None)
            for control in self.controls.values():
                control.back_to_applied()

    def complain(self, error: BaseException | None) -> None:
        """The reason at its control: of the parameter at fault, else at the first one."""
        at_fault = error.fields if isinstance(error, ParameterError) else {}
        for index, (name, control) in enumerate(self.controls.items()):
            if name in at_fault:
                control.note(at_fault[name], is_error=True)
            elif error is not None and index == 0 and not at_fault:
                control.note(str(error), is_error=True)
            elif control.value is not UNSET:
                control.note("")

    def _finished(self, params: Mapping[str, Any], error: BaseException | None) -> None:
        self._is_refused = error is not None
        for name, value in params.items() if error is None else ():
            self.controls[name].accepted(value)
        with self._turn:
            following, self._next = self._next, None
            # The turn is kept for the one that waited: a newer value must not overtake and lose to it.
            self._in_flight = following is not None
        self.complain(error)
        if following is not None:
            self._dispatch(following)


class _Live(_Part):
    """One parameter: every change is a call."""

    def __init__(self, spec: CommandSpec, submit: Submit) -> None:
        super().__init__(spec, submit)
        (param,) = spec.params
        label = param.schema.get("description") or spec.description or param.name
        control = Control(param, label, _hint(spec, param.name), build_field(param))
        control.on_change = lambda changed: self.send({param.name: changed.value})
        self.controls = {param.name: control}
        self.widget = control.widget


class _Form(_Part):
    """Several parameters: nothing is sent before Apply."""

    def __init__(self, spec: CommandSpec, submit: Submit) -> None:
        super().__init__(spec, submit)
        for param in spec.params:
            label = param.schema.get("description") or param.name
            self.controls[param.name] = Control(param, label, _hint(spec, param.name), build_field(param))
        self._apply = ipywidgets.Button(description="Apply", tooltip=_hint(spec, None), icon="check")
        self._apply.on_click(lambda button: self._send_all())
        title = ipywidgets.HTML(f"<b>{html.escape(spec.description or spec.name)}</b>")
        title.add_class("reactor-form-title")
        self.widget = ipywidgets.VBox([title, *(control.widget for control in self.controls.values()), self._apply])
        self.widget.add_class("reactor-form")

    def _send_all(self) -> None:
        params: dict[str, Any] = {}
        missing = False
        for name, control in self.controls.items():
            if control.value is UNSET:
                control.note("needs a value", is_error=True)
                missing = True
            else:
                params[name] = control.value
        if not missing:
            self.send(params)


class _Press(_Part):
    """No parameter: a button."""

    def __init__(self, spec: CommandSpec, submit: Submit) -> None:
        super().__init__(spec, submit)
        button = ipywidgets.Button(description=spec.name, tooltip=_hint(spec, None))
        button.layout.width = "auto"
        button.on_click(lambda pressed: self.send({}))
        self._note = ipywidgets.HTML(note_html(spec.description, is_error=False))
        self._note.add_class("reactor-note")
        self.widget = ipywidgets.HBox([button, self._note])
        self.widget.add_class("reactor-control")

    def complain(self, error: BaseException | None) -> None:
        self._note.value = note_html(str(error) if error else self.spec.description, is_error=error is not None)


def _part(spec: CommandSpec, submit: Submit) -> _Part:
    if not spec.params:
        return _Press(spec, submit)
    return _Live(spec, submit) if len(spec.params) == 1 else _Form(spec, submit)


def _hint(spec: CommandSpec, param: str | None) -> str:
    """The tooltip: what it does, and the line that does the same."""
    described = next((p.schema.get("description", "") for p in spec.params if p.name == param), "")
    lines = dict.fromkeys(text for text in (spec.description, described) if text)
    return "\n".join([*lines, f"%reactor send {spec.signature()}"])


def close_widgets(widget: ipywidgets.DOMWidget) -> None:
    """Close a widget with all that it holds, on both sides of the comm."""
    for child in getattr(widget, "children", ()):
        close_widgets(child)
    for part in (widget.layout, getattr(widget, "style", None)):
        if part is not None:
            part.close()  # widgets of their own, which ipywidgets leaves open
    widget.close()
