"""The media process killed, stopped and orphaned: what comes back, what is told, and that nothing stays."""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.frames import to_block
from reactor_nb.errors import CarrierError
from reactor_nb.media.link import PeerSettings, StreamSettings
from reactor_nb.transport.process import link as process_link
from reactor_nb.transport.process.link import ProcessLink
from reactor_nb.transport.process.spawn import MediaProcess
from reactor_nb.transport.process.supervisor import THREAD_NAME, CrashLimit
from reactor_nb.transport.thread_link import ThreadLink
from tests.loopback import patches
from tests.loopback.conftest import OpenPage, picture
from tests.loopback.counting_model import CountingModel
from tests.loopback.page import Page
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
def model(link: ProcessLink) -> Iterator[CountingModel]:
    model = CountingModel(link.open_stream("plasma", SETTINGS))
    yield model
    model.sink.close()
    model.end()


def newest_number(page: Page) -> int:
    return (barcode.read(page.frames[-1]) or -1) if page.frames else -1


def pid_of(link: ProcessLink) -> int:
    return int(eventually(lambda: link.where()["pid"], timeout_s=5))


def kill(link: ProcessLink) -> int:
    """Kill the process of now; the pid of the next."""
    pid = pid_of(link)
    os.kill(pid, signal.SIGKILL)
    return int(eventually(lambda: (now := link.where()["pid"]) != pid and now, timeout_s=5))


def is_answering(link: ProcessLink) -> bool:
    return link.stats("plasma").get("is_stale") is False


