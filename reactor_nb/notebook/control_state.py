"""What a widget's state in a page means: the value that the widget itself would make of it.

Each raises TypeError for what no widget sends, and ValueError with a sentence for what a person may have left there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets


def choice_among(options: Sequence[tuple[str, Any]]) -> Callable[[Any], Any]:
    """The value of an option by its number in the list; none chosen is ValueError."""

    def from_page(raw: Any) -> Any:
        if raw is None:
            raise ValueError("choose one")
        if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw < len(options):
            raise TypeError(f"{raw!r:.80} is the number of none of {len(options)} options")
        return options[raw][1]

    return from_page


def number_within(kind: type[int] | type[float], widget: ipywidgets.Widget) -> Callable[[Any], Any]:
    """A number within the widget's `min` and `max`, as they are then."""

    def from_page(raw: Any) -> Any:
        # A page has one kind of number: 1.0 comes as 1. An int may be larger than any float.
        is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
        if not is_number or (isinstance(raw, float) and not math.isfinite(raw)):
            raise TypeError(f"{raw!r:.80} is no number")
        return kind(min(max(raw, widget.min), widget.max))

    return from_page


def yes_or_no(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise TypeError(f"{raw!r:.80} is neither true nor false")
    return raw


def text_itself(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError(f"{raw!r:.80} is no text")
    return raw


def json_of(raw: Any) -> Any:
    try:
        return json.loads(text_itself(raw))
    except (ValueError, RecursionError) as broken:
        raise ValueError(f"this is not JSON: {broken}") from None
