"""Life goes on, whichever road the picture takes: pages that reload and lose their server, cells that move."""

from __future__ import annotations

import os
from functools import partial

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.roads import RUNGS, is_on, play, through_a_line
from tests.support.eventually import eventually
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab

pytestmark = pytest.mark.browser

STATS = "__import__('reactor_nb.runtime.base', fromlist=['x']).get_runtime().link.stats('counter')"
VIEWS = f"{STATS}.get('views', 0)"

# `make test` has a quarter of an hour; `make test-environments` takes the road between the two as well.
in_each_road = pytest.mark.parametrize(
    "carrier", list(RUNGS) if os.environ.get("REACTOR_NB_ENVIRONMENTS") else ["auto", "jpeg"]
)


@in_each_road
def test_a_reload_a_second_tab_and_a_cleared_output(carrier: str, lab: Lab) -> None:
    play(lab, carrier)
    lab.save()
    lab.reload()
    lab.wait_for_motion(timeout_s=30)
    eventually(lambda: lab.evaluate(VIEWS) == 1, 20, interval_s=0.2)
    other = lab.second_tab()
    other.wait_for_motion(timeout_s=30)
    lab.wait_for_motion()
    eventually(lambda: lab.evaluate(VIEWS) == 2, 10, interval_s=0.2)
    other.close_tab()
    eventually(lambda: lab.evaluate(VIEWS) == 1, 20, interval_s=0.2)
    lab.wait_for_motion()
    lab.clear_output(2)
    eventually(lambda: lab.evaluate(VIEWS) == 0, 10, interval_s=0.2)
    lab.run_new("session = %reactor session\nsession")
    lab.wait_for_motion(timeout_s=30)


@pytest.mark.parametrize("carrier", ["comm"])
def test_a_restarted_kernel_is_told_and_run_all_plays_in_the_new_one(carrier: str, lab: Lab) -> None:
    play(lab, carrier)
    lab.restart_kernel()
    expect(lab.viewer()).to_contain_text("Run the cell again", timeout=20_000)
    lab.screenshot(f"life-restarted-{carrier}")
    lab.run_all()
    lab.wait_for_motion(timeout_s=40)


@pytest.mark.parametrize("carrier", ["comm"])
def test_a_cell_that_is_moved_or_copied_goes_on_showing_the_picture(carrier: str, lab: Lab) -> None:
    play(lab, carrier)
    lab.command(2, "notebook:move-cell-up")
    lab.wait_for_motion(timeout_s=20)
    lab.command(1, "notebook:copy-cell", "notebook:paste-cell-below")
    eventually(lambda: lab.viewers().count() == 2, 10)
    for index in (0, 1):
        lab.viewer(index).scroll_into_view_if_needed()
        lab.wait_for_motion(index=index, timeout_s=20)


def tab_without(lab: Lab, *names: str) -> Lab:
    """The same notebook in a tab of a browser that lacks these."""
    page = lab.context.new_page()
    page.add_init_script("".join(f"delete window.{name};" for name in names))
    tab = Lab(lab.server, lab.context, page)
    tab.open_file(lab.path)
    return tab


def test_views_on_roads_of_their_own_share_encodes_and_controls(lab: Lab) -> None:
    play(lab, "auto")
    lab.save()
    tabs = [lab, tab_without(lab, "RTCPeerConnection"), tab_without(lab, "RTCPeerConnection", "VideoDecoder")]
    for tab, rung in zip(tabs, RUNGS.values(), strict=True):
        tab.wait_for_motion(timeout_s=30)
        eventually(partial(is_on, tab, rung), 30, interval_s=0.1)
    assert lab.evaluate(f"sorted({STATS}['encoders'])") == ["H264", "JPEG"], "two Views share one encode"
    slider = tabs[2].page.locator(".noUi-handle").first
    slider.focus()
    slider.press("End")
    for number, tab in enumerate(tabs):
        eventually(partial(is_white_below, tab), 20, interval_s=0.1)
        expect(tab.page.locator(".noUi-handle").first).to_have_attribute("aria-valuenow", "1.0", timeout=10_000)
        tab.screenshot(f"life-roads-{number}")
    for tab in tabs[1:]:
        tab.close_tab()


def is_white_below(lab: Lab) -> bool:
    """Whether the lower half is as `level` 1 paints it."""
    script = """(canvas) => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
        copy.drawImage(canvas, 0, 0);
        return copy.getImageData(10, canvas.height - 10, 1, 1).data[1]; }"""
    return bool(lab.page.locator(".reactor-canvas").first.evaluate(script) > 240)


@in_each_road
def test_a_server_that_is_away_for_a_while_costs_no_more_than_that_while(
    carrier: str, lab_server: JupyterLab, chromium: Browser
) -> None:
    with through_a_line(lab_server, chromium) as (lab, line):
        play(lab, carrier)
        line.cut()
        if carrier == "auto":
            lab.wait_for_motion(timeout_s=10)  # WebRTC needs no server
        else:
            expect(lab.viewer()).to_contain_text("nothing comes from the kernel", timeout=30_000)
            lab.screenshot(f"life-cut-{carrier}")
        line.mend()
        lab.wait_for_motion(timeout_s=40)
        eventually(lambda: is_on(lab, RUNGS[carrier]), 30, interval_s=0.2)
