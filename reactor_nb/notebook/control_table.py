"""Which widget a parameter gets: a table with one row per type, tried from the top."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets

from reactor_nb.core.command import ParamSpec
from reactor_nb.notebook.control import Field
from reactor_nb.notebook.control_state import choice_among, json_of, number_within, text_itself, yes_or_no

Schema = Mapping[str, Any]

_WIDE = ipywidgets.Layout
_LONG_TEXT_CHARS = 120
_BUTTONS_UP_TO = 4
# ipywidgets' number boxes are bounded on both sides or on none; these stand for "no bound".
_LARGEST_INT = 2**53
_LARGEST_FLOAT = 1e300


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    fits: Callable[[Schema], bool]
    build: Callable[[Schema], Field]


def build_field(param: ParamSpec) -> Field:
    schema = unwrap_optional(param.schema)
    return next(row for row in ROWS if row.fits(schema)).build(schema)


def unwrap_optional(schema: Schema) -> Schema:
    """`Optional[X]` is drawn as X: the schema without its null branch."""
    branches = [branch for branch in schema.get("anyOf", ()) if branch.get("type") != "null"]
    if len(branches) != 1:
        return schema
    return {**{key: value for key, value in schema.items() if key != "anyOf"}, **branches[0]}


def _value_field(widget: ipywidgets.Widget, from_page: Callable[[Any], Any], state: str = "value") -> Field:
    def write(value: Any) -> None:
        widget.value = value

    return Field(widget, lambda: widget.value, write, from_page, state)


def _options(schema: Schema) -> list[tuple[str, Any]]:
    values = [schema["const"]] if "const" in schema else schema["enum"]
    return [(value if isinstance(value, str) else json.dumps(value), value) for value in values]


def _buttons(schema: Schema) -> Field:
    widget = ipywidgets.ToggleButtons(options=_options(schema), value=None, layout=_WIDE(width="auto"))
    widget.style.button_width = "auto"
    return _value_field(widget, choice_among(_options(schema)), "index")


def _dropdown(schema: Schema) -> Field:
    widget = ipywidgets.Dropdown(options=_options(schema), value=None, layout=_WIDE(width="300px"))
    return _value_field(widget, choice_among(_options(schema)), "index")


def _checkbox(schema: Schema) -> Field:
    return _value_field(ipywidgets.Checkbox(indent=False, layout=_WIDE(width="auto")), yes_or_no)


def _low(schema: Schema) -> float | None:
    return _bound(schema, "minimum", "exclusiveMinimum", +1)


def _high(schema: Schema) -> float | None:
    return _bound(schema, "maximum", "exclusiveMaximum", -1)


def _bound(schema: Schema, closed: str, opened: str, inwards: int) -> float | None:
    """The outermost value that the widget may offer; an open bound moves in by one step."""
    candidates = [schema[closed]] if closed in schema else []
    if opened in schema:
        candidates.append(schema[opened] + inwards * _step(schema))
    return (max if inwards > 0 else min)(candidates) if candidates else None


def _step(schema: Schema) -> float:
    if "multipleOf" in schema:
        return float(schema["multipleOf"])
    if schema.get("type") == "integer":
        return 1.0
    ends = [schema[key] for key in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum") if key in schema]
    if len(ends) < 2 or max(ends) <= min(ends):
        return 0.01
    low, high = min(ends), max(ends)
    default = schema.get("default")
    marks = [high, default] if isinstance(default, int | float) else [high]
    # A slider counts its steps from the low end and moves a value between two of them: the default must lie on one.
    steps = [_round_step((high - low) / count) for count in (100, 200, 500, 1000, 2000, 5000, 10_000)]
    return next((step for step in steps if all(_is_whole((mark - low) / step) for mark in marks)), steps[0])


def _is_whole(quotient: float) -> bool:
    return abs(quotient - round(quotient)) < 1e-6


def _round_step(step: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is at most `step`: a readout without long tails."""
    power = 10.0 ** math.floor(math.log10(step))
    # The quotient of two floats may fall just short of the 1, 2 or 5 that it stands for.
    digit = max(each for each in (1, 2, 5) if each <= step / power * (1 + 1e-9))
    return float(f"{digit * power:.12g}")


