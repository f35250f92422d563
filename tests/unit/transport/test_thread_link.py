"""Closing a name of a link on threads."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from reactor_nb.core.frame_queue import FrameQueue
from reactor_nb.errors import ClosedError, ReactorError
from reactor_nb.media.link import StreamSettings
from reactor_nb.transport.thread_link import ThreadLink
from reactor_nb.transport.views import Views

SETTINGS = StreamSettings(rate_fps=30.0)


def test_views_of_a_name_that_was_closed_are_told_of_no_more() -> None:
    told: list[tuple[str, list[str]]] = []
    with contextlib.closing(ThreadLink(open_changed=lambda name, view_ids: told.append((name, view_ids)))) as link:
        link.play("plasma", SETTINGS, FrameQueue(30.0))
        before = link._names["plasma"]
        before._tell_open()
        assert told.pop() == ("plasma", [])
        done = link.close_name_soon("plasma")
        assert told.pop() == ("plasma", []), "none is open, whatever was told before"
        link.play("plasma", SETTINGS, FrameQueue(30.0))
        before._tell_open()
        assert told == [], "it is the name of others now"
        assert done.result(5.0) is None
        assert link.close_name_soon("nothing").result(0) is None
    with pytest.raises(ClosedError):
        link.close_name_soon("plasma")


def test_closing_the_link_ends_the_closing_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(views: Views) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Views, "close_carriers", never)
    link = ThreadLink()
    link.play("plasma", SETTINGS, FrameQueue(30.0))
    done = link.close_name_soon("plasma")
    with pytest.raises(ReactorError, match="reactor-close-plasma"):
        link.close(timeout_s=0.3)
    assert "the views of plasma" in str(done.exception(5.0))
    for thread in threading.enumerate():
        if thread.name.startswith("reactor-close-"):
            thread.join(5.0)
            assert not thread.is_alive()
