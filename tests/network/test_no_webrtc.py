"""Where WebRTC cannot pass, the picture comes over Jupyter, and the View says why."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.network.cells import LOAD, RUN, SCENE
from tests.network.conftest import PageMachine
from tests.support.lab import Lab
from tests.support.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.needs_root, pytest.mark.usefixtures("every_road")]


@pytest.mark.parametrize(
    ("road", "rung", "is_udp_closed", "why"),
    [
        pytest.param("far_lab", "JPEG over Jupyter", True, "UDP", id="plain-http-without-udp"),
        pytest.param("https_lab", "video over Jupyter", True, "UDP", id="https-without-udp"),
        pytest.param("tunnelled_lab", "video over Jupyter", False, "WebRTC", id="ssh-tunnel"),
        pytest.param("hub_lab", "video over Jupyter", False, "WebRTC", id="hub-proxy"),
    ],
)
def test_the_picture_comes_over_jupyter(
    request: pytest.FixtureRequest, page_machine: PageMachine, road: str, rung: str, is_udp_closed: bool, why: str
) -> None:
    lab: Lab = request.getfixturevalue(road)
    if is_udp_closed:
        page_machine.namespace.drop_udp()
    lab.open([LOAD, SCENE, RUN])
    lab.run_all()
    lab.wait_for_motion(frames=30)
    watch = Watch(lab)
    watch.start()
    assert lab.stats()["carrier"] == rung
    assert lab.call("note", {"number": 7}) == 7, "calls travel as well"
    lab.wait_for_motion(frames=30)
    seen = watch.stop()
    assert seen.carriers() == [rung]
    assert seen.steps_back() == []
    assert seen.unreadable() == []
    assert seen.rate_fps() > 5, "a busy machine makes few; how many is measured by make bench"
    # The model's texture is grey on average, and rough: a picture that was decoded, and not made up.
    picture = lab.pixels()[240:, :, :3].astype(np.float64)
    assert 110 < picture.mean() < 150
    assert picture.std() > 25
    lab.viewer().locator(".reactor-status").click()
    expect(lab.viewer().locator(".reactor-rungs")).to_contain_text(why)
    lab.screenshot(f"over-jupyter-{road}")


def test_the_view_of_a_hub_is_as_fast_as_its_road_allows(hub_lab: Lab) -> None:
    """A proxy that waits for its page must not become a queue of old pictures."""
    hub_lab.open([LOAD, SCENE, RUN])
    hub_lab.run_all()
    hub_lab.wait_for_motion(frames=30)
    watch = Watch(hub_lab)
    watch.start()
    hub_lab.wait_for_motion(frames=90)
    seen = watch.stop()
    shown_s = hub_lab.evaluate("SHOWN_S")
    assert np.percentile(seen.latencies_s(shown_s), 95) < 0.5
