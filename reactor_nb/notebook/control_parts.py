"""What one command looks like: a button, a live control or a form."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import ipywidgets

from reactor_nb.core.command import CommandSpec, to_json
from reactor_nb.errors import ParameterError, ReactorError
from reactor_nb.notebook.button import PressButton
from reactor_nb.notebook.control import UNSET, Control, note_html
from reactor_nb.notebook.control_moves import Move, Moves
from reactor_nb.notebook.control_table import build_field

# submit(command, params) -> the call's future; raises a ReactorError when the call is refused at once.
Submit = Callable[[str, Mapping[str, Any]], "Future[Any]"]


class Part:
    """One command of the Controls.

    Threads: made on the thread that runs the model; everything else from any.
    """

    def __init__(self, spec: CommandSpec, submit: Submit) -> None:
        self.spec = spec
        self.widget: ipywidgets.Widget
        self.controls: dict[str, Control] = {}
        self.press: PressButton | None = None
        self._submit = submit
        self._lock = threading.RLock()
        """Held while a page's move is taken and sent, so that the newest is sent last; nothing waits under it."""
        self._moves = Moves()
        self._turn = threading.Lock()
        self._in_flight = False
        self._is_refused = False
        self._next: Mapping[str, Any] | None = None

    def address(self) -> dict[str, Any]:
        """Where a page finds what a person moves here: JSON values."""
        return {
            "command": self.spec.name,
            "params": {name: control.address() for name, control in self.controls.items()},
            "press": None if self.press is None else self.press.model_id,
        }

    def moved(self, move: Move, values: Mapping[str, Any]) -> None:
        """A page tells of a move itself. One that came before, or comes late, is passed over.

        Args:
            values: states of the widgets in that page, by parameter.
        Raises:
            ParameterError: they are none of this command's.
        """
        strange = sorted(set(values) - set(self.controls))
        if strange:
            raise ParameterError(
                f"A control of {self.spec.name} came with {', '.join(strange)}; it has "
                f"{', '.join(self.controls) or 'no parameters'}. Reload the page."
            )
        with self._lock:
            if self._moves.take(move):
                self._act(values)

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

    def _act(self, values: Mapping[str, Any]) -> None:
        """A new move: send what it means."""
        raise NotImplementedError

    def _take(self, name: str, raw: Any) -> bool:
        """Whether the state of one widget in a page is a value.

        Raises:
            ParameterError: no widget sends that.
        """
        try:
            return self.controls[name].moved(raw)
        except TypeError as strange:
            text = f"A control of {self.spec.name} came with {name} = {strange}. Reload the page."
            raise ParameterError(text, {name: str(strange)}) from strange

    def _dispatch(self, params: Mapping[str, Any]) -> None:
        try:
            future = self._submit(self.spec.name, params)
        except ReactorError as refused:
            self._finished(params, refused)
            return
        future.add_done_callback(lambda done: self._finished(params, done.exception()))

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


class Live(Part):
    """One parameter: every change is a call."""

    def __init__(self, spec: CommandSpec, submit: Submit) -> None:
        super().__init__(spec, submit)
        (param,) = spec.params
        label = param.schema.get("description") or spec.description or param.name
        control = Control(param, label, _hint(spec, param.name), build_field(param), self._lock)
        control.on_change = lambda changed: self.send({param.name: changed.value})
        control.is_told = self._moves.has
        self.controls = {param.name: control}
        self.widget = control.widget

    def _act(self, values: Mapping[str, Any]) -> None:
        for name, raw in values.items():
            if self._take(name, raw):
                self.send({name: self.controls[name].value})


class Form(Part):
    """Several parameters: nothing is sent before Apply."""

    def __init__(self, spec: CommandSpec, submit: Submit) -> None:
        super().__init__(spec, submit)
        for param in spec.params:
            label = param.schema.get("description") or param.name
            field = build_field(param)
            self.controls[param.name] = Control(param, label, _hint(spec, param.name), field, self._lock)
        self.press = PressButton("Apply", self._send_all, tooltip=_hint(spec, None), icon="check")
        title = ipywidgets.HTML(f"<b>{html.escape(spec.description or spec.name)}</b>")
        title.add_class("reactor-form-title")
        self.widget = ipywidgets.VBox([title, *(control.widget for control in self.controls.values()), self.press])
        self.widget.add_class("reactor-form")

    def _act(self, values: Mapping[str, Any]) -> None:
        # What nobody touched stays as it is known: a slider of an unset value stands somewhere too.
        touched = {name: raw for name, raw in values.items() if not self.controls[name].is_at(raw)}
        readable = [self._take(name, raw) for name, raw in touched.items()]  # all of them: each has its own note
        if all(readable):
            self._send_all()

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


class Press(Part):
    """No parameter: a button."""

    def __init__(self, spec: CommandSpec, submit: Submit) -> None:
        super().__init__(spec, submit)
        self.press = PressButton(spec.name, lambda: self.send({}), tooltip=_hint(spec, None))
        self._note = ipywidgets.HTML(note_html(spec.description, is_error=False))
        self._note.add_class("reactor-note")
        self.widget = ipywidgets.HBox([self.press, self._note])
        self.widget.add_class("reactor-control")

    def complain(self, error: BaseException | None) -> None:
        self._note.value = note_html(str(error) if error else self.spec.description, is_error=error is not None)

    def _act(self, values: Mapping[str, Any]) -> None:
        self.send({})


def part_of(spec: CommandSpec, submit: Submit) -> Part:
    if not spec.params:
        return Press(spec, submit)
    return Live(spec, submit) if len(spec.params) == 1 else Form(spec, submit)


def _hint(spec: CommandSpec, param: str | None) -> str:
    """The tooltip: what it does, and the line that does the same."""
    described = next((p.schema.get("description", "") for p in spec.params if p.name == param), "")
    lines = dict.fromkeys(text for text in (spec.description, described) if text)
    return "\n".join([*lines, f"%reactor send {spec.signature()}"])
