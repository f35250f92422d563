"""A marimo cell that runs again: marimo closes its widgets, and the new session plays all the same."""

from __future__ import annotations

import contextlib

import numpy as np

from reactor_nb.core.context import get_ctx
from reactor_nb.core.model import VideoModel, model
from reactor_nb.notebook.marimo_view import MarimoPanels
from reactor_nb.runtime.base import Runtime
from reactor_nb.transport.thread_link import ThreadLink
from tests.support.eventually import eventually


@model(name="marimo-again")
class Again(VideoModel):
    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(np.zeros((48, 64, 3), np.uint8))


def test_a_cell_that_runs_again_does_not_end_the_stream_of_its_new_session() -> None:
    with contextlib.closing(Runtime(ThreadLink)) as runtime:
        panels = MarimoPanels(runtime)
        try:
            panels.follow(runtime.run(Again))
            first = panels.shown(runtime.session("marimo-again"))
            second = runtime.run(Again)
            panels.follow(second)
            assert panels.shown(second) is not first
            eventually(lambda: runtime.link.stats("marimo-again")["frames"]["shown"] > 0, 10)
        finally:
            panels.close()


def test_the_start_button_of_a_view_is_followed_by_that_view() -> None:
    with contextlib.closing(Runtime(ThreadLink)) as runtime:
        panels = MarimoPanels(runtime)
        try:
            panels.follow(runtime.run(Again))
            viewer = panels.shown(runtime.session("marimo-again"))
            runtime.stop("marimo-again")
            eventually(lambda: viewer.state == "ended", 10)
            begun = runtime.again("marimo-again")
            assert panels.shown(begun) is viewer
            eventually(lambda: (viewer.session_id, viewer.state) == (begun.id, "streaming"), 10)
        finally:
            panels.close()
