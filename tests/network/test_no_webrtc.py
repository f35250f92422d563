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
    ("road", "is_secure", "is_udp_closed"),
    [
        pytest.param("far_lab", False, True, id="plain-http-without-udp"),
        pytest.param("https_lab", True, True, id="https-without-udp"),
        pytest.param("tunnelled_lab", True, False, id="ssh-tunnel"),
        pytest.param("hub_lab", True, False, id="hub-proxy"),
    ],
)
def test_the_picture_comes_over_jupyter(
    request: pytest.FixtureRequest, page_machine: PageMachine, road: str, is_secure: bool, is_udp_closed: bool
) -> None:
    lab: Lab = request.getfixturevalue(road)
    if is_udp_closed:
        page_machine.namespace.drop_udp()
    lab.open([LOAD, SCENE, RUN])
    assert lab.page.evaluate("[window.isSecureContext, 'VideoDecoder' in window]") == [is_secure, is_secure]
    lab.run_all()
    lab.wait_for_motion(frames=30)
    watch = Watch(lab)
    watch.start()
    rung = "video over Jupyter" if is_secure else "JPEG over Jupyter"
    assert lab.carrier() == rung
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
    lab.viewer().get_by_role("button", name=rung).click()
    expect(lab.viewer().locator(".reactor-rungs")).to_contain_text("REACTOR_NB_ICE_SERVERS", timeout=20_000)
    lab.screenshot(f"over-jupyter-{road}")
