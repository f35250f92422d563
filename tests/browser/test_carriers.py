"""Which road the picture takes, as the line asks, the page says and the doctor tells."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from tests.browser.cells import COUNTER, LOAD, RUN
from tests.support.eventually import eventually
from tests.support.lab import Lab

pytestmark = pytest.mark.browser

NAMES = {"auto": "WebRTC", "webrtc": "WebRTC", "comm": "video over Jupyter", "jpeg": "JPEG over Jupyter"}


@pytest.mark.parametrize("carrier", NAMES)
def test_the_picture_takes_the_road_that_the_line_says(carrier: str, lab: Lab) -> None:
    lab.open([LOAD, COUNTER, f"{RUN} --carrier {carrier}", "%reactor doctor"])
    lab.run_all()
    lab.wait_for_motion()
    eventually(lambda: lab.stats()["carrier"] == NAMES[carrier], 10)
    lab.wait_for_motion()
    lab.screenshot(f"carrier-{carrier}")
    eventually(lambda: NAMES[carrier] in told_of_the_page(lab), 10, interval_s=0.5)


def told_of_the_page(lab: Lab) -> str:
    """The doctor's line about the View, which the page reports once a second."""
    lab.run(3)
    return next((line for line in lab.text(3).splitlines() if "  page" in line), "")


def test_over_jupyter_the_picture_is_back_when_the_media_process_has_crashed(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, f"{RUN} --carrier comm"])
    lab.run_all()
    lab.wait_for_motion()
    where = "__import__('reactor_nb.runtime.base', fromlist=['x']).get_runtime().link.where()"
    pid = lab.evaluate(where)["pid"]
    last = lab.frame_number() or 0
    os.kill(pid, signal.SIGKILL)
    lab.wait_for_frame(last + 60)
    assert lab.stats()["carrier"] == "video over Jupyter"
    assert lab.evaluate(where)["restarts"] == 1


def test_views_follow_when_another_carrier_is_chosen(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, f"{RUN} --carrier comm", "%reactor session", f"{RUN} --carrier jpeg"])
    for index in range(4):
        lab.run(index)
    assert [carrier_in_sight(lab, index) for index in (0, 1)] == ["video over Jupyter"] * 2
    lab.run(4)
    for index in (0, 1, 2):
        eventually(partial(is_on, lab, index, "JPEG over Jupyter"), 20)


def carrier_in_sight(lab: Lab, index: int) -> str:
    """Of a View that is scrolled to: out of sight it asks for nothing."""
    lab.wait_for_motion(index=index)
    return str(lab.stats(index)["carrier"])


def is_on(lab: Lab, index: int, carrier: str) -> bool:
    return carrier_in_sight(lab, index) == carrier
