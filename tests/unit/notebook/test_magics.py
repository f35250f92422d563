"""What %reactor says, with a shell that only has a namespace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reactor_nb import VideoModel, command, get_ctx, model
from reactor_nb.errors import SeveralModelsError
from reactor_nb.notebook.magics import ReactorMagic
from reactor_nb.runtime.base import Runtime
from tests.unit.runtime.links import MemoryLink

FRAME = np.zeros((4, 6, 3), np.uint8)


class Playing(VideoModel):
    @command("look")
    def look(self, angle: int = 0) -> int:
        return angle

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(FRAME)


@model(name="walk")
class Walk(Playing): ...


@model(name="swim")
class Swim(Playing): ...


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with closing(Runtime(MemoryLink)) as runtime:
        yield runtime


@pytest.fixture
def reactor(runtime: Runtime) -> ReactorMagic:
    extension: Any = SimpleNamespace(runtime=runtime, shell=SimpleNamespace(user_ns={"Walk": Walk, "Swim": Swim}))
    return ReactorMagic(extension)


@pytest.mark.parametrize(
    ("typed", "to_type"),
    [
        ("profile", "profile walk"),
        ("profile --out time.svg", "profile walk --out time.svg"),
        ("session", "session walk"),
        ("send look angle=3", "send --on walk look angle=3"),
        ("run", "run swim"),
        ("schema", "schema swim"),
        ("config", "config swim"),
        ("check", "check swim"),
    ],
)
def test_where_several_models_could_be_meant_the_line_that_was_typed_is_told_with_a_name(
    typed: str, to_type: str, runtime: Runtime, reactor: ReactorMagic
) -> None:
    runtime.run(Walk)
    runtime.run(Swim)
    with pytest.raises(SeveralModelsError, match=re.escape(f"Type: %reactor {to_type}") + "$"):
        reactor(typed)
