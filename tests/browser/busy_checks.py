"""The bodies of the busy-cell tests, which run in this environment and, by `make test-matrix`, with each ipykernel."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser import busy
from tests.support.lab import Lab

P95_MS = 50.0
P95_BY_COMM_MS = 250.0
"""Through the server and two event loops, beside the picture: not waiting for the cell is what is asked here."""
BY_COMM = "%reactor run --carrier comm"

Record = Callable[[str, object], None]


def moves_pass_the_cell(lab: Lab, kind: str, run: str, record: Record) -> None:
    """A slider's moves are in the model within 50 ms (p95) while a cell keeps the kernel busy."""
    is_by_comm = run == BY_COMM
    limit_ms = P95_BY_COMM_MS if is_by_comm else P95_MS
    busy.play(lab, run)
    busy.wait_for_carrier(lab, "Jupyter" if is_by_comm else "WebRTC")
    cell = busy.keep_busy(lab, kind, 60)
    rounds = busy.turn_until_prompt(lab, limit_ms)
    known = lab.call("told")
    assert busy.is_busy(lab), "the cell must still run, or nothing was shown"
    lab.interrupt_kernel()
    busy.wait_over(lab)
    assert "over" not in lab.text(cell)
    assert busy.applied(lab) == known, "nothing is applied again when the cell is over"
    p95_ms = [busy.quantile(delays_ms, 0.95) for delays_ms in rounds]
    record("p50", f"{busy.quantile(rounds[-1], 0.5):.1f} ms, p95 {[round(each, 1) for each in p95_ms]} ms")
    assert p95_ms[-1] < limit_ms, p95_ms
    assert lab.errors_of_ours() == []


def every_kind_is_applied_once(lab: Lab) -> None:
    """Each kind of widget, a button and a form reach the model while a cell runs, and not again after it."""
    busy.play(lab)
    busy.wait_for_carrier(lab, "WebRTC")
    busy.keep_busy(lab, "sleep", 60)
    for knob in busy.KNOBS_OF_EACH_KIND:
        knob.act(lab, busy.row_of(lab, knob.command))
    form = busy.row_of(lab, "pair")
    form.locator("input[type=text]").first.fill("tower")
    form.locator("input[type=text]").first.press("Enter")
    form.locator(".noUi-handle").press("ArrowRight")
    form.get_by_role("button", name="Apply").click()
    busy.wait_applied(lab, ["tower", 3])
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


def controls_wait_and_say_so(lab: Lab) -> None:
    """By comm without subshells: the View says that the controls wait; then the newest value is applied last."""
    busy.play(lab, BY_COMM, has_subshells=False)
    busy.wait_for_carrier(lab, "Jupyter")
    busy.keep_busy(lab, "sleep", 60)
    busy.turn_slider(lab, 10, busy.PAUSE_MS)
    for _ in range(3):
        busy.row_of(lab, "go").get_by_role("button", name="go").click()
    expect(lab.viewer()).to_contain_text("kernel busy: controls wait", timeout=10_000)
    lab.screenshot("controls-wait")
    lab.interrupt_kernel()
    busy.wait_over(lab)
    lab.wait_for_motion()
    busy.wait_for_last(lab, "turn", 0.1)
    expect(lab.viewer()).not_to_contain_text("controls wait", timeout=10_000)
    values = [value for _, name, value in busy.applied(lab) if name == "turn"]
    assert values == [0.01, 0.1], "what was on its way, then the newest"
    expect(busy.row_of(lab, "turn").locator(".widget-readout")).to_have_text("0.10")
