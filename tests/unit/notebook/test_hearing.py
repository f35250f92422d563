"""When the media is told that pages cannot be heard."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from reactor_nb.errors import ClosedError
from reactor_nb.notebook.hearing import Hearing


class Events:
    """As IPython's: what is registered is called."""

    def __init__(self) -> None:
        self.listeners: dict[str, list[Callable[..., None]]] = {"pre_run_cell": [], "post_run_cell": []}

    def register(self, event: str, listener: Callable[..., None]) -> None:
        self.listeners[event].append(listener)

    def unregister(self, event: str, listener: Callable[..., None]) -> None:
        self.listeners[event].remove(listener)

    def run_cell(self, body: Callable[[], None] = lambda: None) -> None:
        self.begin()
        body()
        self.end()

    def begin(self) -> None:
        for listener in self.listeners["pre_run_cell"]:
            listener(object())

    def end(self) -> None:
        for listener in self.listeners["post_run_cell"]:
            listener(object())


@pytest.fixture
def events() -> Events:
    return Events()


def test_pages_that_speak_where_cells_run_are_not_heard_during_one(events: Events) -> None:
    told: list[bool] = []
    hearing = Hearing(events, told.append)
    hearing.came()
    events.run_cell()
    assert told == [True, False]


def test_a_cell_that_runs_another_keeps_them_unheard_until_its_own_end(events: Events) -> None:
    told: list[bool] = []
    hearing = Hearing(events, told.append)
    hearing.came()
    events.end()  # of the cell that loaded the extension
    assert told == []
    events.run_cell(lambda: events.run_cell(lambda: told.append(bool(told[-1]))))
    assert told == [True, True, False]


def test_pages_on_a_subshell_are_heard_all_the_time(events: Events) -> None:
    told: list[bool] = []
    hearing = Hearing(events, told.append)
    subshell = threading.Thread(target=hearing.came)
    subshell.start()
    subshell.join()
    events.run_cell()
    assert told == []


def test_without_a_page_nobody_is_told(events: Events) -> None:
    told: list[bool] = []
    Hearing(events, told.append)
    events.run_cell()
    assert told == []


def test_a_link_that_is_closed_meanwhile_does_not_disturb_the_cell(events: Events) -> None:
    def refuse(is_deaf: bool) -> None:
        raise ClosedError("closed")

    Hearing(events, refuse).came()
    events.run_cell()


def test_nothing_stays_registered(events: Events) -> None:
    Hearing(events, lambda is_deaf: None).close()
    assert not any(events.listeners.values())
