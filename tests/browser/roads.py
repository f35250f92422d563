"""Plays a notebook on a road to the page, and puts a line that can be cut between the page and its server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from playwright.sync_api import Browser

from tests.browser.cells import COUNTER, LOAD, RUN
from tests.support.cut_line import CutLine
from tests.support.eventually import eventually
from tests.support.fixtures import VIEWPORT
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab

RUNGS = {"auto": "WebRTC", "comm": "video over Jupyter", "jpeg": "JPEG over Jupyter"}


def is_on(lab: Lab, rung: str, index: int = 0) -> bool:
    return (lab.stats(index) or {}).get("carrier") == rung


def play(lab: Lab, carrier: str) -> None:
    """Run all cells, until the picture moves on this road."""
    lab.open([LOAD, COUNTER, f"{RUN} --carrier {carrier}"])
    lab.run_all()
    lab.wait_for_motion(timeout_s=40)
    eventually(lambda: is_on(lab, RUNGS[carrier]), 50, interval_s=0.1)  # WebRTC may need a second try


@contextlib.contextmanager
def through_a_line(lab_server: JupyterLab, browser: Browser) -> Iterator[tuple[Lab, CutLine]]:
    """A JupyterLab tab whose connections to the server can be cut."""
    line = CutLine(int(lab_server.url.rsplit(":", 1)[1]))
    context = browser.new_context(viewport={"width": VIEWPORT["width"], "height": VIEWPORT["height"]})
    lab = Lab(replace(lab_server, url=f"http://127.0.0.1:{line.port}"), context)
    try:
        yield lab, line
        lab.screenshot("life-through-a-line")
        lab.close()
    finally:
        context.close()
        line.close()
