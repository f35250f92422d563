"""What a page says comes by either road, perhaps by both: each call is run once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from reactor_nb import VideoModel, command, get_ctx, model
from reactor_nb.errors import ParameterError
from reactor_nb.runtime.base import Runtime
from tests.support.eventually import eventually
from tests.unit.runtime.links import MemoryLink

_FRAME = np.zeros((4, 6, 3), np.uint8)


@model(name="counted")
class Counted(VideoModel):
    def __init__(self, config: Any) -> None:
        self.count = 0

    @command("count")
    def add(self) -> int:
        self.count += 1
        return self.count

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(_FRAME)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    runtime = Runtime(MemoryLink, stop_timeout_s=2.0)
    assert runtime.run(Counted).wait(5, frames=1)
    yield runtime
    runtime.close()


def call(call_id: str) -> dict[str, Any]:
    return {"type": "call", "id": call_id, "name": "count", "params": {}}


def control(**changed: Any) -> dict[str, Any]:
    message = {"type": "control", "id": "m1", "view_id": "v", "page_id": "p", "command": "count"}
    return {**message, "values": {}, "order": 1, **changed}


def test_a_call_that_comes_by_both_roads_is_run_once_and_answered_on_both(runtime: Runtime) -> None:
    by_channel: list[dict[str, Any]] = []
    by_comm: list[dict[str, Any]] = []
    runtime.handle_page_message("counted", call("a"), by_channel.append)
    runtime.handle_page_message("counted", call("a"), by_comm.append)
    eventually(lambda: len(by_channel) == len(by_comm) == 1, timeout_s=5)
    assert by_channel == by_comm == [{"type": "reply", "id": "a", "result": 1}]
    assert runtime.session("counted").send("count", 5) == 2


def test_two_calls_are_two(runtime: Runtime) -> None:
    replies: list[dict[str, Any]] = []
    for call_id in ("a", "b"):
        runtime.handle_page_message("counted", call(call_id), replies.append)
    eventually(lambda: len(replies) == 2, timeout_s=5)
    assert {reply["result"] for reply in replies} == {1, 2}


def test_a_control_goes_to_the_newest_listener_and_is_answered_when_it_was_taken(runtime: Runtime) -> None:
    told: list[str] = []
    replies: list[dict[str, Any]] = []
    end = runtime.on_control("counted", lambda message: told.append("old"))
    runtime.on_control("counted", lambda message: told.append(message["command"]))
    end()
    runtime.handle_page_message("counted", control(), replies.append)
    assert told == ["count"]
    assert replies == [{"type": "reply", "id": "m1", "result": None}]


def test_a_control_that_is_refused_is_answered_with_the_reason(runtime: Runtime) -> None:
    replies: list[dict[str, Any]] = []

    def refuse(message: dict[str, Any]) -> None:
        raise ParameterError("no such parameter")

    end = runtime.on_control("counted", refuse)
    runtime.handle_page_message("counted", control(), replies.append)
    assert replies[0]["error"]["code"] == "bad_parameters"
    end()
    runtime.handle_page_message("counted", control(id="m2"), replies.append)
    assert (replies[1]["id"], replies[1]["error"]["code"]) == ("m2", "not_streaming")
