"""Stills on their way by comm: in pieces that the road has room for, given up when another picture comes."""

from __future__ import annotations

import threading
from typing import Any

from reactor_nb.errors import CarrierError
from reactor_nb.media.exact_still import ExactStill
from reactor_nb.transport.comm_road import CommRoad
from reactor_nb.transport.comm_stills import LEAST_PIECE_BYTES, CommStills

PNG = bytes(range(256)) * 1000


class Pages:
    """Pages that take what comes, and put the pieces together as the viewer does."""

    def __init__(self, *view_ids: str) -> None:
        self.road = CommRoad()
        self.now_s = 10.0
        self.said: list[tuple[dict[str, Any], bytes]] = []
        self.woken = 0
        self.does_read = True
        for view_id in view_ids:
            self.road.join(view_id, self.now_s)
        self.stills = CommStills(self.road, threading.Lock(), lambda: self._take, self._wake)

    def _take(self, message: dict[str, Any], payload: bytes) -> None:
        if not self.does_read:
            raise CarrierError("does not read")
        self.said.append((message, payload))

    def _wake(self) -> None:
        self.woken += 1

    def pump(self, *acking: str) -> None:
        """Send what there is room for; then these pages say what they have heard."""
        self.stills.pump(self.now_s)
        self.now_s += 0.05
        for view_id in acking:
            for message, _ in self.said:
                if message["type"] == "still_piece":
                    self.road.acked(view_id, message["sequence"], self.now_s)

    def has(self, view_id: str) -> bytes:
        """What a page has of the still that was announced to it last."""
        found = b""
        for message, payload in self.said:
            if view_id not in message["to"]:
                continue
            if message["type"] == "still" and message["bytes"]:
                found = b""
            found += payload
        return found


def still(number: int = 1, png: bytes = PNG) -> ExactStill:
    return ExactStill(number, 32, 24, png)


def test_the_pieces_are_the_still() -> None:
    pages = Pages("a", "b")
    pages.stills.show(["a", "b"], still(), 77)
    assert pages.woken == 1
    for _ in range(20):
        pages.pump("a", "b")
    assert pages.has("a") == pages.has("b") == PNG
    header, _ = pages.said[0]
    assert (header["type"], header["bytes"], header["rtp_timestamp"]) == ("still", len(PNG), 77)
    assert pages.stills.sent("a") == 1


def test_no_more_is_on_its_way_than_the_road_has_room_for() -> None:
    pages = Pages("a")
    pages.stills.show(["a"], still(), 77)
    for _ in range(5):
        pages.pump()
    assert len(pages.has("a")) == 2 * LEAST_PIECE_BYTES
    pages.pump("a")
    pages.pump()
    assert len(pages.has("a")) > 2 * LEAST_PIECE_BYTES


def test_a_still_that_is_over_is_given_up() -> None:
    pages = Pages("a")
    first = still()
    pages.stills.show(["a"], first, 77)
    pages.pump("a")
    first.is_over = True
    before = len(pages.said)
    pages.pump("a")
    assert len(pages.said) == before
    pages.stills.show(["a"], first, 78)
    pages.stills.show(["a"], still(2), 79)
    for _ in range(20):
        pages.pump("a")
    assert pages.has("a") == PNG
    assert pages.said[before][0]["still_id"] == 2


def test_who_has_it_is_only_told_that_the_next_frame_shows_the_same() -> None:
    pages = Pages("a")
    shown = still()
    pages.stills.show(["a"], shown, 77)
    for _ in range(20):
        pages.pump("a")
    pages.stills.show(["a"], shown, 99)
    named, payload = pages.said[-1]
    assert (named["bytes"], named["rtp_timestamp"], payload) == (0, 99, b"")


def test_who_joins_half_way_gets_all_of_it_and_so_does_the_first() -> None:
    pages = Pages("a", "b")
    shown = still()
    pages.stills.show(["a"], shown, 77)
    pages.pump("a", "b")
    pages.stills.show(["a", "b"], shown, 88)
    for _ in range(20):
        pages.pump("a", "b")
    assert pages.has("a") == pages.has("b") == PNG


def test_who_begins_anew_is_sent_it_again() -> None:
    pages = Pages("a")
    shown = still()
    pages.stills.show(["a"], shown, 77)
    for _ in range(20):
        pages.pump("a")
    pages.stills.forget("a")
    pages.said.clear()
    pages.stills.show(["a"], shown, 88)
    for _ in range(20):
        pages.pump("a")
    assert pages.has("a") == PNG


def test_nothing_is_sent_to_who_has_gone() -> None:
    pages = Pages("a", "b")
    pages.stills.show(["a"], still(), 77)
    pages.pump("a", "b")
    pages.stills.forget("a")
    before = len(pages.said)
    pages.pump("b")
    assert len(pages.said) == before


def test_a_kernel_that_does_not_read_gets_it_when_it_is_shown_once_more() -> None:
    pages = Pages("a")
    shown = still()
    pages.does_read = False
    pages.stills.show(["a"], shown, 77)
    pages.pump()
    pages.does_read = True
    pages.road.acked("a", 1, pages.now_s)
    pages.pump()
    assert pages.said == []
    pages.stills.show(["a"], shown, 88)
    for _ in range(20):
        pages.pump("a")
    assert pages.has("a") == PNG


def test_a_kernel_that_does_not_read_costs_no_encoder_that_names_a_still_again() -> None:
    pages = Pages("a")
    shown = still()
    pages.stills.show(["a"], shown, 1)
    while pages.has("a") != PNG:
        pages.pump("a")
    pages.does_read = False
    pages.stills.show(["a"], shown, 2)  # raises nothing: the encoder's thread asks
    pages.does_read = True
    pages.stills.show(["a"], shown, 3)
    assert pages.said[-1][0]["rtp_timestamp"] == 3
