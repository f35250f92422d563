"""A page on another machine, where everything passes."""

from __future__ import annotations

import pytest

from tests.browser.cells import COUNTER, LOAD, RUN
from tests.network.conftest import PageMachine
from tests.support.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.needs_root]


def test_a_page_of_another_machine_sees_the_picture_by_webrtc(far_lab: Lab, page_machine: PageMachine) -> None:
    assert not far_lab.page.is_closed()
    far_lab.open([LOAD, COUNTER, RUN])
    assert not far_lab.page.evaluate("window.isSecureContext"), "plain http at an address of the LAN"
    far_lab.run_all()
    far_lab.wait_for_motion()
    assert far_lab.stats()["carrier"] == "WebRTC"
