"""A firewall closes on WebRTC in the middle of a session, and opens again."""

from __future__ import annotations

import pytest

from tests.network.cells import LOAD, RUN, SCENE
from tests.network.conftest import PageMachine
from tests.support.eventually import eventually
from tests.support.lab import Lab
from tests.support.page_calls import PageCalls
from tests.support.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.needs_root]

BACK_WITHIN_S = 2.0
"""From the last frame of the road that breaks to the first of the next: what the project promises."""


@pytest.mark.parametrize(("road", "rung"), [("far_lab", "JPEG over Jupyter"), ("https_lab", "video over Jupyter")])
@pytest.mark.usefixtures("every_road")
def test_the_picture_falls_back_within_two_seconds_and_moves_back_when_udp_passes(
    request: pytest.FixtureRequest, page_machine: PageMachine, road: str, rung: str
) -> None:
    lab: Lab = request.getfixturevalue(road)
    lab.open([LOAD, SCENE, RUN])
    lab.run_all()
    lab.wait_for_motion()
    eventually(lambda: lab.stats()["carrier"] == "WebRTC", 10)

    watch, calls = Watch(lab), PageCalls(lab, "note", "number")
    watch.start()
    calls.start()
    lab.wait_for_motion()
    page_machine.namespace.drop_udp()
    eventually(lambda: lab.stats()["carrier"] == rung, 5)
    lab.wait_for_motion(frames=30)
    lab.screenshot(f"fallen-back-to-{rung.replace(' ', '-')}")
    page_machine.namespace.pass_all()
    eventually(lambda: lab.stats()["carrier"] == "WebRTC", 30, interval_s=0.1)
    lab.wait_for_motion(frames=30)
    done, seen = calls.stop(), watch.stop()

    assert seen.longest_still_s() < BACK_WITHIN_S
    assert seen.unreadable() == [], "no black frame"
    assert seen.steps_back() == [], "no older frame after a newer one"
    assert seen.carriers() == ["WebRTC", rung, "WebRTC"]
    assert done.refused == []
    assert sorted(lab.evaluate("HEARD")) == list(range(done.sent)), "each call was carried out, once"
