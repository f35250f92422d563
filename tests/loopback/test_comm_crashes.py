"""The media process dies while pages are brought the picture by comm: the kernel knows what they had asked for."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from reactor_nb.core.frames import to_block
from reactor_nb.errors import MessageError
from reactor_nb.media.link import CommSettings, StreamSettings
from reactor_nb.transport.process.link import ProcessLink
from reactor_nb.transport.process.supervisor import CrashLimit
from tests.loopback.comm_page import Broadcast, CommPage
from tests.loopback.conftest import OpenPage, picture
from tests.loopback.counting_model import CountingModel
from tests.support import barcode
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

SETTINGS = StreamSettings(rate_fps=30.0)


@pytest.fixture
def link() -> Iterator[ProcessLink]:
    """Its process may die as often as a test likes."""
    link = ProcessLink(CrashLimit(most=1000))
    yield link
    link.close()


@pytest.fixture
def broadcast(link: ProcessLink) -> Iterator[Broadcast]:
    broadcast = Broadcast(link)
    yield broadcast
    broadcast.close()


@pytest.fixture
def model(link: ProcessLink) -> Iterator[CountingModel]:
    model = CountingModel(link.open_stream("plasma", SETTINGS))
    yield model
    model.sink.close()
    model.end()


def newest_number(page: CommPage) -> int:
    return (barcode.read(page.frames[-1]) or 0) if page.frames else 0


def kill(link: ProcessLink) -> None:
    pid = int(eventually(lambda: link.where()["pid"], timeout_s=5))
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: link.where()["pid"] != pid, timeout_s=5)


def test_the_picture_is_back_without_a_word_of_the_page(
    link: ProcessLink, broadcast: Broadcast, model: CountingModel, record_property: Callable[[str, object], None]
) -> None:
    page = broadcast.page().carry()
    eventually(lambda: newest_number(page) > 3, timeout_s=15)
    back_ms = []
    for _ in range(3):
        began_s = time.monotonic()
        kill(link)
        shown = model.number
        eventually(lambda: newest_number(page) > shown, timeout_s=10)  # noqa: B023
        back_ms.append(round(1000 * (time.monotonic() - began_s)))
    record_property("back_ms", back_ms)


def test_a_page_that_asked_for_too_much_keeps_no_process_from_coming_back(link: ProcessLink) -> None:
    with pytest.raises(MessageError, match="bytes"):
        link.carry("plasma", "v", CommSettings(("x" * 5_000_000,), True))
    kill(link)
    eventually(lambda: link.stats("plasma")["is_stale"] is False, timeout_s=10)


def test_the_last_frame_of_an_ended_session_is_there_after_a_crash(link: ProcessLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    sink.put(to_block(picture(77)))
    sink.finish()
    page = broadcast.page().carry()
    eventually(lambda: newest_number(page) == 77, timeout_s=15)
    page.frames.clear()
    kill(link)
    eventually(lambda: newest_number(page) == 77, timeout_s=10)


def test_a_view_that_played_by_webrtc_is_brought_the_picture_by_its_standby(
    link: ProcessLink, broadcast: Broadcast, model: CountingModel, open_page: OpenPage
) -> None:
    eventually(lambda: link.stats("plasma").get("is_stale") is False, timeout_s=15)
    peer = open_page()
    comm = broadcast.page(view_id=peer.view_id).carry(is_watching=False)
    hidden = broadcast.page().carry(is_watching=False)
    eventually(lambda: "other" in link.stats("plasma")["peers"].get(peer.view_id, {}), timeout_s=5)
    kill(link)
    shown = model.number
    eventually(lambda: newest_number(comm) > shown, timeout_s=10)
    assert hidden.frames == [], "what nobody saw is not sent now either"
    comm.carry(is_watching=False)
    eventually(lambda: link.stats("plasma")["encoders"] == {}, timeout_s=5)


def test_a_page_that_left_is_not_carried_again(link: ProcessLink, broadcast: Broadcast, model: CountingModel) -> None:
    gone, left, page = (broadcast.page().carry() for _ in range(3))
    eventually(lambda: newest_number(page) > 3, timeout_s=15)
    gone.say("bye")
    link.close_view("plasma", left.view_id)
    kill(link)
    shown = model.number
    eventually(lambda: newest_number(page) > shown, timeout_s=10)
    eventually(lambda: list(link.stats("plasma")["peers"]) == [page.view_id], timeout_s=10)


def test_a_kernel_that_was_deaf_is_deaf_for_the_next_process_too(
    link: ProcessLink, broadcast: Broadcast, model: CountingModel
) -> None:
    page = broadcast.page(acks=False).carry()
    link.deafen(True)
    eventually(lambda: newest_number(page) > 3, timeout_s=15)
    kill(link)

    # A page that nobody hears is sent a frame now and then, sooner than one that is silent.
    def is_silent() -> bool:
        view = link.stats("plasma")["peers"].get(page.view_id, {})
        return bool(view) and view["road"]["state"] == "silent"

    eventually(is_silent, timeout_s=10)
    shown = model.number
    eventually(lambda: newest_number(page) > shown, timeout_s=10)


def test_after_too_many_crashes_threads_of_the_kernel_bring_it() -> None:
    link = ProcessLink(CrashLimit(most=1))
    broadcast = Broadcast(link)
    model = CountingModel(link.open_stream("plasma", SETTINGS))
    try:
        page = broadcast.page().carry()
        link.deafen(True)
        link.deafen(False)
        eventually(lambda: newest_number(page) > 3, timeout_s=15)
        os.kill(link.where()["pid"], signal.SIGKILL)
        eventually(lambda: link.where()["media"] == "threads", timeout_s=10)
        shown = model.number
        eventually(lambda: newest_number(page) > shown, timeout_s=10)
        page.say("ping", sent_ms=3)
        assert page.next_message("pong")["sent_ms"] == 3
        link.deafen(True)
        other = broadcast.page().carry()
        eventually(lambda: newest_number(other) > shown, timeout_s=10)
    finally:
        model.sink.close()
        model.end()
        link.close()
        broadcast.close()


def test_a_listener_that_fails_is_logged_once_and_the_rest_goes_on(
    link: ProcessLink, model: CountingModel, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broadcast(link)
    page = broken.page().carry()
    eventually(lambda: newest_number(page) > 3, timeout_s=15)
    calls = []

    def fail(message: object, payload: bytes) -> None:
        calls.append(message)
        raise RuntimeError("no such page")

    link.listen_packets("plasma", fail)
    eventually(lambda: len(calls) > 2, timeout_s=5)
    assert len([record for record in caplog.records if "cannot be sent" in record.message]) == 1
    again = Broadcast(link)
    page = again.page().carry()
    eventually(lambda: newest_number(page) > 3, timeout_s=5)
    for each in (broken, again):
        each.close()
