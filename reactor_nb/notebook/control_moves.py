"""Moves of controls, which reach the kernel twice: told by the page itself, and by ipywidgets when it can.

A page that sends the changes of its controls itself writes the number of each into the widget's state as well,
under MOVED. So the late message of ipywidgets is known for what it is, page by page, and needs no agreement first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MOVED: Final = "reactor_moved"
MOST_PAGES = 64


@dataclass(frozen=True, slots=True)
class Move:
    """One change by a person. `order` counts up in a page."""

    page_id: str
    order: float

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Move | None:
        """The move that a widget's state from a page belongs to; None when the page leaves it to ipywidgets."""
        mark = state.get(MOVED)
        if not isinstance(mark, Mapping):
            return None
        page_id, order = mark.get("page_id"), mark.get("order")
        if not isinstance(page_id, str) or not isinstance(order, int | float):
            return None
        return cls(page_id, order)


class Moves:
    """How far each page has moved one command.

    Threads: any, one at a time: its owner's lock.
    """

    def __init__(self) -> None:
        self._newest: OrderedDict[str, float] = OrderedDict()

    def has(self, move: Move) -> bool:
        """Whether this move, or a newer one of its page, was taken."""
        return move.order <= self._newest.get(move.page_id, float("-inf"))

    def take(self, move: Move) -> bool:
        """Whether it is new. What a page sent by two roads is new once, and what came late never."""
        if self.has(move):
            return False
        self._newest[move.page_id] = move.order
        self._newest.move_to_end(move.page_id)
        if len(self._newest) > MOST_PAGES:
            self._newest.popitem(last=False)
        return True
