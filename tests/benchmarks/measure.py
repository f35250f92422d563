"""One peer, measured in a notebook of its own: started, watched, disturbed, looked at closely."""

from __future__ import annotations

import base64
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks import controls, fidelity
from tests.benchmarks.model_loop import Job
from tests.benchmarks.page_side import ARRIVED_JS, BEGIN_JS, GRAB_JS, SAMPLER_JS, TAKE_JS
from tests.benchmarks.peers import Peer, server_of, start_cell
from tests.benchmarks.processes import CpuMeter, groups_of
from tests.benchmarks.record import FrameRecord
from tests.benchmarks.results import Fidelity, Result, Window
from tests.support import barcode
from tests.support.eventually import eventually
from tests.support.lab import Lab

FIRST_FRAME_TIMEOUT_S = 30.0
SETTLE_S = 3.0
BUSY_SETTLE_S = 2.0
BURN_MS = 25.0
GRABS = 6
_CLOCK_SLACK_S = 2.0


@dataclass(frozen=True)
class Visit:
    """What is done with one peer once it is started.

    Args:
        window_s: how long it is watched at a time. 0 does not watch.
        busy_s: how long it is watched while a cell spins, and while the model burns as well. 0 leaves that out.
        codec: what the page is made to offer alone; empty offers what it would.
        is_relayed: the page may use a relay and nothing else.
        environment: of the kernel, set before anything is loaded.
    """

    peer: Peer
    size: tuple[int, int]
    rate_fps: float = 30.0
    window_s: float = 20.0
    busy_s: float = 0.0
    has_fidelity: bool = False
    has_controls: bool = False
    has_patches: bool = False
    codec: str = ""
    settle_s: float = SETTLE_S
    is_relayed: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def measure(lab: Lab, visit: Visit) -> Result:
    """Start the peer, let it settle, and do what the visit says. RuntimeError with what the cells printed."""
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as folder:
        record = FrameRecord(Path(folder, "frames.bin"), is_new=True)
        job = Job(*visit.size, str(record.path), visit.rate_fps, has_patches=visit.has_patches)
        with server_of(visit.peer, job, Path(folder, "peer.log")) as (peer_pid, port):
            return _Stay(lab, visit, job, record, peer_pid).measure(start_cell(visit.peer, job, port))


