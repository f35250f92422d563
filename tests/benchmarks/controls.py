"""How long a press of a key on a slider, and a call from the page, take to the model's method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.benchmarks.page_side import CALLS_JS
from tests.benchmarks.peers import Peer
from tests.support.eventually import eventually
from tests.support.lab import Lab

PRESSES = 20
PAUSE_S = 0.1
BUSY_CELL_S = 2 * PRESSES * PAUSE_S + 2
_FIRST_CALL = 500
_CALLS_APART = 100


def measure(lab: Lab, peer: Peer, cells: Mapping[str, int]) -> dict[str, list[float]]:
    """slider_idle, call_idle and the same for each of `cells`, in ms.

    Args:
        cells: what the kernel is busy with -> the number of a cell that is busy so for BUSY_CELL_S.
    """
    presses_ms: dict[str, list[float]] = {}
    calls_ms: dict[str, dict[str, float]] = {}
    for order, (state, cell) in enumerate({"idle": None, **cells}.items()):
        if cell is not None:
            lab.run(cell, wait=False)
            eventually(lambda: lab.kernel_status() == "busy", 5, interval_s=0.02)
        presses_ms[state] = _press_slider(lab)
        if peer.has_calls:
            # Numbers of their own, far from the slider's.
            first = _FIRST_CALL + order * _CALLS_APART
            calls_ms[state] = lab.page.evaluate(CALLS_JS, [first, PRESSES, PAUSE_S * 1000])
        lab.wait_idle()
    marked = {int(index): at_s * 1000 for index, at_s in lab.evaluate("kernel_side.marks.at_s").items()}
    found: dict[str, list[float]] = {}
    for order, (state, keys_ms) in enumerate(presses_ms.items()):
        first = order * PRESSES + 1
        found[f"slider_{state}"] = slider_latencies(keys_ms, first, marked)
    for state, calls in calls_ms.items():
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


def slider_latencies(keys_ms: list[float], first: int, marked: dict[int, float]) -> list[float]:
    """A press has had its effect when its value or a later one has arrived: the newest value is what counts."""
    found = []
    for index, at_ms in enumerate(keys_ms, first):
        arrived = [marked[each] for each in range(index, first + len(keys_ms)) if each in marked]
        if arrived:
            found.append(min(arrived) - at_ms)
    return found
