"""One Control: an ipywidget for one parameter, its label, and the place where a refusal is shown."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import ipywidgets

from reactor_nb.core.command import ParamSpec
from reactor_nb.notebook.control_moves import MOVED, Move


class _Unset:
    """The value of a required parameter without a default, until somebody gives one."""

    def __repr__(self) -> str:
        return "unset"


UNSET: Final = _Unset()
_NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Field:
    """What a row of the control table makes: the widget, and how a value goes into it and comes out.

    `read` raises ValueError with a sentence when what stands in the widget is no value (broken JSON).
    `write` may get any value that the parameter's schema accepts. `from_page` makes the value of the widget's
    state as a page has it: ValueError as `read`, TypeError for what no widget sends. `state` is the synced
    trait that holds it.
    """

    widget: ipywidgets.Widget
    read: Callable[[], Any]
    write: Callable[[Any], None]
    from_page: Callable[[Any], Any]
    state: str = "value"


class Control:
    """One parameter in the page.

    `on_change(control)` is called when a person changes the value, never when `show` does: a value
    that is already known, from whoever it came, is not a change. So no flag is needed that two threads
    could race on.

    Args:
        lock: of the command; held while values change, never while anything is waited for.
    Threads: made on the thread that runs the model; everything else from any.
    """

    def __init__(self, param: ParamSpec, label: str, hint: str, field: Field, lock: threading.RLock) -> None:
        self.param = param
        self.on_change: Callable[[Control], None] = lambda control: None
        self.is_told: Callable[[Move], bool] = lambda move: False
        """Whether the page's own message of a move has come."""
        self._field = field
        self._lock = lock
        self._known: Any = UNSET if param.is_required else param.default
        self._applied: Any = self._known
        self._told: Any = _NOTHING
        """The state that a page told last and the kernel's widget has not got yet: ipywidgets brings it when it can."""
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
        # What ipywidgets calls for every message of a page.
        self._set_state: Callable[[Mapping[str, Any]], None] = field.widget.set_state
        field.widget.set_state = self._from_front_end

    @property
    def value(self) -> Any:
        """The value as the command takes it; UNSET while a required one is missing."""
        return self._known

    def address(self) -> dict[str, str]:
        """Where a page finds the widget: its model and the name of the state that it watches."""
        return {"model_id": self._field.widget.model_id, "state": self._field.state}

    def show(self, value: Any) -> None:
        """Move the widget to a value that somebody applied; sends nothing."""
        with self._lock:
            is_ahead, self._told = self._told is not _NOTHING, _NOTHING
            self._known = self._applied = value
            if value is not None:
                self._field.write(value)
                if is_ahead:  # the pages are not where the kernel's widget was: no change of it is none of theirs
                    self._field.widget.send_state(self._field.state)
            self.note("")

    def moved(self, raw: Any) -> bool:
        """A page says what a person has set; whether that is a value. What is wrong with it stands beside it.

        The kernel's widget and the other pages follow when ipywidgets says the same. An echo from here might reach
        the page when it has moved on, and set it back.

        Raises:
            TypeError: it is no state of this widget.
        """
        try:
            self._known = self._field.from_page(raw)
        except ValueError as unreadable:
            self._told = raw
            self.note(str(unreadable), is_error=True)
            return False
        self._told = raw
        self.note("")
        return True

    def is_at(self, raw: Any) -> bool:
        """Whether it stands there already: then nobody has touched it since."""
        return bool(self._state() == raw)

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

    def _state(self) -> Any:
        if self._told is not _NOTHING:
            return self._told
        return self._field.widget.get_state(self._field.state)[self._field.state]

    def _from_front_end(self, state: Mapping[str, Any]) -> None:
        """What ipywidgets says, which may be late. It echoes what it is given here to all pages."""
        move = Move.of(state)
        name = self._field.state
        with self._lock:
            if move is None or name not in state:
                if name in state:
                    self._told = _NOTHING
                self._set_state(state)
                return
            raw = state[name]
            if self.is_told(move):
                # Not what was passed on the way, nor what somebody has set since. The page that sent it waits for an
                # echo of this very message, and would stay deaf to other pages without.
                raw, self._told = self._state(), _NOTHING
            else:
                self._expect(raw)
            self._set_state({**{key: value for key, value in state.items() if key != MOVED}, name: raw})

    def _expect(self, raw: Any) -> None:
        """This came ahead of the page's own message, which makes the call."""
        try:
            self._known = self._field.from_page(raw)
        except (TypeError, ValueError):
            return

    def _changed(self, change: Any) -> None:
        with self._lock:
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
