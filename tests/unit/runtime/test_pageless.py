"""The media of a host without pages: frames are shown when they are due, and nobody can connect."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from reactor_nb.core.buffer import BufferedFrame
from reactor_nb.core.frames import Block
from reactor_nb.errors import CarrierError, ClosedError, ReactorError
from reactor_nb.media.link import MediaLink, PeerSettings, StreamSettings
from reactor_nb.runtime.pageless import PagelessLink

_SETTINGS = StreamSettings(rate_fps=200)


def _block(frames: int) -> Block:
    return Block(np.zeros((frames, 2, 2, 3), np.uint8), time.monotonic())


def test_every_frame_of_a_stream_that_ends_is_shown() -> None:
    shown: list[BufferedFrame] = []
    link = PagelessLink(show=shown.append)
    sink = link.open_stream("plasma", _SETTINGS)
    sink.put(_block(5))
    assert not link.wait_played("plasma", 0.0)
    sink.finish()
    assert link.wait_played("plasma", 5)
    assert [frame.number for frame in shown] == [0, 1, 2, 3, 4]
    link.close()


def test_the_next_stream_of_a_name_ends_the_one_before() -> None:
    link = PagelessLink()
    first = link.open_stream("plasma", _SETTINGS)
    first.put(_block(50))
    link.open_stream("plasma", _SETTINGS)
    counts = first.counts()
    assert counts.produced == counts.played + counts.dropped == 50
    link.close_name("plasma")
    link.close_name("plasma")
    assert link.wait_played("plasma", 0.0)
    link.close()
    link.close()
    with pytest.raises(ClosedError):
        link.open_stream("plasma", _SETTINGS)


def test_no_page_can_connect_or_be_told_anything() -> None:
    link: MediaLink = PagelessLink()
    with pytest.raises(CarrierError, match=r"plasma plays headless, without pages\. Type: %reactor run plasma"):
        link.offer("plasma", "view", "sdp", PeerSettings("localhost")).result(1)
    link.listen("plasma", lambda view_id, message: None)
    link.close_view("plasma", "view")
    assert link.send("plasma", None, {"type": "message"}) == 0
    assert link.stats("plasma") == {"views": 0}
    link.close()


def test_what_does_not_return_from_showing_a_frame_is_named() -> None:
    go, is_showing = threading.Event(), threading.Event()

    def show(frame: BufferedFrame) -> None:
        is_showing.set()
        go.wait(10)

    link = PagelessLink(show=show)
    sink = link.open_stream("plasma", _SETTINGS)
    sink.put(_block(1))
    assert is_showing.wait(5)
    try:
        with pytest.raises(ReactorError, match="reactor-clock-plasma did not stop"):
            link.close(0.05)
    finally:
        go.set()
