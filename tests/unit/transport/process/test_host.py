"""The media process from inside, fed with what a broken kernel might say."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_nb import __version__
from reactor_nb.errors import CarrierError
from reactor_nb.transport.process.channel import Channel
from reactor_nb.transport.process.control import CONTROL_VERSION, MAX_BYTES, TO_KERNEL, TO_MEDIA, Message
from reactor_nb.transport.process.host import Host
from reactor_nb.transport.process.receiver import FrameReceiver
from reactor_nb.transport.thread_link import ThreadLink
from reactor_nb.transport.views import Views
from tests.support.eventually import eventually

HELLO: Message = {"type": "hello", "version": CONTROL_VERSION, "package": __version__}
OPEN: Message = {
    "type": "open",
    "name": "plasma",
    "stream": 0,
    "session": 1,
    "settings": {"rate_fps": 30.0},
}
PEER = {"hostname": "localhost", "ice_servers": [], "interfaces": []}
_any = st.none() | st.booleans() | st.integers(-2, 5000) | st.floats() | st.text(max_size=8) | st.lists(st.text())
_settings = st.dictionaries(
    st.sampled_from(["rate_fps", "quality", "smoothness", "max_bitrate_bps", "ice_servers", "more"]), _any
)


class Kernel:
    """The other end of a host that runs on a thread of this process."""

    def __init__(self) -> None:
        control, controlled = socket.socketpair()
        self.frames, framed = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.raw = control
        self.channel = Channel(control, TO_MEDIA, TO_KERNEL)
        host = Host(Channel(controlled, TO_KERNEL, TO_MEDIA), FrameReceiver(framed))
        self.thread = threading.Thread(target=self._run, args=(host,))
        self.problem: BaseException | None = None
        self.answered: dict[int, Message] = {}
        self._last = 0
        self.thread.start()

    def _run(self, host: Host) -> None:
        try:
            host.run()
        except BaseException as problem:
            self.problem = problem

    def ask(self, question: Message) -> Message:
        """The `done` or `failed` of a question."""
        self._last += 1
        self.channel.post({**question, "id": self._last})
        while (message := self.channel.receive()) is not None:
            if "id" in message:
                self.answered[message["id"]] = message
            if message.get("id") == self._last:
                return message
        raise AssertionError("the host has ended")

    def close(self) -> None:
        self.channel.close(0.1)
        self.frames.close()
        self.thread.join(5.0)
        assert not self.thread.is_alive()


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.close()


def test_it_says_who_it_is_and_ends_with_the_kernel(kernel: Kernel) -> None:
    assert (kernel.channel.receive() or {})["package"] == __version__
    kernel.channel.post(HELLO)
    assert kernel.ask(OPEN)["type"] == "done"
    kernel.close()
    assert kernel.problem is None


def test_a_kernel_of_another_version_is_not_served(kernel: Kernel) -> None:
    kernel.channel.post({**HELLO, "package": "0.0.0"})
    kernel.thread.join(5.0)
    assert "0.0.0" in str(kernel.problem)


def test_bytes_that_are_no_message_end_it(kernel: Kernel) -> None:
    kernel.raw.sendall(b"\xff" * 32)
    kernel.thread.join(5.0)
    assert not kernel.thread.is_alive()


def test_its_warnings_reach_the_kernel_in_a_line(kernel: Kernel) -> None:
    kernel.ask(OPEN)
    logging.getLogger("reactor_nb.media").warning("The %s encoder failed.", "H264")
    while (message := kernel.channel.receive()) is not None and message["type"] != "log":
        pass
    assert message == {"type": "log", "text": "The H264 encoder failed."}


def test_a_page_that_takes_its_time_to_close_holds_no_other_question(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    async def close_slowly(views: Views) -> None:
        await asyncio.to_thread(let_go.wait, 4.0)

    kernel.ask(OPEN)
    with monkeypatch.context() as patch:
        patch.setattr(Views, "close_carriers", close_slowly)
        closing = {"type": "close_name", "id": 1000, "name": "plasma"}
        kernel.channel.post(closing)
        assert kernel.ask({"type": "stats", "name": "other"})["result"] == {}
        assert kernel.ask({"type": "stats", "name": "plasma"})["result"] == {}, "closed is closed at once"
        again = {**OPEN, "session": 2, "settings": {"rate_fps": 60.0}}
        assert kernel.ask(again)["type"] == "done"
        offer = {"type": "offer", "name": "plasma", "view_id": "v", "sdp": "v=0", "settings": PEER}
        assert kernel.ask(offer)["type"] == "failed"
        assert 1000 not in kernel.answered, "the page has not let go"
        let_go.set()
        eventually(lambda: kernel.ask({"type": "stats", "name": "other"}) and 1000 in kernel.answered)
    assert kernel.answered[1000]["type"] == "done"
    found = kernel.ask({"type": "stats", "name": "plasma"})["result"]
    assert found["rate_fps"] == 60.0, "what was opened after the closing is not what was closed"


def test_a_kernel_that_does_not_read_costs_bounded_memory_and_its_pages_are_refused() -> None:
    control, controlled = socket.socketpair()
    frames, framed = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel = Channel(controlled, TO_KERNEL, TO_MEDIA)
    host = Host(channel, FrameReceiver(framed))
    call = {"type": "call", "id": "1", "name": "move", "params": {"text": "x" * 60_000}}
    try:
        host._listen("plasma")
        listener = host._link._names["plasma"].listener
        assert listener is not None
        with pytest.raises(CarrierError, match="kernel does not read: 8 MiB"):
            for _ in range(300):
                listener("view", call)
        assert channel.refused == 1
        assert channel.post({"type": "views", "name": "plasma", "open": []}), "there is room for what must arrive"
    finally:
        for end in (control, frames):
            end.close()
        host.run()


@pytest.mark.parametrize(("told", "why"), [({"x": "y" * MAX_BYTES}, "at most"), ({"x": {1, 2}}, "no JSON")])
def test_an_answer_that_cannot_be_sent_fails_at_once_and_says_why(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any], why: str
) -> None:
    kernel.ask(OPEN)
    monkeypatch.setattr(ThreadLink, "stats", lambda link, name: told)
    answer = kernel.ask({"type": "stats", "name": "plasma"})
    assert (answer["type"], answer["error"]["code"]) == ("failed", "bad_message")
    assert why in answer["error"]["message"]


@pytest.mark.timeout(60)
def test_no_settings_whatever_end_it() -> None:
    kernel = Kernel()
    kernel.channel.post(HELLO)

    @settings(max_examples=200, deadline=None)
    @given(given=_settings, stream=st.integers(-5, 5000), session=st.integers(-5, 5))
    def say(given: dict[str, Any], stream: int, session: int) -> None:
        opened = kernel.ask({**OPEN, "stream": stream, "session": session, "settings": given})
        offer = {"type": "offer", "name": "x", "view_id": "v", "sdp": "v=0", "settings": given}
        assert opened["type"] == "done" or opened["error"]["message"]
        assert kernel.ask(offer)["type"] == "failed"

    try:
        say()
        kernel.channel.post({"type": "close_view", "name": "nothing", "view_id": "nobody"})
        kernel.channel.post({"type": "send", "name": "nothing", "view_id": None, "text": "no json"})
        assert kernel.ask({"type": "close_name", "name": "nothing"})["type"] == "done"
        assert kernel.ask({**OPEN, "session": 9})["type"] == "done"
        eventually(lambda: kernel.ask({"type": "stats", "name": "plasma"})["result"]["rate_fps"] == 30.0)
    finally:
        kernel.close()


def test_a_kernel_that_does_not_read_is_sent_no_packets_without_bound() -> None:
    control, controlled = socket.socketpair()
    frames, framed = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel = Channel(controlled, TO_KERNEL, TO_MEDIA)
    host = Host(channel, FrameReceiver(framed))
    try:
        host._listen("plasma")
        listener = host._link._names["plasma"].comm.listener
        assert listener is not None
        with pytest.raises(CarrierError, match="kernel does not read: 8 MiB"):
            for _ in range(300):
                listener({"type": "packet"}, bytes(100_000))
        assert channel.refused == 1
    finally:
        for end in (control, frames):
            end.close()
        host.run()


_said = st.dictionaries(
    st.sampled_from(["type", "view_id", "sequence", "is_watching", "sent_ms", "painted", "codecs"]),
    _any | st.sampled_from(["ack", "ping", "keyframe", "watching", "painted", "bye", "carry", "call"]),
)


@pytest.mark.timeout(60)
def test_whatever_pages_are_said_to_have_said_by_comm_it_goes_on() -> None:
    kernel = Kernel()
    kernel.channel.post(HELLO)
    kernel.ask(OPEN)

    @settings(max_examples=200, deadline=None)
    @given(
        view_id=st.sampled_from(["v", "w", ""]),
        said=_said,
        codecs=st.lists(st.sampled_from(["H264", "VP8", "JPEG", "AV1", ""])),
        is_watching=st.booleans(),
        is_deaf=st.booleans(),
    )
    def say(view_id: str, said: Message, codecs: list[str], is_watching: bool, is_deaf: bool) -> None:
        name = "plasma" if is_deaf else "nothing"
        carry = {"type": "carry", "name": name, "view_id": view_id, "codecs": codecs, "is_watching": is_watching}
        kernel.channel.post(carry)
        kernel.channel.post({"type": "heard", "name": name, "view_id": view_id, "message": said})
        kernel.channel.post({"type": "deafen", "is_deaf": is_deaf})
        assert kernel.ask({"type": "stats", "name": "plasma"})["type"] == "done"

    try:
        say()
        ping = {"type": "ping", "sent_ms": 4711}
        kernel.channel.post({"type": "heard", "name": "plasma", "view_id": "v", "message": ping})
        while (message := kernel.channel.receive()) is not None:
            if message["type"] == "packet" and message["message"].get("sent_ms") == 4711:
                break
        assert message is not None
    finally:
        kernel.close()
