"""The comm stands by behind a view's WebRTC, and takes over when its data channel falls silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from reactor_nb.media.link import CommSettings, MediaLink, StreamSettings
from tests.loopback.comm_page import Broadcast, CommPage
from tests.loopback.conftest import OpenPage
from tests.loopback.counting_model import CountingModel
from tests.loopback.page import Page
from tests.support import barcode
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

BOTH = ("webrtc", "comm")


@pytest.fixture
def broadcast(link: MediaLink) -> Iterator[Broadcast]:
    broadcast = Broadcast(link)
    yield broadcast
    broadcast.close()


@pytest.fixture
def model(link: MediaLink) -> Iterator[CountingModel]:
    model = CountingModel(link.open_stream("plasma", StreamSettings(rate_fps=30.0)))
    yield model
    model.sink.close()
    model.end()


def newest_number(page: CommPage | Page) -> int:
    return (barcode.read(page.frames[-1]) or 0) if page.frames else 0


def state(link: MediaLink, page: Page) -> str:
    view = link.stats("plasma")["peers"][page.view_id]
    comm = view if view["carrier"] == "comm" else view.get("other", {})
    return str(comm.get("state"))


def standing_by(link: MediaLink, broadcast: Broadcast, open_page: OpenPage) -> tuple[Page, CommPage]:
    """One view that plays by WebRTC, with its comm behind."""
    peer = open_page()
    peer.say({"type": "ping", "sent_ms": 0})
    comm = broadcast.page(view_id=peer.view_id).carry(is_watching=False)
    eventually(lambda: state(link, peer) == "standing by", timeout_s=5)
    return peer, comm


def pinging(page: Page, until: Callable[[], object], timeout_s: float) -> None:
    """Ping as a page does while it waits."""

    def check() -> object:
        page.say({"type": "ping", "sent_ms": 0})
        return until()

    eventually(check, timeout_s)


def test_a_view_whose_data_channel_is_silent_is_brought_the_picture_by_comm(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage, model: CountingModel
) -> None:
    peer, comm = standing_by(link, broadcast, open_page)
    pinging(peer, lambda: newest_number(peer) > 5, timeout_s=10)
    assert comm.packets == []
    silent_s = time.monotonic()
    eventually(lambda: comm.frames, timeout_s=5)
    assert time.monotonic() - silent_s > 1.0
    assert state(link, peer) == "standing in"
    shown = model.number
    eventually(lambda: newest_number(comm) > shown, timeout_s=5)
    assert comm.gaps == 0


def test_the_comm_steps_back_when_the_view_speaks_again(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage, model: CountingModel
) -> None:
    peer, comm = standing_by(link, broadcast, open_page)
    eventually(lambda: state(link, peer) == "standing in", timeout_s=5)
    pinging(peer, lambda: state(link, peer) == "standing by", timeout_s=5)
    before, shown = len(comm.packets), newest_number(peer)
    pinging(peer, lambda: newest_number(peer) > shown + 10, timeout_s=10)
    assert len(comm.packets) <= before + 1, "one may have been on its way"


def test_a_view_that_asked_for_the_comm_itself_keeps_it_when_it_speaks_again(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage, model: CountingModel
) -> None:
    peer, comm = standing_by(link, broadcast, open_page)
    comm.carry()
    eventually(lambda: state(link, peer) == "watching")
    peer.say({"type": "ping", "sent_ms": 1})
    peer.next_message("pong")
    shown = newest_number(comm)
    eventually(lambda: newest_number(comm) > shown, timeout_s=5)
    assert state(link, peer) == "watching"


def test_a_view_may_ask_for_the_comm_by_its_data_channel_as_the_kernel_may_be_busy(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage, model: CountingModel
) -> None:
    peer, comm = standing_by(link, broadcast, open_page)
    peer.say({"type": "carry", "view_id": peer.view_id, "codecs": ["H264"], "is_watching": True})
    eventually(lambda: comm.frames, timeout_s=5)
    peer.say({"type": "ack", "view_id": peer.view_id, "sequence": comm.packets[-1]["sequence"]})
    peer.say({"type": "carry", "view_id": peer.view_id, "codecs": ["H264"], "is_watching": False})
    eventually(lambda: state(link, peer) == "standing by")


@pytest.mark.parametrize("seen", [True, False])
def test_a_silent_view_that_nobody_can_see_is_brought_nothing(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage, model: CountingModel, seen: bool
) -> None:
    peer, comm = standing_by(link, broadcast, open_page)
    watched, behind = standing_by(link, broadcast, open_page)
    if not seen:
        peer.say({"type": "watching", "is_watching": False})
        eventually(lambda: link.stats("plasma")["peers"][peer.view_id]["is_watching"] is False)
    watched.say({"type": "ping", "sent_ms": 0})
    eventually(lambda: behind.frames, timeout_s=5)  # by now the other has been silent for as long
    if seen:
        eventually(lambda: comm.frames)
    else:
        assert comm.frames == []


@pytest.mark.parametrize("patch", ["short_silence"], indirect=True)
def test_the_comm_takes_over_from_a_peer_that_is_lost(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage, model: CountingModel
) -> None:
    peer, comm = standing_by(link, broadcast, open_page)
    eventually(lambda: "other" not in link.stats("plasma")["peers"][peer.view_id], timeout_s=10)
    shown = model.number
    eventually(lambda: newest_number(comm) > shown, timeout_s=5)
    comm.carry(is_watching=False)
    eventually(lambda: state(link, peer) == "standing by")


def test_what_the_model_says_goes_by_comm_while_the_data_channel_is_silent(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage, model: CountingModel
) -> None:
    peer, comm = standing_by(link, broadcast, open_page)
    assert link.send("plasma", peer.view_id, {"type": "message", "data": "by channel"}) == 1
    assert peer.next_message("message")["data"] == "by channel"
    eventually(lambda: state(link, peer) == "standing in", timeout_s=5)
    assert link.send("plasma", peer.view_id, {"type": "message", "data": "by comm"}) == 1
    assert comm.next_message("message")["data"] == "by comm"
    assert not any(message["type"] == "message" for message in list(peer.messages.queue))


def test_a_view_that_ends_takes_both_carriers_with_it(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage, model: CountingModel
) -> None:
    peer, _ = standing_by(link, broadcast, open_page)
    link.close_view("plasma", peer.view_id)
    eventually(lambda: link.stats("plasma")["peers"] == {}, timeout_s=5)


def test_a_view_is_counted_by_the_carrier_that_brings_it_frames(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage, model: CountingModel
) -> None:
    peer, comm = standing_by(link, broadcast, open_page)
    view = link.stats("plasma")["peers"][peer.view_id]
    assert (view["carrier"], view["other"]["carrier"]) == BOTH
    assert link.stats("plasma")["views"] == 1
    link.carry("plasma", comm.view_id, CommSettings(("H264",), is_watching=True))
    eventually(lambda: link.stats("plasma")["peers"][peer.view_id]["carrier"] == "comm")
    assert link.stats("plasma")["views"] == 1
