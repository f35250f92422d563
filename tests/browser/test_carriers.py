"""Which road the picture takes, as the line asks, the page says and the doctor tells."""

from __future__ import annotations

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