def uncounted(model: CountingModel) -> int:
    """Frames that were made and are neither played nor dropped nor skipped."""
    counts = model.sink.counts()
    return counts.produced - counts.played - counts.dropped - counts.skipped


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments_it_comes_back_and_the_model_notices_nothing(
    seed: int,
    link: ProcessLink,
    model: CountingModel,
    capfd: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    moments = random.Random(seed)
    notes: list[str] = []
    restarted = threading.Event()
    link.on_note(notes.append)
    link.on_restart(restarted.set)
    eventually(lambda: is_answering(link), timeout_s=10)
    descriptors, kills = open_descriptors(), 0
    started_s: list[float] = []
    answering_s: list[float] = []
    for _ in range(5):
        threading.Event().wait(moments.uniform(0.0, 0.5))
        for _ in range(moments.choice([1, 1, 2])):
            began_s = time.monotonic()
            kill(link)
            kills += 1
            started_s.append(time.monotonic() - began_s)
            # A second one falls into the start of the next process.
            threading.Event().wait(moments.uniform(0.0, 0.3))
        eventually(lambda: is_answering(link), timeout_s=8)
        answering_s.append(time.monotonic() - began_s)
    assert restarted.is_set()
    page = Page(link, "plasma").connect()
    try:
        shown = model.number
        eventually(lambda: newest_number(page) > shown, timeout_s=5)
    finally:
        page.close()
    record_property("started_ms", [round(each * 1000) for each in started_s])
    record_property("answering_ms", [round(each * 1000) for each in answering_s])
    assert max(started_s) < 1.0
    assert model.held_s < 0.5
    assert link.where()["restarts"] == kills
    assert len([note for note in notes if "ended by signal 9" in note]) == kills
    model.sink.finish()
    model.end()
    eventually(lambda: uncounted(model) == 0)
    assert not [child for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE]
    assert open_descriptors() <= descriptors + 2
    assert capfd.readouterr() == ("", "")


def test_a_page_that_connects_again_sees_the_next_frames(
    link: ProcessLink, model: CountingModel, open_page: OpenPage
) -> None:
    before = open_page()
    eventually(lambda: newest_number(before) > 3, timeout_s=5)
    kill(link)
    again = open_page()
    shown = model.number
    eventually(lambda: newest_number(again) > shown, timeout_s=5)


def test_the_last_frame_of_an_ended_session_is_there_after_a_crash(link: ProcessLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    sink.put(to_block(picture(77)))
    sink.finish()
    eventually(lambda: is_answering(link), timeout_s=10)
    kill(link)
    page = open_page()
    eventually(lambda: newest_number(page) == 77, timeout_s=5)


def test_calls_reach_the_listener_after_a_crash(link: ProcessLink, open_page: OpenPage) -> None:
    heard: list[str] = []
    link.open_stream("plasma", SETTINGS)
    link.listen("plasma", lambda view_id, message: heard.append(view_id))
    eventually(lambda: is_answering(link), timeout_s=10)
    kill(link)
    page = open_page()
    page.say({"type": "call", "id": "c1", "name": "set_speed", "params": {}})
    eventually(lambda: heard == [page.view_id])
    eventually(lambda: link.send("plasma", page.view_id, {"type": "message", "data": 1}) == 1)
    assert page.next_message("message")["data"] == 1


def test_an_offer_that_waits_fails_with_a_reason_when_the_process_dies(link: ProcessLink) -> None:
    os.kill(pid_of(link), signal.SIGSTOP)
    offer = link.offer("plasma", "v", "v=0", PeerSettings("localhost"))
    kill(link)
    with pytest.raises(CarrierError, match="another one starts"):
        offer.result(5.0)


def test_a_process_that_hangs_is_killed_and_another_one_starts(
    link: ProcessLink, monkeypatch: pytest.MonkeyPatch, open_page: OpenPage
) -> None:
    monkeypatch.setattr(process_link, "OFFER_TIMEOUT_S", 0.3)
    monkeypatch.setattr(process_link, "HANGING_TIMEOUT_S", 0.3)
    link.open_stream("plasma", SETTINGS)
    eventually(lambda: is_answering(link), timeout_s=10)
    hanging = pid_of(link)
    os.kill(hanging, signal.SIGSTOP)
    with pytest.raises(CarrierError, match="did not answer the offer"):
        link.offer("plasma", "v", "v=0", PeerSettings("localhost")).result(5.0)
    eventually(lambda: link.where()["pid"] not in (0, hanging), timeout_s=5)
    monkeypatch.undo()
    open_page()


def test_a_process_that_lost_track_of_the_shared_memory_begins_anew(link: ProcessLink) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    eventually(lambda: is_answering(link), timeout_s=10)
    astray = pid_of(link)
    # It cannot take what it is given: every block in the next segment is unknown to it.
    resource.prlimit(astray, resource.RLIMIT_NOFILE, (0, 0))
    sink.put(to_block(np.zeros((480, 640, 3), np.uint8), reserve=sink.reserve))
    eventually(lambda: link.where()["pid"] not in (0, astray), timeout_s=10)
    eventually(lambda: sink.counts().played == 1, timeout_s=10)
    sink.close()


def test_a_stopped_process_holds_neither_the_model_nor_who_asks(
    link: ProcessLink, model: CountingModel, open_page: OpenPage
) -> None:
    page = open_page()
    eventually(lambda: newest_number(page) > 3, timeout_s=5)
    pid = pid_of(link)
    os.kill(pid, signal.SIGSTOP)
    try:
        first = model.number
        began_s = time.monotonic()
        assert link.stats("plasma")["is_stale"] is True
        assert link.send("plasma", None, {"type": "message", "data": "later"}) == 1
        link.close_view("plasma", "nobody")
        assert time.monotonic() - began_s < 1.5
        eventually(lambda: model.number > first + 60, timeout_s=5)
        assert model.held_s < 0.5
    finally:
        os.kill(pid, signal.SIGCONT)
    shown = model.number
    eventually(lambda: newest_number(page) > shown, timeout_s=5)
    assert page.next_message("message")["data"] == "later"
    assert link.where()["restarts"] == 0


def test_a_link_to_a_stopped_process_closes_in_time(link: ProcessLink) -> None:
    pid = pid_of(link)
    os.kill(pid, signal.SIGSTOP)
    began_s = time.monotonic()
    link.close(timeout_s=0.5)
    assert time.monotonic() - began_s < 2.5
    assert not psutil.pid_exists(pid)


def test_after_too_many_crashes_threads_of_the_kernel_go_on(open_page: OpenPage, link: ProcessLink) -> None:
    fragile = ProcessLink(CrashLimit(most=2))
    notes: list[str] = []
    restarted = threading.Event()
    fragile.on_note(notes.append)
    fragile.on_restart(restarted.set)
    model = CountingModel(fragile.open_stream("plasma", SETTINGS))
    try:
        heard: list[str] = []
        fragile.listen("plasma", lambda view_id, message: heard.append(view_id))
        kill(fragile)
        os.kill(pid_of(fragile), signal.SIGKILL)
        eventually(lambda: fragile.where()["media"] == "threads", timeout_s=5)
        assert restarted.wait(2.0)
        page = Page(fragile, "plasma").connect()
        try:
            shown = model.number
            eventually(lambda: newest_number(page) > shown, timeout_s=5)
            page.say({"type": "call", "id": "c1", "name": "set_speed", "params": {}})
            eventually(lambda: heard == [page.view_id])
        finally:
            page.close()
        where = fragile.where()
        assert (where["pid"], where["restarts"]) == (os.getpid(), 1)
        assert "signal 9" in where["why"]
        assert fragile.stats("plasma")["where"] == where
        assert "threads of the kernel" in notes[-1]
        again = fragile.open_stream("plasma", SETTINGS)
        again.put(to_block(picture(5)))
        eventually(lambda: again.counts().played == 1)
        fragile.close_name("plasma")
        assert fragile.stats("plasma") == {}
    finally:
        model.sink.close()
        model.end()
        fragile.close()


def test_a_process_of_another_version_is_not_talked_to() -> None:
    main = Path(patches.__file__)
    link = ProcessLink(CrashLimit(most=1), make=lambda: MediaProcess(main, "other_version"))
    try:
        eventually(lambda: link.where()["media"] == "threads", timeout_s=10)
        assert "Restart the kernel" in link.where()["why"]
    finally:
        link.close()


def test_a_page_that_speaks_while_the_link_closes_leaves_no_zombie() -> None:
    link = ProcessLink(make=lambda: MediaProcess(Path(patches.__file__), "late_word"))
    link.open_stream("plasma", SETTINGS)
    eventually(lambda: is_answering(link), timeout_s=10)
    link.close()
    assert psutil.Process().children() == []


def test_a_listener_that_raises_keeps_no_process_from_coming_back(link: ProcessLink) -> None:
    def fail(note: str) -> None:
        raise RuntimeError(note)

    heard: list[str] = []
    link.on_note(fail)
    link.on_note(heard.append)
    link.open_stream("plasma", SETTINGS)
    eventually(lambda: is_answering(link), timeout_s=10)
    kill(link)
    eventually(lambda: is_answering(link), timeout_s=10)
    assert heard


def test_a_session_that_opens_while_threads_take_over_is_the_one_that_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    opens, go_on = threading.Event(), threading.Event()
    open_stream = ThreadLink.open_stream

    def slow(self: ThreadLink, name: str, settings: StreamSettings) -> FrameSink:
        if threading.current_thread().name == THREAD_NAME:
            opens.set()
            assert go_on.wait(5.0)
        return open_stream(self, name, settings)

    monkeypatch.setattr(ThreadLink, "open_stream", slow)
    link = ProcessLink(CrashLimit(most=1))
    try:
        link.open_stream("plasma", SETTINGS)
        os.kill(pid_of(link), signal.SIGKILL)
        assert opens.wait(5.0)
        with ThreadPoolExecutor(1) as other:
            sink = other.submit(link.open_stream, "plasma", SETTINGS)
            threading.Event().wait(0.2)  # it waits, or has come in between
            go_on.set()
            sink.result(5.0).put(to_block(picture(1)))
            eventually(lambda: sink.result().counts().played == 1)
    finally:
        go_on.set()
        link.close()


@pytest.mark.timeout(60)
def test_twenty_views_are_served(link: ProcessLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    pages = [open_page() for _ in range(20)]
    for number in range(1, 10):
        sink.put(to_block(picture(number), reserve=sink.reserve))
    for page in pages:
        eventually(lambda page=page: newest_number(page) == 9, timeout_s=10)  # type: ignore[misc]
    stats = link.stats("plasma")
    assert stats["views"] == 20
    assert list(stats["encoders"]) == ["H264"]


def test_links_that_come_and_go_leave_no_descriptor_and_no_zombie() -> None:
    counts = []
    for _ in range(3):
        link = ProcessLink()
        sink = link.open_stream("plasma", SETTINGS)
        eventually(lambda link=link: is_answering(link), timeout_s=10)  # type: ignore[misc]
        sink.put(to_block(picture(1), reserve=sink.reserve))
        link.close()
        del sink, link
        gc.collect()
        counts.append(open_descriptors())
    assert counts[2] <= counts[0]
    assert psutil.Process().children() == []
