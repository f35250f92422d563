"""What a command returned, or a model sends, as plain JSON values."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
import pathlib
import uuid
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from reactor_nb.errors import ResultError

_MAX_DEPTH = 64
_MAX_INT_BITS = 8192
"""Python's json writes no integer of more than 4300 digits."""


def to_json(value: Any, *, name: str = "result") -> Any:
    """`value` as None, bool, int, finite float, str, list or dict, all the way down.

    Numbers and arrays of numpy, tensors on any device, pydantic models, dataclasses, enums, dates, paths, sets and
    tuples are converted; containers are copied, so the author may go on changing the original.

    Args:
        name: what the messages call the value.
    Raises:
        ResultError: anything else, NaN and infinity included; the message names the place in the value.
    """
    try:
        return _convert(value, name, 0)
    except ResultError:
        raise
    except Exception as error:
        # What the author's own object raises when it is looked through.
        raise ResultError(f"{name} cannot be read as JSON: {type(error).__name__}: {error}") from error


def _convert(value: Any, place: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ResultError(f"{place[:80]}... is nested deeper than {_MAX_DEPTH} levels; does it hold itself?")
    if isinstance(value, enum.Enum):
        return _convert(value.value, place, depth + 1)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, place)
    if isinstance(value, int):
        if value.bit_length() > _MAX_INT_BITS:
            raise ResultError(f"{place} is an integer of {value.bit_length()} bits; JSON takes at most {_MAX_INT_BITS}")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ResultError(
                f"{place} is {value}, which JSON cannot hold. Return None in its place: x if math.isfinite(x) else None"
            )
        return float(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise ResultError(
            f"{place} is {type(value).__name__}, which JSON cannot hold. Return base64.b64encode(x).decode()"
        )
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (pathlib.PurePath, uuid.UUID, Decimal)):
        return str(value)
    return _convert_container(value, place, depth)


def _convert_container(value: Any, place: str, depth: int) -> Any:
    if isinstance(value, BaseModel):
        return _convert(dict(value), place, depth + 1)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _convert(pairs, place, depth + 1)
    if isinstance(value, Mapping):
        made = {_key(key, place): _convert(part, f"{place}[{key!r}]", depth + 1) for key, part in value.items()}
        if len(made) < len(value):
            raise ResultError(f"{place} has two keys that are one as text; keys of a JSON object are strings")
        return made
    if isinstance(value, (Sequence, Set)):
        return [_convert(part, f"{place}[{number}]", depth + 1) for number, part in enumerate(value)]
    tolist = getattr(value, "tolist", None)
    if callable(tolist) and not isinstance(value, type):
        return _convert(tolist(), place, depth + 1)
    raise ResultError(
        f"{place} is {type(value).__name__}, which JSON cannot hold. Return numbers, strings, lists and dicts of them, "
        "arrays, dataclasses or pydantic models."
    )


def _text(text: str, place: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ResultError(
                f"{place} holds {text[error.start]!r}, half of a character, which no page can be sent. "
                'Return x.encode(errors="replace").decode()'
            ) from error
    return str(text)


def _key(key: Any, place: str) -> str:
    if isinstance(key, enum.Enum):
        key = key.value
    if isinstance(key, (str, int, float)) and not isinstance(key, bool):
        return _text(str(key), place)
    raise ResultError(f"{place} has the key {key!r}; keys of a JSON object are strings. Write {str(key)!r}")