def _decimals(step: float) -> str:
    digits = len(f"{step:.10f}".rstrip("0").partition(".")[2])
    return f".{min(digits, 6)}f"


def _int_slider(schema: Schema) -> Field:
    low, high = int(_low(schema) or 0), int(_high(schema) or 0)
    widget = ipywidgets.IntSlider(low, low, high, step=int(_step(schema)) or 1, layout=_WIDE(width="300px"))
    return _value_field(widget, number_within(int, widget))


def _float_slider(schema: Schema) -> Field:
    low, high, step = _low(schema) or 0.0, _high(schema) or 0.0, _step(schema)
    widget = ipywidgets.FloatSlider(
        low, min=low, max=high, step=step, readout_format=_decimals(step), layout=_WIDE(width="300px")
    )
    return _value_field(widget, number_within(float, widget))


def _int_box(schema: Schema) -> Field:
    low, high = _low(schema), _high(schema)
    widget = ipywidgets.BoundedIntText(
        value=0 if low is None else int(low),
        min=-_LARGEST_INT if low is None else int(low),
        max=_LARGEST_INT if high is None else int(high),
        step=int(_step(schema)) or 1,
        layout=_WIDE(width="160px"),
    )
    return _value_field(widget, number_within(int, widget))


def _float_box(schema: Schema) -> Field:
    low, high = _low(schema), _high(schema)
    widget = ipywidgets.BoundedFloatText(
        value=0.0 if low is None else low,
        min=-_LARGEST_FLOAT if low is None else low,
        max=_LARGEST_FLOAT if high is None else high,
        step=schema.get("multipleOf"),
        layout=_WIDE(width="160px"),
    )
    return _value_field(widget, number_within(float, widget))


def _text(schema: Schema) -> Field:
    # continuous_update off: a prompt is sent on Enter or when the field is left, not at each letter.
    return _value_field(
        ipywidgets.Text(continuous_update=False, placeholder="type, then Enter", layout=_WIDE(width="420px")),
        text_itself,
    )


def _textarea(schema: Schema) -> Field:
    return _value_field(
        ipywidgets.Textarea(
            continuous_update=False, placeholder="type, then leave the field", rows=3, layout=_WIDE(width="420px")
        ),
        text_itself,
    )


def _json(schema: Schema) -> Field:
    widget = ipywidgets.Textarea(continuous_update=False, placeholder="JSON", rows=2, layout=_WIDE(width="420px"))

    def write(value: Any) -> None:
        widget.value = json.dumps(value)

    return Field(widget, lambda: json_of(widget.value), write, json_of)


def _is(kind: str) -> Callable[[Schema], bool]:
    return lambda schema: schema.get("type") == kind


def _is_bounded(kind: str) -> Callable[[Schema], bool]:
    def fits(schema: Schema) -> bool:
        low, high = _low(schema), _high(schema)
        return schema.get("type") == kind and low is not None and high is not None and low < high

    return fits


def _is_choice(schema: Schema) -> bool:
    return "const" in schema or bool(schema.get("enum"))


def _is_long_text(schema: Schema) -> bool:
    default = schema.get("default")
    return schema.get("type") == "string" and (
        schema.get("maxLength", 0) > _LONG_TEXT_CHARS
        or (isinstance(default, str) and (len(default) > _LONG_TEXT_CHARS or "\n" in default))
    )


ROWS: tuple[Row, ...] = (
    Row("few options", lambda s: _is_choice(s) and len(_options(s)) <= _BUTTONS_UP_TO, _buttons),
    Row("many options", _is_choice, _dropdown),
    Row("yes or no", _is("boolean"), _checkbox),
    Row("whole number in a range", _is_bounded("integer"), _int_slider),
    Row("number in a range", _is_bounded("number"), _float_slider),
    Row("whole number", _is("integer"), _int_box),
    Row("number", _is("number"), _float_box),
    Row("long text", _is_long_text, _textarea),
    Row("text", _is("string"), _text),
    Row("anything else", lambda schema: True, _json),
)
