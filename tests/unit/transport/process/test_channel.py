"""The control socket: posting never waits, reading ends with the other side."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from reactor_nb.errors import MessageError
from reactor_nb.transport.process.channel import MAX_QUEUED_BYTES, RESERVED_BYTES, Channel
from reactor_nb.transport.process.control import TO_KERNEL, TO_MEDIA, Message


def said(text: str) -> Message:
    return {"type": "send", "name": "plasma", "view_id": None, "text": text}


def answer(number: int) -> Message:
    return {"type": "done", "id": number, "result": {"n": number}}


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """The kernel's and the media process's."""
    ours, theirs = socket.socketpair()
    kernel, media = Channel(ours, TO_MEDIA, TO_KERNEL), Channel(theirs, TO_KERNEL, TO_MEDIA)
    yield kernel, media
    kernel.close(0.1)
    media.close(0.1)


def test_messages_go_both_ways_in_order(ends: tuple[Channel, Channel]) -> None:
    kernel, media = ends
    for number in range(100):
        kernel.post(said(str(number)))
        media.post(answer(number))
    assert [media.receive() for _ in range(100)] == [said(str(number)) for number in range(100)]
    assert [kernel.receive() for _ in range(100)] == [answer(number) for number in range(100)]


def test_a_side_that_does_not_read_holds_nobody_and_costs_bounded_memory(ends: tuple[Channel, Channel]) -> None:
    kernel, media = ends
    text = "x" * 250_000
    taken = sum(kernel.post(said(text), is_droppable=True) for _ in range(200))
    assert MAX_QUEUED_BYTES // 250_000 - 1 <= taken < 50
    assert kernel.post(said("must arrive")), "what may not be dropped is queued all the same"
    arrived = [media.receive() for _ in range(taken + 1)]
    assert arrived == [said(text)] * taken + [said("must arrive")]
    assert kernel.post(said(text), is_droppable=True), "there is room again"


def test_a_side_that_does_not_read_costs_bounded_memory_also_of_what_may_not_be_dropped(
    ends: tuple[Channel, Channel],
) -> None:
    kernel, media = ends
    text = "x" * 250_000
    dropped = sum(not kernel.post(said(text), is_droppable=True) for _ in range(50))
    assert dropped > 0
    assert kernel.post(said(text)), "there is more room for it"
    most = (MAX_QUEUED_BYTES + RESERVED_BYTES) // 250_000
    taken = sum(kernel.post(said(text)) for _ in range(200))
    assert most // 2 - 4 <= taken <= most
    assert kernel._queued_bytes <= MAX_QUEUED_BYTES + RESERVED_BYTES
    assert kernel.refused == dropped + 200 - taken
    for _ in range(50 - dropped + 1 + taken):
        assert media.receive() == said(text)
    assert kernel.post(said(text)), "there is room again"


def test_closing_writes_what_was_queued_and_the_other_side_sees_the_end(ends: tuple[Channel, Channel]) -> None:
    kernel, media = ends
    for number in range(10):
        media.post(answer(number))
    media.close()
    assert [kernel.receive() for _ in range(11)] == [*map(answer, range(10)), None]
    assert not media.post(answer(11)), "a closed channel takes nothing"


def test_ending_wakes_who_writes_to_a_side_that_does_not_read(ends: tuple[Channel, Channel]) -> None:
    kernel, _ = ends
    for _ in range(10):
        kernel.post(said("x" * 250_000))
    kernel.end()
    assert kernel.receive() is None
    kernel.close(0.0)


def test_garbage_ends_the_reading(ends: tuple[Channel, Channel]) -> None:
    kernel, media = ends
    media._socket.sendall(b"\xff" * 64)
    with pytest.raises(MessageError):
        kernel.receive()


def test_a_message_that_is_none_is_refused_where_it_is_posted(ends: tuple[Channel, Channel]) -> None:
    kernel, _ = ends
    with pytest.raises(MessageError):
        kernel.post(answer(1))
