"""One peer at one size, measured in a notebook of its own."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import psutil

from tests.benchmarks.page_side import CALLS_JS, SAMPLER_JS
from tests.support.eventually import eventually
from tests.support.lab import Lab

PRESSES = 20
PAUSE_S = 0.1
BUSY_CELL_S = 2 * PRESSES * PAUSE_S + 2


@dataclass(frozen=True)
class Peer:
    """A way to bring frames to a page.

    Args:
        picture: selector of the element that shows them.
        start: the cell that starts it; the time from its first line to the first frame is measured.
    """

    name: str
    picture: str
    start: str
    prepare: str = ""
    has_calls: bool = False


_OURS = Peer(
    name="reactor_nb",
    picture=".reactor-viewer canvas",
    prepare="%load_ext reactor_nb\nfrom tests.benchmarks.bench_model import Bench",
    start="%reactor run bench",
    has_calls=True,
)
PEERS = (
    _OURS,
    # With a cap above the model's own rate emit_block never paces: "held" is then its cost alone.
    replace(_OURS, name="reactor_nb fps=60", start="%reactor run bench --model.fps=60"),
    Peer(name="jupyter_rfb", picture=".renderview-wrapper img", start="kernel_side.start_rfb()"),
    Peer(name="ipywidgets.Image", picture="img.widget-image", start="kernel_side.start_image()"),
)


@dataclass
class Result:
    peer: str
    size: tuple[int, int]
    seen_fps: float = 0.0
    first_frame_ms: float | None = None
    seen_ms: list[float] = field(default_factory=list)
    drawn_ms: list[float] = field(default_factory=list)
    held_ms: list[float] = field(default_factory=list)
    slider_idle_ms: list[float] = field(default_factory=list)
    slider_busy_ms: list[float] = field(default_factory=list)
    call_idle_ms: list[float] = field(default_factory=list)
    call_busy_ms: list[float] = field(default_factory=list)
    cpu_percent: dict[str, float] = field(default_factory=dict)


def measure(lab: Lab, peer: Peer, size: tuple[int, int], seconds: float) -> Result:
    """Start the peer, let it settle, watch it for `seconds`, then use its controls, idle and busy."""
    result = Result(peer.name, size)
    lab.open(
        [
            f"{peer.prepare}\nimport time\nfrom tests.benchmarks import kernel_side\n"
            f"kernel_side.record.size = {size!r}",
            f"began_s = time.time()\n{peer.start}",
            f"time.sleep({BUSY_CELL_S})",
        ]
    )
    lab.run(0)
    if error := lab.text(0):
        raise RuntimeError(f"{peer.name}: {error}")
    lab.page.evaluate(SAMPLER_JS, peer.picture)
    lab.run(1)
    if any(output["output_type"] in {"error", "stream"} for output in lab.outputs(1)):
        raise RuntimeError(f"{peer.name}: {lab.text(1)}")
    eventually(lambda: lab.page.evaluate("window.__bench.seen.length > 0"), 20, interval_s=0.05)
    began_ms = lab.evaluate("began_s") * 1000
    result.first_frame_ms = lab.page.evaluate("window.__bench.seen[0][1]") - began_ms
    time.sleep(3)
    _watch(lab, result, seconds)
    _use_controls(lab, peer, result)
    return result


def _watch(lab: Lab, result: Result, seconds: float) -> None:
    processes = _processes(lab)
    before = {name: _cpu_s(group) for name, group in processes.items()}
    began_s = time.time()
    lab.page.wait_for_timeout(seconds * 1000)
    ended_s = time.time()
    for name, group in processes.items():
        result.cpu_percent[name] = 100 * (_cpu_s(group) - before[name]) / (ended_s - began_s)

    window = (began_s * 1000, ended_s * 1000)
    bench = lab.page.evaluate("({ seen: window.__bench.seen, drawn: window.__bench.drawn })")
    emitted = {int(number): at_s * 1000 for number, at_s in lab.evaluate("kernel_side.record.emitted_s").items()}
    seen = [(number, at_ms) for number, at_ms in bench["seen"] if window[0] <= at_ms <= window[1]]
    result.seen_fps = len({number for number, _ in seen}) / (ended_s - began_s)
    result.seen_ms = [at_ms - emitted[number] for number, at_ms in seen if number in emitted]
    result.drawn_ms = [latency_ms for at_ms, latency_ms in bench["drawn"] if window[0] <= at_ms <= window[1]]
    held = lab.evaluate("kernel_side.record.held_ms")
    inside = {number for number, at_ms in emitted.items() if window[0] <= at_ms <= window[1]}
    result.held_ms = [held_ms for number, held_ms in held.items() if int(number) in inside]


def _use_controls(lab: Lab, peer: Peer, result: Result) -> None:
    left: dict[str, dict[str, float]] = {}
    presses_ms: dict[str, list[float]] = {}
    for state in ("idle", "busy"):
        if state == "busy":
            lab.run(2, wait=False)
            eventually(lambda: lab.kernel_status() == "busy", 5, interval_s=0.02)
        presses_ms[state] = _press_slider(lab)
        if peer.has_calls:
            first = 500 if state == "idle" else 700
            left[state] = lab.page.evaluate(CALLS_JS, [first, PRESSES, PAUSE_S * 1000])
    lab.wait_idle()
    marked = {int(index): at_s * 1000 for index, at_s in lab.evaluate("kernel_side.record.marked_s").items()}
    result.slider_idle_ms = _latencies(enumerate(presses_ms["idle"], 1), marked)
    result.slider_busy_ms = _latencies(enumerate(presses_ms["busy"], PRESSES + 1), marked)
    if peer.has_calls:
        result.call_idle_ms = _latencies(((int(i), at_ms) for i, at_ms in left["idle"].items()), marked)
        result.call_busy_ms = _latencies(((int(i), at_ms) for i, at_ms in left["busy"].items()), marked)


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


def _processes(lab: Lab) -> dict[str, list[psutil.Process]]:
    kernel = psutil.Process(lab.kernel_pid())
    browsers = [child for child in psutil.Process().children(recursive=True) if "chrom" in child.name().lower()]
    return {
        "kernel": [kernel, *kernel.children(recursive=True)],
        "server": [psutil.Process(lab.server.pid)],
        "browser": browsers,
    }


def _cpu_s(group: list[psutil.Process]) -> float:
    total_s = 0.0
    for process in group:
        # A browser process may end in between; what it used is then lost, for every peer alike.
        if process.is_running():
            times = process.cpu_times()
            total_s += times.user + times.system
    return total_s


def percentile(values: list[float], q: float) -> float | None:
    return float(np.percentile(values, q)) if values else None


def as_json(result: Result) -> dict[str, Any]:
    """Without the single values: what the table shows."""
    return {
        "peer": result.peer,
        "size": result.size,
        "seen_fps": result.seen_fps,
        "first_frame_ms": result.first_frame_ms,
        "cpu_percent": result.cpu_percent,
        **{
            name: [percentile(getattr(result, name), q) for q in (50, 95)]
            for name in (
                "seen_ms",
                "drawn_ms",
                "held_ms",
                "slider_idle_ms",
                "slider_busy_ms",
                "call_idle_ms",
                "call_busy_ms",
            )
        },
    }
