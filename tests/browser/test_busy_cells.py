"""A running cell holds the kernel's main thread, and the controls reach the model all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import busy
from tests.support.lab import Lab

pytestmark = pytest.mark.browser


P95_MS = 50.0


@pytest.mark.parametrize("kind", busy.BUSY)
def test_a_slider_reaches_the_model_within_50_ms_while_a_cell_runs(
    lab: Lab, kind: str, record_property: Callable[[str, object], None]
) -> None:
    busy.play(lab)
    cell = busy.keep_busy(lab, kind, 60)
    rounds = busy.turn_until_prompt(lab, P95_MS)
    known = lab.call("told")
    assert busy.is_busy(lab), "the cell must still run, or nothing was shown"
    lab.interrupt_kernel()
    busy.wait_over(lab)
    assert "over" not in lab.text(cell)
    assert busy.applied(lab) == known, "nothing is applied again when the cell is over"
    p95_ms = [busy.quantile(delays_ms, 0.95) for delays_ms in rounds]
    record_property("p50", f"{busy.quantile(rounds[-1], 0.5):.1f} ms, p95 {[round(each, 1) for each in p95_ms]} ms")
    assert p95_ms[-1] < P95_MS, p95_ms
    assert lab.errors_of_ours() == []


def test_every_kind_of_control_is_applied_once_while_a_cell_runs_and_not_again_after_it(lab: Lab) -> None:
    busy.play(lab)
    busy.keep_busy(lab, "sleep", 20)
    for knob in busy.KNOBS_OF_EACH_KIND:
        knob.act(lab, busy.row_of(lab, knob.command))
    form = busy.row_of(lab, "pair")
    form.locator("input[type=text]").first.fill("tower")
    form.locator("input[type=text]").first.press("Enter")
    form.locator(".noUi-handle").press("ArrowRight")
    form.get_by_role("button", name="Apply").click()
    lab.wait_for_motion()
    assert busy.is_busy(lab), "the cell must still run, or nothing was shown"
    lab.screenshot("every-kind-in-a-busy-cell")
    stopped_ms = lab.page.evaluate("Date.now()")
    lab.interrupt_kernel()
    busy.wait_over(lab)
    lab.wait_for_motion()
    calls = busy.applied(lab)
    expected = [[knob.command, knob.value] for knob in busy.KNOBS_OF_EACH_KIND]
    assert [call[1:] for call in calls] == [*expected, ["pair", ["tower", 3]]]
    assert all(call[0] < stopped_ms for call in calls), "applied while the cell ran"
    assert lab.errors_of_ours() == []


def test_controls_of_two_views_and_of_a_cell_stay_in_step_through_a_busy_cell(lab: Lab) -> None:
    busy.play(lab)
    lab.run_new("%reactor session")
    lab.wait_for_motion(index=1)
    busy.keep_busy(lab, "sleep", 20)
    busy.turn_slider(lab, 5, busy.PAUSE_MS)
    readouts = lab.page.locator(".reactor-controls .widget-readout")
    expect(busy.row_of(lab, "turn", 1).locator(".widget-readout")).to_have_text("0.05")
    lab.interrupt_kernel()
    busy.wait_over(lab)
    assert readouts.count() >= 2
    lab.run_new("%reactor send turn 0.5")
    for view in (0, 1):
        expect(busy.row_of(lab, "turn", view).locator(".widget-readout")).to_have_text("0.50")
    busy.turn_slider(lab, 1, busy.PAUSE_MS, view=1)
    expect(busy.row_of(lab, "turn", 0).locator(".widget-readout")).to_have_text("0.51")
    values = [value for _, name, value in busy.applied(lab)]
    assert values == [0.01, 0.02, 0.03, 0.04, 0.05, 0.5, 0.51]
