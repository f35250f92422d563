"""A page hears of every call that it sent: once, by its id, whatever was sent and whatever came of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_nb import VideoModel, command, get_ctx, model
from reactor_nb.runtime.base import Runtime
from reactor_nb.transport import protocol
from tests.support.eventually import eventually
from tests.unit.core.signatures import JSON
from tests.unit.runtime.links import MemoryLink

_FRAME = np.zeros((4, 6, 3), np.uint8)


class EncodingLink(MemoryLink):
    """Refuses what no page can be sent, as a real one does."""

    def send(self, name: str, view_id: str | None, message: dict[str, Any]) -> int:
        protocol.encode(message)
        return super().send(name, view_id, message)


@model(name="echo")
class Echo(VideoModel):
    @command("echo")
    def echo(self, value: Any) -> Any:
        return value

    @command("large")
    def large(self, length: int = 300_000) -> str:
        return "x" * length

    @command("raw")
    def raw(self, kind: str = "object") -> Any:
        return {"object": object(), "lock": threading.Lock(), "nan": float("nan"), "half": "\ud800"}.get(kind)

    @command("fail")
    def fail(self, word: str) -> None:
        raise LookupError(word)

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(_FRAME)


class Page:
    """Sends messages as a page does, and keeps the replies by call."""

    def __init__(self, link: EncodingLink) -> None:
        self._link = link
        self._count = 0

    def call(self, name: Any, params: Any) -> str:
        self._count += 1
        call_id = f"c{self._count}"
        self._link.listeners["echo"]("view", {"type": "call", "id": call_id, "name": name, "params": params})
        return call_id

    def replies(self, call_id: str) -> list[dict[str, Any]]:
        return [
            message
            for _, _, message in list(self._link.sent)
            if message["type"] == "reply" and message["id"] == call_id
        ]

    def reply(self, call_id: str) -> dict[str, Any]:
        eventually(lambda: bool(self.replies(call_id)), timeout_s=5)
        (reply,) = self.replies(call_id)
        return reply


@contextmanager
def page() -> Iterator[Page]:
    link = EncodingLink()
    runtime = Runtime(lambda: link, stop_timeout_s=2.0)
    try:
        assert runtime.run(Echo).wait(5, frames=1)
        yield Page(link)
    finally:
        runtime.close()


def test_a_result_that_is_too_large_for_a_page_is_answered_with_an_error() -> None:
    with page() as asking:
        error = asking.reply(asking.call("large", {}))["error"]
        assert error["code"] == "bad_result"
        assert error["message"].startswith("A reply message of 300")


def test_a_refused_parameter_is_named_in_the_reply() -> None:
    with page() as asking:
        error = asking.reply(asking.call("large", {"length": "much"}))["error"]
        assert error["code"] == "bad_parameters"
        assert list(error["fields"]) == ["length"]


def test_a_method_that_raised_is_told_with_the_authors_traceback() -> None:
    with page() as asking:
        error = asking.reply(asking.call("fail", {"word": "no such prompt"}))["error"]
        assert (error["code"], error["message"]) == ("command_failed", "fail raised LookupError: no such prompt")
        assert "raise LookupError(word)" in error["traceback"]


CALLS = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(["echo", "raw", "fail", "requestCapabilities"]), st.text(max_size=4), JSON),
        st.one_of(
            st.fixed_dictionaries({"value": JSON}),
            st.fixed_dictionaries({"kind": st.sampled_from(["object", "lock", "nan", "half", "none"])}),
            st.fixed_dictionaries({"word": st.text(max_size=3)}),
            JSON,
        ),
    ),
    max_size=8,
)


def test_every_call_of_a_page_gets_exactly_one_reply() -> None:
    with page() as asking:

        @settings(max_examples=80, deadline=None)
        @given(calls=CALLS)
        def ask(calls: list[tuple[Any, Any]]) -> None:
            for call_id in [asking.call(name, params) for name, params in calls]:
                reply = asking.reply(call_id)
                assert ("result" in reply) is not ("error" in reply)
                if "error" in reply:
                    assert reply["error"]["code"] and reply["error"]["message"]

        ask()
