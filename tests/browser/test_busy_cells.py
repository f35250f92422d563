"""A running cell holds the kernel's main thread, and the controls reach the model all the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import busy, busy_checks
from tests.support.lab import Lab

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("kind", busy.BUSY)
def test_by_webrtc_a_slider_reaches_the_model_within_50_ms_while_a_cell_runs(
    lab: Lab, kind: str, record_property: busy_checks.Record
) -> None:
    busy_checks.moves_pass_the_cell(lab, kind, busy.RUN, record_property)


def test_by_comm_a_slider_reaches_the_model_while_a_cell_runs_where_there_are_subshells(
    lab: Lab, record_property: busy_checks.Record
) -> None:
    busy_checks.moves_pass_the_cell(lab, "sleep", busy_checks.BY_COMM, record_property)


def test_every_kind_of_control_is_applied_once_while_a_cell_runs_and_not_again_after_it(lab: Lab) -> None:
    busy_checks.every_kind_is_applied_once(lab)


def test_two_views_and_python_stay_in_step_through_a_busy_cell(lab: Lab) -> None:
    busy.play(lab)
    lab.run_new("%reactor session")
    lab.wait_for_motion(index=1)
    busy.keep_busy(lab, "sleep", 60)
    busy.turn_slider(lab, 5, busy.PAUSE_MS)
    expect(busy.row_of(lab, "turn", 1).locator(".widget-readout")).to_have_text("0.05")
    lab.interrupt_kernel()
    busy.wait_over(lab)
    lab.run_new("%reactor send turn 0.5")
    for view in (0, 1):
        expect(busy.row_of(lab, "turn", view).locator(".widget-readout")).to_have_text("0.50")
    busy.turn_slider(lab, 1, busy.PAUSE_MS, view=1)
    expect(busy.row_of(lab, "turn", 0).locator(".widget-readout")).to_have_text("0.51")
    busy.wait_for_last(lab, "turn", 0.51)
    values = [value for _, name, value in busy.applied(lab)]
    assert values == sorted(set(values)) and values[-3:] == [0.05, 0.5, 0.51]


def test_two_tabs_stay_in_step(lab: Lab) -> None:
    busy.play(lab)
    lab.save()
    other = lab.second_tab()
    other.wait_for_motion()
    busy.turn_slider(lab, 5, busy.PAUSE_MS)
    expect(busy.row_of(other, "turn").locator(".widget-readout")).to_have_text("0.05")
    busy.turn_slider(other, 2, busy.PAUSE_MS)
    expect(busy.row_of(lab, "turn").locator(".widget-readout")).to_have_text("0.07")
    busy.turn_slider(lab, 1, busy.PAUSE_MS)
    expect(busy.row_of(other, "turn").locator(".widget-readout")).to_have_text("0.08")
    busy.wait_for_last(lab, "turn", 0.08)
    values = [value for _, name, value in busy.applied(lab)]
    assert values == sorted(set(values)), "each once, in the order in which they were moved"


def test_where_there_are_no_subshells_the_view_says_that_the_controls_wait_and_the_newest_is_applied_last(
    lab: Lab,
) -> None:
    busy_checks.controls_wait_and_say_so(lab)


def test_controls_pass_the_cell_after_a_reload_of_the_page(lab: Lab) -> None:
    busy.play(lab)
    busy.turn_slider(lab, 2, busy.PAUSE_MS)
    lab.save()
    lab.reload()
    lab.wait_for_motion()
    busy.wait_for_carrier(lab, "WebRTC")
    busy.keep_busy(lab, "sleep", 60)
    busy.turn_slider(lab, 1, busy.PAUSE_MS)
    busy.wait_applied(lab, 0.03)
    assert busy.is_busy(lab), "the cell must still run, or nothing was shown"
    lab.interrupt_kernel()
