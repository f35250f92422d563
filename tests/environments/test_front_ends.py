"""The picture and the controls in each front end that has ipywidgets."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.cells import COUNTER, LOAD
from tests.environments.front_ends import FRONT_ENDS
from tests.support.eventually import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180, func_only=True)]


RUNGS = {"auto": "WebRTC", "comm": "video over Jupyter", "jpeg": "JPEG over Jupyter"}


@pytest.mark.parametrize("carrier", RUNGS)
@pytest.mark.parametrize("name", FRONT_ENDS)
def test_the_picture_moves_and_a_slider_changes_it(
    name: str, carrier: str, context: BrowserContext, tmp_path: Path
) -> None:
    run = f"%reactor run --carrier {carrier}"
    with FRONT_ENDS[name]([LOAD, COUNTER, run], context, tmp_path) as views, views.pictured(f"{name} {carrier}"):
        views.wait_for_motion(timeout_s=60)
        eventually(lambda: (views.stats() or {}).get("carrier") == RUNGS[carrier], 20, interval_s=0.1)
        slider = views.page.locator(".noUi-handle").first
        slider.focus()
        slider.press("End")
        # The lower half is as grey as `level`, which is 1 now: white.
        eventually(lambda: views.pixels()[-20:, :, :3].mean() > 240, 10, interval_s=0.1)
        views.wait_for_motion()
        expect(views.viewer()).to_contain_text(RUNGS[carrier])
        views.screenshot(f"{name} {carrier}")
        views.viewer().get_by_role("button", name="Stop").click()
        expect(views.viewer()).to_contain_text("ended", ignore_case=True)
