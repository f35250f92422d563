"""One Control: an ipywidget for one parameter, its label, and the place where a refusal is shown."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import ipywidgets

from reactor_nb.core.command import ParamSpec


class _Unset:
    """The value of a required parameter without a default, until somebody gives one."""

    def __repr__(self) -> str:
        return "unset"


UNSET: Final = _Unset()


@dataclass(frozen=True, slots=True)
class Field:
    """What a row of the control table makes: the widget, and how a value goes into it and comes out.

    `read` raises ValueError with a sentence when what stands in the widget is no value (broken JSON).
    `write` may get any value that the parameter's schema accepts.
    """

    widget: ipywidgets.Widget
    read: Callable[[], Any]
    write: Callable[[Any], None]


class Control:
    """One parameter in the page.

    `on_change(control)` is called when a person changes the value, never when `show` does: a value
    that is already known, from whoever it came, is not a change. So no flag is needed that two threads
    could race on.

    Threads: made on the thread that runs the model; `show` and the widget's callbacks may come from any.
    """

    def __init__(self, param: ParamSpec, label: str, hint: str, field: Field) -> None:
        self.param = param
        self.on_change: Callable[[Control], None] = lambda control: None
        self._field = field
        self._known: Any = UNSET if param.is_required else param.default
        self._applied: Any = self._known
        self._note = ipywidgets.HTML(layout=ipywidgets.Layout(margin="0 0 0 8px"))
        self._note.add_class("reactor-note")
        text = ipywidgets.HTML(
            f'<span title="{html.escape(hint, quote=True)}">{html.escape(label)}</span>',
            layout=ipywidgets.Layout(width="190px", margin="0 8px 0 0"),
        )
        text.add_class("reactor-label")
        field.widget.tooltip = hint
        if self._known is not UNSET and self._known is not None:
            field.write(self._known)
        self.widget = ipywidgets.HBox(
            [text, field.widget, self._note], layout=ipywidgets.Layout(align_items="center", flex_flow="row wrap")
        )
        self.widget.add_class("reactor-control")
        self._show_if_unset()
        field.widget.observe(self._changed, names="value")

    @property
    def value(self) -> Any:
        """The value as the command takes it; UNSET while a required one is missing."""
        return self._known

    def show(self, value: Any) -> None:
        """Move the widget to a value that somebody applied; sends nothing."""
        self._known = self._applied = value
        if value is not None:
            self._field.write(value)
        self.note("")

    def accepted(self, value: Any) -> None:
        """The model took the value that this control sent."""
        self._applied = value

    def back_to_applied(self) -> None:
        """Show what the model has, after it refused what the widget shows."""
        if self._applied is UNSET:
            self._known = UNSET
            self._show_if_unset()
        else:
            self.show(self._applied)

    def note(self, text: str, *, is_error: bool = False) -> None:
        """A short sentence beside the widget; empty takes it away."""
        self._note.value = note_html(text, is_error=is_error)

    def _changed(self, change: Any) -> None:
        try:
            value = self._field.read()
        except ValueError as unreadable:
            self.note(str(unreadable), is_error=True)
            return
        if self._known is not UNSET and value == self._known:
            return
        self._known = value
        self.note("")
        self.on_change(self)

    def _show_if_unset(self) -> None:
        if self._known is UNSET:
            self.note("not set")
        elif self._known is None:
            self.note("none")


def note_html(text: str, *, is_error: bool) -> str:
    """What stands beside a widget: quiet, or red; announced to a screen reader."""
    kind = "reactor-error-note" if is_error else "reactor-quiet-note"
    return f'<span class="{kind}" role="status">{html.escape(text)}</span>' if text else ""
