"""A firewall closes on WebRTC in the middle of a session, and opens again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.network.cells import LOAD, RUN, SCENE
from tests.network.conftest import PageMachine
from tests.support.eventually import eventually
from tests.support.lab import Lab
from tests.support.page_calls import PageCalls
from tests.support.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.needs_root, pytest.mark.usefixtures("every_road")]

BACK_WITHIN_S = 2.0
"""From the last frame of the road that breaks to the first of the next: what the project promises."""

NO_SUBSHELLS = """(path) => {
  for (const { context, sessionContext } of window.jupyterapp.shell.widgets("main"))
    if (context?.path === path) sessionContext.session.kernel.commsOverSubshells = "disabled";
}"""
"""As front ends that know no subshells."""


@pytest.mark.parametrize(("road", "rung"), [("far_lab", "JPEG over Jupyter"), ("https_lab", "video over Jupyter")])
def test_the_picture_falls_back_within_two_seconds_and_moves_back_when_udp_passes(
    request: pytest.FixtureRequest,
    page_machine: PageMachine,
    record_property: Callable[[str, object], None],
    road: str,
    rung: str,
) -> None:
    lab: Lab = request.getfixturevalue(road)
    lab.open([LOAD, SCENE, RUN])
    lab.run_all()
    lab.wait_for_motion()
    eventually(lambda: lab.carrier() == "WebRTC", 10)

    watch, calls = Watch(lab), PageCalls(lab, "note", "number")
    watch.start()
    calls.start()
    lab.wait_for_motion()
    page_machine.namespace.drop_udp()
    eventually(lambda: lab.carrier() == rung, 5)
    lab.wait_for_motion(frames=30)
    lab.screenshot(f"fallen-back-to-{rung.replace(' ', '-')}")
    page_machine.namespace.pass_all()
    eventually(lambda: lab.carrier() == "WebRTC", 30, interval_s=0.1)
    lab.wait_for_motion(frames=30)
    done, seen = calls.stop(), watch.stop()

    record_property("longest still picture (s)", round(seen.longest_still_s(), 2))
    assert seen.longest_still_s() < BACK_WITHIN_S
    assert seen.unreadable() == [], "no black frame"
    assert seen.steps_back() == [], "no older frame after a newer one"
    assert seen.carriers() == ["WebRTC", rung, "WebRTC"]
    assert done.refused == []
    assert sorted(lab.evaluate("HEARD")) == list(range(done.sent)), "each call was carried out, once"


def test_the_picture_falls_back_while_a_cell_runs_and_the_kernel_hears_no_page(
    https_lab: Lab, page_machine: PageMachine, record_property: Callable[[str, object], None]
) -> None:
    """The media's side has to notice by itself: what the page says by comm waits for the cell."""
    https_lab.open([LOAD, SCENE, RUN, "import time\ntime.sleep(6)"])
    https_lab.page.evaluate(NO_SUBSHELLS, https_lab.path)
    for cell in (0, 1, 2):
        https_lab.run(cell)
    eventually(lambda: https_lab.carrier() == "WebRTC", 20, interval_s=0.1)
    https_lab.wait_for_motion(frames=30)

    watch, calls = Watch(https_lab), PageCalls(https_lab, "note", "number")
    watch.start()
    calls.start(interval_ms=200)
    https_lab.run(3, wait=False)
    https_lab.wait_for_motion()
    page_machine.namespace.drop_udp()
    eventually(lambda: https_lab.carrier() == "video over Jupyter", 5)
    https_lab.wait_for_motion(frames=10)
    assert https_lab.page.locator(".jp-InputPrompt", has_text="[*]").count() > 0, "the cell must still run"
    seen = watch.stop()
    https_lab.wait_idle()
    done = calls.stop()

    record_property("longest still picture (s)", round(seen.longest_still_s(), 2))
    assert seen.longest_still_s() < BACK_WITHIN_S
    assert seen.unreadable() == []
    assert seen.steps_back() == []
    assert done.refused == []
    assert sorted(https_lab.evaluate("HEARD")) == list(range(done.sent))
