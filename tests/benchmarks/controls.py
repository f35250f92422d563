"""How long a press of a key on a slider, and a call from the page, take to the model's method."""

from __future__ import annotations

from collections.abc import Iterable

from tests.benchmarks.page_side import CALLS_JS
from tests.benchmarks.peers import Peer
from tests.support.eventually import eventually
from tests.support.lab import Lab

PRESSES = 20
PAUSE_S = 0.1
BUSY_CELL_S = 2 * PRESSES * PAUSE_S + 2


def measure(lab: Lab, peer: Peer, cell: int) -> dict[str, list[float]]:
    """slider_idle, slider_busy, call_idle, call_busy in ms; `cell` is the one that sleeps for BUSY_CELL_S."""
    left: dict[str, dict[str, float]] = {"idle": {}, "busy": {}}
    presses_ms: dict[str, list[float]] = {}
    for state in ("idle", "busy"):
        if state == "busy":
            lab.run(cell, wait=False)
            eventually(lambda: lab.kernel_status() == "busy", 5, interval_s=0.02)
        presses_ms[state] = _press_slider(lab)
        if peer.has_calls:
            first = 500 if state == "idle" else 700
            left[state] = lab.page.evaluate(CALLS_JS, [first, PRESSES, PAUSE_S * 1000])
    lab.wait_idle()
    marked = {int(index): at_s * 1000 for index, at_s in lab.evaluate("kernel_side.marks.at_s").items()}
    found = {
        "slider_idle": _latencies(enumerate(presses_ms["idle"], 1), marked),
        "slider_busy": _latencies(enumerate(presses_ms["busy"], PRESSES + 1), marked),
    }
    if peer.has_calls:
        for state, calls in left.items():
            found[f"call_{state}"] = _latencies(((int(index), at_ms) for index, at_ms in calls.items()), marked)
    return found


def _press_slider(lab: Lab) -> list[float]:
    """Moves the slider one step at a time by its keys; when each key went down."""
    lab.page.evaluate("window.__bench.keys.length = 0")
    lab.output_area(1).locator(".noUi-handle").first.focus()
    for _ in range(PRESSES):
        lab.page.keyboard.press("ArrowRight")
        lab.page.wait_for_timeout(PAUSE_S * 1000)
    pressed: list[float] = lab.page.evaluate("window.__bench.keys")
    return pressed


def _latencies(sent: Iterable[tuple[int, float]], marked: dict[int, float]) -> list[float]:
    return [marked[index] - at_ms for index, at_ms in sent if index in marked]
