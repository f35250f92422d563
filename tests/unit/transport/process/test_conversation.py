"""Questions of the kernel and their answers, across the deaths of who answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from reactor_nb.errors import CarrierError, ParameterError, ReactorError
from reactor_nb.transport.process.channel import Channel
from reactor_nb.transport.process.control import TO_KERNEL, TO_MEDIA, Message
from reactor_nb.transport.process.conversation import Conversation, error_of, give_up

OPEN: Message = {"type": "open", "name": "plasma", "stream": 0, "session": 1, "settings": {}}
STATS: Message = {"type": "stats", "name": "plasma"}


@pytest.fixture
def ends() -> Iterator[tuple[Conversation, Channel, Channel]]:
    """A conversation, its own end of the channel, and that of the process."""
    ours, theirs = (
        Channel(end, *tables)
        for end, tables in zip(socket.socketpair(), ((TO_MEDIA, TO_KERNEL), (TO_KERNEL, TO_MEDIA)), strict=True)
    )
    yield Conversation(ours), ours, theirs
    ours.close(0.1)
    theirs.close(0.1)


def number_of(message: Message | None) -> int:
    assert message is not None
    return int(message["id"])


def test_answers_find_their_questions_in_any_order(ends: tuple[Conversation, Channel, Channel]) -> None:
    conversation, _, theirs = ends
    first, second = conversation.ask(STATS), conversation.ask(STATS)
    numbers = [number_of(theirs.receive()), number_of(theirs.receive())]
    conversation.answered({"type": "done", "id": numbers[1], "result": {"views": 2}})
    conversation.answered({"type": "failed", "id": numbers[0], "error": CarrierError("no road").to_wire()})
    assert second.result(0) == {"views": 2}
    with pytest.raises(CarrierError, match="no road"):
        first.result(0)


def test_an_answer_that_nobody_waits_for_is_passed_over(ends: tuple[Conversation, Channel, Channel]) -> None:
    conversation, _, theirs = ends
    assert conversation.wait(STATS, timeout_s=0.01) is None
    number = number_of(theirs.receive())
    conversation.answered({"type": "done", "id": number, "result": {}})
    conversation.answered({"type": "done", "id": 99, "result": {}})


def test_a_question_without_an_answer_fails_in_time_and_says_so(ends: tuple[Conversation, Channel, Channel]) -> None:
    conversation, _, _ = ends
    told = threading.Event()
    answer = conversation.ask(STATS, timeout_s=0.02, unanswered=told.set)
    with pytest.raises(CarrierError, match=r"did not answer the stats within 0\.02 s"):
        answer.result(2.0)
    assert told.wait(2.0)


def test_an_answer_in_time_calls_off_the_limit(ends: tuple[Conversation, Channel, Channel]) -> None:
    conversation, _, theirs = ends
    answer = conversation.ask(STATS, timeout_s=60.0)
    conversation.answered({"type": "done", "id": number_of(theirs.receive()), "result": 1})
    assert answer.result(0) == 1
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    for timer in timers:
        timer.join(2.0)
    assert not any(timer.is_alive() for timer in timers)


def test_what_a_dead_process_was_asked_is_given_up_and_the_next_one_is_asked_anew(
    ends: tuple[Conversation, Channel, Channel],
) -> None:
    conversation, ours, theirs = ends
    answer = conversation.ask(STATS)
    give_up(conversation.renew(ours), "another one starts")
    with pytest.raises(CarrierError, match="another one starts"):
        answer.result(0)
    old = number_of(theirs.receive())
    again = conversation.ask(STATS)
    assert number_of(theirs.receive()) != old, "an answer of the dead is not taken for one of the living"
    assert not again.done()


def test_a_process_that_does_not_read_refuses_questions_at_once_and_is_looked_at_later(
    ends: tuple[Conversation, Channel, Channel],
) -> None:
    conversation, ours, theirs = ends
    offer: Message = {"type": "offer", "name": "plasma", "view_id": "v", "sdp": "x" * 1_000_000, "settings": {}}
    while not ours.refused:
        conversation.ask(offer)
    looked: list[bool] = []
    told = threading.Event()

    def look() -> None:
        looked.append(True)
        told.set()

    for _ in range(10):
        refused = conversation.ask(offer, timeout_s=0.05, unanswered=look)
        with pytest.raises(CarrierError, match=r"does not read: 8 MiB wait for it, and \d+ messages were refused"):
            refused.result(0)
    assert not conversation.ask(OPEN).done(), "what opens a session is taken"
    assert told.wait(2.0)
    assert looked == [True], "once for all of them"
    while (message := theirs.receive()) is not None and message["type"] != "open":
        pass
    assert not conversation.ask(offer).done(), "there is room again"


def test_after_the_end_every_question_fails(ends: tuple[Conversation, Channel, Channel]) -> None:
    conversation, _, _ = ends
    before = conversation.ask(STATS)
    conversation.end("it was closed")
    for answer in (before, conversation.ask(STATS)):
        with pytest.raises(CarrierError, match="it was closed"):
            answer.result(0)
    assert conversation.wait(STATS, 1.0) is None


@pytest.mark.parametrize("error", [CarrierError("a"), ParameterError("b", {"x": "y"}), ReactorError("c")])
def test_an_error_keeps_its_class_and_words_on_the_way(error: ReactorError) -> None:
    arrived = error_of(error.to_wire())
    assert (type(arrived), str(arrived)) == (type(error), str(error))


def test_an_error_that_this_side_does_not_know_is_told_all_the_same() -> None:
    assert str(error_of({"code": "of the future", "message": "words"})) == "words"
    assert str(error_of({}))
