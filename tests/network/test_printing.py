"""Jupyter's server drops everything that a kernel publishes once it publishes too much: the picture is among it.

1000 messages or 1 MB of prints a second, over 3 seconds, are what JupyterLab's server allows as it comes. Run in
the browser of this machine, with the picture on Jupyter's connection: needs no root.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.network.cells import LOAD, SCENE
from tests.support.lab import Lab
from tests.support.watch import Watch

pytestmark = pytest.mark.browser

RUN = "%reactor run --carrier comm"
MANY_LINES = "for line in range(4000): print(f'line {line}: ' + 'x' * 100)"
# What another cell's prints are, 5 MB a second of them, to an output that is not there: to draw so much takes
# JupyterLab longer than to cut it off.
FLOOD = """
import time
kernel = get_ipython().kernel
for _ in range(80):
    prints = {"name": "stdout", "text": ("x" * 99 + "\\n") * 2500}
    kernel.session.send(kernel.iopub_socket, "stream", prints, parent={})
    time.sleep(0.05)
"""


@pytest.fixture
def playing(lab: Lab) -> Lab:
    lab.open([LOAD, SCENE, RUN])
    lab.run_all()
    lab.wait_for_motion(frames=30)
    return lab


def test_a_model_that_prints_thousands_of_lines_a_second_does_not_stop_its_picture(playing: Lab) -> None:
    watch = Watch(playing)
    watch.start()
    playing.call("chatter", {"lines": 200})
    playing.wait_for_motion(frames=90)
    playing.screenshot("printing-model")
    seen = watch.stop()
    assert seen.longest_still_s() < 1.5
    playing.viewer().locator("summary").first.click()
    expect(playing.viewer().locator(".reactor-log-text")).to_contain_text("line 199")


def test_a_cell_that_prints_thousands_of_lines_does_not_stop_the_picture(playing: Lab) -> None:
    watch = Watch(playing)
    watch.start()
    cell = playing.run_new(MANY_LINES)
    playing.wait_for_motion(frames=30)
    seen = watch.stop()
    assert "line 3999" in playing.text(cell)
    assert seen.longest_still_s() < 1.5


def test_prints_far_beyond_what_jupyter_allows_do_not_stop_the_picture(playing: Lab) -> None:
    """Each ack of the page is a message to the kernel, and the server counts anew when the kernel is idle after one."""
    watch = Watch(playing)
    watch.start()
    playing.run_new(FLOOD)
    playing.wait_for_motion(frames=30)
    seen = watch.stop()
    assert seen.longest_still_s() < 2.0
    assert seen.steps_back() == []
