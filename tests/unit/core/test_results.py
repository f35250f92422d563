"""What a command returned, as JSON."""

from __future__ import annotations

import array
import dataclasses
import datetime
import enum
import json
import math
import uuid
from collections import deque
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from reactor_nb.core.results import to_json
from reactor_nb.errors import ResultError


class Color(enum.Enum):
    RED = "red"


class Speed(enum.IntEnum):
    FAST = 2


class Pose(BaseModel):
    x: float
    color: Color = Color.RED


@dataclasses.dataclass
class Size:
    width_px: int
    parts: tuple[int, ...] = ()


class TensorLike:
    """What torch.Tensor offers here."""

    def tolist(self) -> list[float]:
        return [0.5, 1.5]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (np.bool_(True), True),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (np.array(2.0), 2.0),
        (TensorLike(), [0.5, 1.5]),
        (array.array("i", [1, 2]), [1, 2]),
        (Color.RED, "red"),
        (Speed.FAST, 2),
        (Pose(x=1), {"x": 1.0, "color": "red"}),
        (Size(3, (1, 2)), {"width_px": 3, "parts": [1, 2]}),
        ({"a": (1, {2}), 3: deque(["x"]), Color.RED: 1}, {"a": [1, [2]], "3": ["x"], "red": 1}),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (PurePosixPath("a/b"), "a/b"),
        (Decimal("1.5"), "1.5"),
        (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (range(3), [0, 1, 2]),
    ],
)
def test_what_authors_return_becomes_json(value: Any, expected: Any) -> None:
    made = to_json(value)
    assert made == expected
    assert json.loads(json.dumps(made, allow_nan=False)) == expected


def test_containers_are_copied() -> None:
    original = {"a": [1]}
    made = to_json(original)
    original["a"].append(2)
    assert made == {"a": [1]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [object()]}, r"result\['a'\]\[0\] is object, which JSON cannot hold"),
        (math.nan, r"result is nan, which JSON cannot hold. Return None in its place: x if math\.isfinite\(x\)"),
        (np.array([1.0, math.inf]), r"result\[1\] is inf"),
        (b"png", r"result is bytes.*base64\.b64encode"),
        ({(1, 2): 3}, r"result has the key \(1, 2\); keys of a JSON object are strings"),
        (lambda: 1, r"result is function"),
        (np.ndarray, r"result is type"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(value: Any, message: str) -> None:
    with pytest.raises(ResultError, match=message):
        to_json(value)


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ResultError, match="nested deeper than 64 levels; does it hold itself"):
        to_json(loop)


def test_the_messages_call_the_value_by_the_name_that_is_given() -> None:
    with pytest.raises(ResultError, match=r"^message\['x'\] is object"):
        to_json({"x": object()}, name="message")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([10**5000], r"result\[0\] is an integer of \d+ bits; JSON takes at most 8192"),
        ({"name": "a\udcff"}, r"result\['name'\] holds '\\udcff', half of a character"),
        ({"\udcff": 1}, r"result holds '\\udcff'"),
        ({1: "a", "1": "b"}, r"result has two keys that are one as text"),
    ],
)
def test_what_json_text_cannot_hold_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ResultError, match=message):
        to_json(value)


def test_an_object_that_cannot_be_looked_through_is_refused() -> None:
    class Broken:
        def tolist(self) -> list[int]:
            raise RuntimeError("CUDA error")

    with pytest.raises(ResultError, match=r"result cannot be read as JSON: RuntimeError: CUDA error"):
        to_json([Broken()])


def test_a_string_of_another_class_becomes_a_plain_one() -> None:
    class Name(str):
        pass

    assert type(to_json(Name("ä"))) is str