class _Stay:
    def __init__(self, lab: Lab, visit: Visit, job: Job, record: FrameRecord, peer_pid: int | None) -> None:
        self._lab, self._visit, self._job, self._record = lab, visit, job, record
        self._peer_pid = peer_pid
        self._result = Result(visit.peer.name, visit.size, visit.rate_fps, codec=visit.codec)

    def measure(self, start: str) -> Result:
        lab, visit, result = self._lab, self._visit, self._result
        self._start(start)
        lab.page.wait_for_timeout(visit.settle_s * 1000)
        if visit.window_s:
            result.windows.append(self._watch(visit.window_s))
            if visit.peer.is_ours:
                result.rung = str(lab.stats().get("carrier") or "")
                result.fidelity.codecs = self._codecs()
                lab.execute('bench_stats = get_ipython().run_line_magic("reactor", "session bench").stats()')
                result.stages_ms = lab.evaluate("bench_stats['stages']")
        if visit.has_fidelity or visit.has_patches:
            result.fidelity = self._look_closely()
        if visit.busy_s and not visit.peer.has_server:
            result.spinning = self._watch_spinning()
            lab.execute(f"kernel_side.player().job.burn_ms = {BURN_MS}")
            result.burning = self._watch_spinning()
            lab.execute("kernel_side.player().job.burn_ms = 0")
        if visit.has_controls:
            result.controls_ms = controls.measure(lab, visit.peer, {"busy": 3, "spinning": 4})
        return result

    def _start(self, start: str) -> None:
        lab, visit = self._lab, self._visit
        lines = [
            f"import os\nos.environ |= {dict(visit.environment)!r}",
            visit.peer.prepare,
            "import time\nfrom tests.benchmarks import kernel_side",
            "" if visit.peer.has_server else f"kernel_side.prepare({self._job.as_text()!r})",
        ]
        lab.open(
            [
                "\n".join(lines),
                f"began_s = time.time()\n{start}",
                _spin(BUSY_SETTLE_S + visit.busy_s + 1),
                f"time.sleep({controls.BUSY_CELL_S})",
                _spin(controls.BUSY_CELL_S),
            ]
        )
        self._run(0)
        kernel_pid = lab.kernel_pid()
        lab.page.evaluate(BEGIN_JS, [visit.codec, visit.is_relayed])
        lab.page.evaluate(SAMPLER_JS, [visit.peer.root, visit.peer.picture])
        self._run(1)
        eventually(lambda: lab.page.evaluate("window.__bench.seen.length > 0"), FIRST_FRAME_TIMEOUT_S, interval_s=0.05)
        began_ms = lab.evaluate("began_s") * 1000
        first_ms, ready_ms = lab.page.evaluate("[window.__bench.seen[0][1], window.__bench.ready_ms]")
        self._result.first_frame_ms = first_ms - began_ms
        self._result.ready_to_first_ms = first_ms - ready_ms
        self._groups = groups_of(kernel_pid, lab.server.pid, self._peer_pid)

    def _run(self, index: int) -> None:
        self._lab.run(index)
        if any(output["output_type"] in {"error", "stream"} for output in self._lab.outputs(index)):
            raise RuntimeError(f"{self._visit.peer.name}: {self._lab.text(index)}")

    def _watch(self, duration_s: float) -> Window:
        page = self._lab.page
        before: dict[str, Any] = page.evaluate(ARRIVED_JS)
        meter, began_s = CpuMeter(self._groups), time.time()
        page.wait_for_timeout(duration_s * 1000)
        ended_s = time.time()
        cpu_percent = meter.percent(ended_s - began_s)
        after: dict[str, Any] = page.evaluate(ARRIVED_JS)
        noted = page.evaluate(TAKE_JS)
        emitted = self._record.between(began_s - _CLOCK_SLACK_S, ended_s)
        seen = [(int(number), float(at_ms)) for number, at_ms in noted["seen"]]
        window = Window.of((began_s, ended_s), seen, noted["drawn"], noted["samples"], emitted, self._job.period_s)
        # What the model spends on its picture is the benchmark's, not the stream's.
        made_s = float(emitted.cpu_s[emitted.at_s >= began_s].sum())
        cpu_percent["kernel"] = max(0.0, cpu_percent["kernel"] - 100 * made_s / (ended_s - began_s))
        window.cpu_percent = cpu_percent
        window.mbps = (after["bytes"] - before["bytes"]) * 8 / (after["at_ms"] - before["at_ms"]) / 1000
        self._result.fidelity.codecs = list(after["codecs"])
        return window

    def _watch_spinning(self) -> Window:
        lab = self._lab
        lab.run(2, wait=False)
        eventually(lambda: lab.kernel_status() == "busy", 5, interval_s=0.02)
        lab.page.wait_for_timeout(BUSY_SETTLE_S * 1000)
        window = self._watch(self._visit.busy_s)
        lab.wait_idle()
        return window

    def _look_closely(self) -> Fidelity:
        picture = self._job.picture()
        found = Fidelity(codecs=self._result.fidelity.codecs)
        for _ in range(GRABS):
            shown = self._grab()
            number = barcode.read(shown)
            if number is None or shown.shape[:2] != (self._job.height_px, self._job.width_px):
                continue
            emitted = picture.frame(number)
            if self._visit.has_patches:
                found.colour_percent.append(fidelity.colour_error_percent(shown, emitted))
            else:
                found.luma_db.append(fidelity.luma_psnr_db(shown, emitted))
                found.block_db.append(fidelity.block_psnr_db(shown, emitted))
        if not found.codecs:
            found.codecs = self._codecs()
        return found

    def _codecs(self) -> list[str]:
        """Of the tracks; of this project's picture over Jupyter by the View's own word, for there is no track."""
        tracks: list[str] = self._lab.page.evaluate(ARRIVED_JS)["codecs"]
        if tracks or not self._visit.peer.is_ours:
            return tracks
        return [str(self._lab.stats()["codec"])]

    def _grab(self) -> NDArray[np.uint8]:
        width_px, height_px, text = self._lab.page.evaluate(GRAB_JS, self._visit.peer.picture)
        pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height_px, width_px, 4)
        return pixels[..., :3]


def _spin(duration_s: float) -> str:
    return f"until_s = time.time() + {duration_s}\nwhile time.time() < until_s:\n    pass"
