from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest

from reactor_nb.errors import ClosedError, WrongThreadError
from reactor_nb.transport.loop import THREAD_NAME, MediaLoop
from tests.support.eventually import eventually


@pytest.fixture
def loop() -> Iterator[MediaLoop]:
    loop = MediaLoop()
    yield loop
    loop.close()


async def thread_name() -> str:
    return threading.current_thread().name


def test_it_starts_with_its_first_use(loop: MediaLoop) -> None:
    assert not loop.is_current()
    assert loop.submit(thread_name()).result(2) == THREAD_NAME


def test_posts_run_in_their_order(loop: MediaLoop) -> None:
    seen: list[int] = []
    done = threading.Event()
    for number in range(20):
        loop.post(seen.append, number)
    loop.post(done.set)
    assert done.wait(2)
    assert seen == list(range(20))


def test_closing_cancels_what_runs_and_ends_the_thread(loop: MediaLoop) -> None:
    waiting = loop.submit(asyncio.Event().wait())
    loop.close()
    loop.close()
    with pytest.raises(CancelledError):
        waiting.result(2)
    assert THREAD_NAME not in [thread.name for thread in threading.enumerate()]


def test_it_counts_what_is_not_done(loop: MediaLoop) -> None:
    assert loop.tasks() == 0
    waiting = loop.submit(asyncio.Event().wait())
    eventually(lambda: loop.tasks() == 1)
    waiting.cancel()
    eventually(lambda: loop.tasks() == 0)
    loop.close()
    assert loop.tasks() == 0


def test_a_closed_loop_refuses_work(loop: MediaLoop) -> None:
    loop.close()
    with pytest.raises(ClosedError):
        loop.submit(thread_name())
    with pytest.raises(ClosedError):
        loop.post(print)


def test_it_does_not_wait_for_itself(loop: MediaLoop) -> None:
    async def close() -> None:
        loop.close()

    with pytest.raises(WrongThreadError, match=THREAD_NAME):
        loop.submit(close()).result(2)
