"""What a page says by comm, and who hears it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from reactor_nb import VideoModel, get_ctx, model
from reactor_nb.media.link import CommSettings
from reactor_nb.notebook.signalling import MAX_RELAYED, Signalling
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.carriers import CARRIER
from reactor_nb.runtime.ice import FILE, SERVERS
from reactor_nb.runtime.settings import StreamChoice
from tests.unit.runtime.links import MemoryLink

SECRET = "hunter2-of-the-relay"
SERVERS_JSON = json.dumps([{"urls": ["stun:s", "turn:t"], "username": "u", "credential": SECRET}])


class Said(list[tuple[dict[str, Any], bytes]]):
    """Every message to the pages, with its payload."""

    def __call__(self, message: dict[str, Any], payload: bytes = b"") -> None:
        self.append((message, payload))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message, _ in self if message["type"] == kind]


@pytest.fixture
def link() -> MemoryLink:
    return MemoryLink()


@pytest.fixture
def runtime(link: MemoryLink, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Runtime]:
    for name in (SERVERS, FILE, CARRIER):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    runtime = Runtime(lambda: link)
    yield runtime
    runtime.close()


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def signalling(runtime: Runtime, said: Said) -> Signalling:
    return Signalling("plasma", runtime, said)


def ready(view_id: str = "v") -> dict[str, Any]:
    return {"type": "ready", "view_id": view_id, "hostname": "localhost", "is_secure": True}


def test_a_greeting_is_answered_with_the_roads_that_may_be_taken(signalling: Signalling, said: Said) -> None:
    signalling.receive(ready())
    (hello,) = said.of("hello")
    assert (hello["view_id"], hello["carrier"], hello["has_relay"], hello["ice_servers"]) == ("v", "auto", False, [])


def test_the_carrier_of_a_run_is_told_to_pages(runtime: Runtime, signalling: Signalling, said: Said) -> None:
    @model(name="plasma")
    class Plasma(VideoModel):
        def start_session(self) -> None:
            while not get_ctx().should_stop():
                get_ctx().emit_block(np.zeros((4, 6, 3), np.uint8))

    runtime.run(Plasma, stream=StreamChoice(carrier="jpeg"))
    signalling.receive(ready())
    runtime.run(Plasma)
    signalling.receive(ready())
    runtime.again("plasma")
    assert [hello["carrier"] for hello in said.of("hello")] == ["jpeg", "auto"]


def test_secrets_go_to_the_page_that_asks_and_stand_in_no_greeting(
    signalling: Signalling, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SERVERS, SERVERS_JSON)
    signalling.receive(ready())
    (hello,) = said.of("hello")
    assert hello["has_relay"] and hello["ice_servers"] == [{"urls": ["stun:s"]}]
    assert SECRET not in json.dumps(hello)
    signalling.receive({"type": "servers", "view_id": "v"})
    (relays,) = said.of("relays")
    assert relays["view_id"] == "v"
    assert relays["ice_servers"][0] == {"urls": ["turn:t"], "username": "u", "credential": SECRET}


def test_servers_that_cannot_be_read_are_told_and_the_page_does_without(
    signalling: Signalling, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SERVERS, f'[{{"credential": "{SECRET}"')
    signalling.receive(ready())
    (hello,) = said.of("hello")
    assert (hello["ice_servers"], hello["has_relay"]) == ([], False)
    (error,) = said.of("error")
    assert error["to"] == ["v"] and "REACTOR_NB_ICE_SERVERS is not JSON" in error["error"]["message"]
    assert SECRET not in json.dumps(said.of("error"))


def test_the_picture_by_comm_is_asked_for_and_reported_to_the_media(signalling: Signalling, link: MemoryLink) -> None:
    signalling.receive({"type": "carry", "view_id": "v", "codecs": ["H264", "JPEG"], "is_watching": True})
    assert link.carried["v"] == CommSettings(("H264", "JPEG"), True)
    for message in (
        {"type": "ack", "view_id": "v", "sequence": 7},
        {"type": "keyframe", "view_id": "v"},
        {"type": "watching", "view_id": "v", "is_watching": False},
        {"type": "ping", "view_id": "v", "sent_ms": 1.0},
    ):
        signalling.receive(message)
    assert [message["type"] for _, _, message in link.heard_messages] == ["ack", "keyframe", "watching", "ping"]
    assert {(name, view_id) for name, view_id, _ in link.heard_messages} == {("plasma", "v")}


def test_packets_reach_the_pages_with_their_bytes(signalling: Signalling, link: MemoryLink, said: Said) -> None:
    signalling.receive(ready())
    link.packet_listeners["plasma"]({"type": "packet", "to": ["v"]}, b"frame")
    assert said[-1] == ({"type": "packet", "to": ["v"]}, b"frame")


def test_a_page_that_asks_for_a_relay_is_known_to_want_one_until_it_leaves(
    signalling: Signalling, link: MemoryLink, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SERVERS, SERVERS_JSON)
    offer = {"type": "offer", "view_id": "v", "offer_id": "1", "sdp": "", "hostname": "localhost"}
    for message in (offer, {"type": "servers", "view_id": "v"}, offer, {"type": "bye", "view_id": "v"}, offer):
        signalling.receive(message)
    assert [settings.wants_relay for settings in link.offers] == [False, True, False]


def test_the_views_that_want_a_relay_are_so_many_and_no_more(
    signalling: Signalling, link: MemoryLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MAX_RELAYED + 1):
        signalling.receive({"type": "servers", "view_id": str(number)})
    for view_id in ("0", "1"):
        signalling.receive({"type": "offer", "view_id": view_id, "offer_id": "1", "sdp": "", "hostname": "localhost"})
    assert [settings.wants_relay for settings in link.offers] == [False, True]


def test_what_a_page_says_after_the_end_is_passed_over(signalling: Signalling, runtime: Runtime, said: Said) -> None:
    runtime.close()
    signalling.receive({"type": "ack", "view_id": "v", "sequence": 1})
    signalling.receive({"type": "bye", "view_id": "v"})
    assert said == []
    signalling.receive(ready())
    assert [error["error"]["code"] for error in said.of("error")] == ["closed"]


def test_a_malformed_message_is_answered_with_what_is_wrong_in_it(signalling: Signalling, said: Said) -> None:
    signalling.receive({"type": "ack", "view_id": "v"})
    (error,) = said.of("error")
    assert "without 'sequence'" in error["error"]["message"]


def test_views_that_leave_together_end_and_the_stream_of_their_name_goes_on(
    signalling: Signalling, link: MemoryLink
) -> None:
    for view_id in ("a", "b", "c"):
        signalling.receive(ready(view_id))
    signalling.receive({"type": "bye", "view_id": "b"})
    link.closed.clear()
    signalling.leave()
    assert link.closed == ["plasma a", "plasma c"]


def test_a_control_whose_listener_fails_is_answered_as_by_data_channel(
    runtime: Runtime, signalling: Signalling, said: Said, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(message: dict[str, Any]) -> None:
        raise RuntimeError("no widget is left")

    runtime.on_control("plasma", fail)
    moved = {"command": "move", "page_id": "p", "order": 1, "values": {}}
    signalling.receive({"type": "control", "id": "7", "view_id": "v", **moved})
    (reply,) = said.of("reply")
    assert (reply["id"], "no widget is left" in reply["error"]["message"]) == ("7", True)
    assert "A control message of plasma was not followed." in caplog.text
