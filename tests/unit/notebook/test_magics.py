"""What %reactor says, with a shell that only has a namespace."""

from __future__ import annotations

import re
import threading
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


def test_a_stop_while_a_model_loads_does_not_call_it_loaded(
    runtime: Runtime, reactor: ReactorMagic, capsys: pytest.CaptureFixture[str]
) -> None:
    may_load = threading.Event()

    @model(name="slow")
    class Slow(Playing):
        def __init__(self, config: Any) -> None:
            may_load.wait(10)

    session = runtime.run(Walk)
    assert session.wait(5, frames=1)
    runtime.run(Slow)
    try:
        reactor("stop")
        said = capsys.readouterr().out.splitlines()
        assert said == [
            "slow stopped while it loads; the loading goes on, and %reactor run slow waits for it.",
            "walk stopped; the model stays loaded and %reactor run starts it again.",
        ]
        reactor("stop")
        assert capsys.readouterr().out == "Nothing plays.\n"
    finally:
        may_load.set()
    assert runtime.run(Slow).wait(5, frames=1)
