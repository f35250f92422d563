"""The data channel: calls, replies, heartbeats and everything that a page may say wrong."""

from __future__ import annotations

from typing import Any

import pytest

from reactor_nb.errors import MessageError, ParameterError
from reactor_nb.media.link import MediaLink, StreamSettings
from tests.loopback.conftest import OpenPage
from tests.loopback.page import Page
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

SETTINGS = StreamSettings(rate_fps=30.0)
CALL = {"type": "call", "id": "c1", "name": "set_speed", "params": {"speed": 0.5}}


@pytest.fixture
def page(link: MediaLink, open_page: OpenPage) -> Page:
    link.open_stream("plasma", SETTINGS)
    page = open_page()
    eventually(lambda: link.stats("plasma")["peers"][page.view_id]["is_open"])
    return page


def test_a_call_reaches_the_listener_and_its_reply_the_view(link: MediaLink, page: Page) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []

    def listener(view_id: str, message: dict[str, Any]) -> None:
        heard.append((view_id, message))
        link.send("plasma", view_id, {"type": "reply", "id": message["id"], "result": "ok"})

    link.listen("plasma", listener)
    page.say(CALL)
    assert page.next_message("reply") == {"type": "reply", "id": "c1", "result": "ok"}
    assert heard == [(page.view_id, CALL)]


def test_a_message_to_every_view_reaches_all(link: MediaLink, page: Page, open_page: OpenPage) -> None:
    other = open_page()
    message = {"type": "message", "data": {"score": 3}}
    eventually(lambda: link.stats("plasma")["peers"][other.view_id]["is_open"])
    assert link.send("plasma", None, message) == 2
    assert page.next_message("message") == other.next_message("message") == message


def test_a_message_to_a_view_that_is_not_there_reaches_none(link: MediaLink, page: Page) -> None:
    assert link.send("plasma", "nobody", {"type": "message", "data": 1}) == 0
    assert link.send("nothing", None, {"type": "message", "data": 1}) == 0


def test_a_ping_is_answered_with_the_kernels_clock(page: Page) -> None:
    page.say({"type": "ping", "sent_ms": 12.5})
    pong = page.next_message("pong")
    assert pong["sent_ms"] == 12.5
    assert pong["kernel_ms"] > 0


def test_what_a_page_painted_is_in_the_stats(link: MediaLink, page: Page) -> None:
    report = {"painted": 30, "skipped": 1, "latency_ms": None, "rate_fps": 29.9}
    page.say({"type": "painted", **report})
    eventually(lambda: link.stats("plasma")["peers"][page.view_id]["page"] == report)


@pytest.mark.parametrize(
    "said",
    [
        "{no json",
        "[1]",
        '{"type":"nope"}',
        '{"type":"call"}',
        '{"type":"ping","sent_ms":NaN}',
        "x" * 70_000,
        "[" * 9000,
    ],
)
def test_a_malformed_message_is_answered_and_the_view_goes_on(said: str, page: Page) -> None:
    page.say(said)
    assert page.next_message("error")["error"]["code"] == "bad_message"
    page.say({"type": "ping", "sent_ms": 1})
    page.next_message("pong")


def test_a_malformed_call_is_answered_under_its_id(page: Page) -> None:
    page.say({"type": "call", "id": "c7", "name": "set_speed"})
    reply = page.next_message("reply")
    assert reply["id"] == "c7"
    assert "params" in reply["error"]["message"]


def test_a_call_without_a_listener_is_refused(page: Page) -> None:
    page.say(CALL)
    reply = page.next_message("reply")
    assert (reply["id"], reply["error"]["code"]) == ("c1", "not_streaming")


def test_a_listener_that_raises_answers_with_its_error(link: MediaLink, page: Page) -> None:
    def listener(view_id: str, message: dict[str, Any]) -> None:
        raise ParameterError("speed is out of range", {"speed": "at most 1"})

    link.listen("plasma", listener)
    page.say(CALL)
    assert page.next_message("reply")["error"]["fields"] == {"speed": "at most 1"}


def test_a_message_that_is_no_json_is_refused_where_it_is_sent(link: MediaLink, page: Page) -> None:
    with pytest.raises(MessageError, match="cannot be sent as JSON"):
        link.send("plasma", None, {"type": "message", "data": float("nan")})


def test_a_message_that_no_page_could_take_is_refused_where_it_is_sent(link: MediaLink, page: Page) -> None:
    with pytest.raises(MessageError, match="too large"):
        link.send("plasma", None, {"type": "message", "data": "x" * 300_000})
