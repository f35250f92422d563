"""A long run over the rungs of the ladder, with reloads and cuts at random.

`python -m tests.benchmarks.soak --rungs`. Every rung has a kernel and a tab of its own; all share the server, the
browser and the network. Does anything grow, and is the picture back each time? Counts are compared between the calm
at the beginning and the calm at the end.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as PlaywrightError

from tests.benchmarks.disturbances import CALM_S, Disturbance
from tests.benchmarks.model_loop import Job
from tests.benchmarks.peers import Peer, start_cell
from tests.benchmarks.processes import groups_of, media_processes, memory_mb
from tests.benchmarks.record import FrameRecord
from tests.benchmarks.roads import Place
from tests.benchmarks.subshells import Subshells
from tests.support.eventually import eventually
from tests.support.lab import Lab

EVERY_S = 10.0
BACK_FRAMES = 3
BACK_TIMEOUT_S = 45.0

# How long the picture stands still at most; and the frames painted, which begin anew with the document.
_WATCH_JS = """(root) => {
  const still = (window.__still = { last_ms: performance.now(), longest_ms: 0 });
  root.reactor.onframe = () => {
    const now_ms = performance.now();
    still.longest_ms = Math.max(still.longest_ms, now_ms - still.last_ms);
    still.last_ms = now_ms;
  };
}"""
_STILL_JS = "Math.max(window.__still.longest_ms, performance.now() - window.__still.last_ms)"


@dataclass
class Soaked:
    """What one rung did in a run. Times in s; `still_s`: the longest that the picture stood, by what happened."""

    rung: str
    at_s: list[float] = field(default_factory=list)
    series: dict[str, list[float]] = field(default_factory=dict)
    calm: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Counts in the calm at the beginning, and at the end."""
    still_s: dict[str, list[float]] = field(default_factory=dict)
    reload_s: list[float] = field(default_factory=list)
    """From the notebook being open and connected again to the third painted frame."""
    lost: list[str] = field(default_factory=list)
    """Disturbances after which the picture was not back within 45 s."""
    errors: list[str] = field(default_factory=list)
    """What the page's console said of the viewer."""
    painted: int = 0
    rate_fps: float = 0.0
    seen_on: set[str] = field(default_factory=set)
    """The rungs that the View named."""


@dataclass
class Shared:
    """What the rungs of a run have in common."""

    at_s: list[float] = field(default_factory=list)
    series: dict[str, list[float]] = field(default_factory=dict)


class Tab:
    """One rung in a kernel and a tab of its own. Threads: playwright's."""

    def __init__(self, place: Place, context: BrowserContext, rung: Peer, job: Job) -> None:
        self.lab = Lab(place.server, context)
        self.found = Soaked(rung.name)
        self._start(rung, job)
        self._devtools = context.new_cdp_session(self.lab.page)
        self._kernel = psutil.Process(self.lab.kernel_pid())
        self._subshells = Subshells(place.server.runtime_folder / f"kernel-{self.lab.kernel_id}.json")
        self._watch()

    def _start(self, rung: Peer, job: Job) -> None:
        lab = self.lab
        prepare = f"{rung.prepare}\nfrom tests.benchmarks import kernel_side\nkernel_side.prepare({job.as_text()!r})"
        lab.open([prepare, start_cell(rung, job, None)])
        lab.run(0)
        lab.run(1)
        if lab.text(0) or any(output["output_type"] == "error" for output in lab.outputs(1)):
            raise RuntimeError(lab.text(0) + lab.text(1))
        lab.wait_for_motion(timeout_s=BACK_TIMEOUT_S)
        # A reloaded page shows what the file holds.
        lab.save()

    def _watch(self) -> None:
        self.lab.viewer().evaluate(_WATCH_JS)

    def painted(self) -> int:
        stats = self.lab.stats()
        return int(stats["painted"]) if stats else 0

    def sample(self, at_s: float) -> str:
        """Add to the series; a line for people."""
        self._devtools.send("Performance.enable")
        self._devtools.send("HeapProfiler.collectGarbage")
        metrics = {each["name"]: each["value"] for each in self._devtools.send("Performance.getMetrics")["metrics"]}
        media = media_processes(self._kernel.pid)
        values = {
            "kernel, MB": memory_mb([self._kernel]),
            "media process, MB": memory_mb(media),
            "page's own heap, MB": metrics["JSHeapUsedSize"] / 1e6,
            **self.counts(),
            "page, DOM nodes": float(metrics["Nodes"]),
            "page, listeners": float(metrics["JSEventListeners"]),
        }
        self.found.at_s.append(at_s)
        for name, value in values.items():
            self.found.series.setdefault(name, []).append(value)
        stats = self.lab.stats() or {}
        if carrier := stats.get("carrier"):
            self.found.seen_on.add(str(carrier))
        told = " ".join(f"{value:.0f}" for value in values.values())
        return f"{self.found.rung}: {told} ({carrier or stats.get('phase')}, {stats.get('rate_fps') or 0:.0f} fps)"

    def counts(self) -> dict[str, float]:
        alive: dict[str, Any] = self.lab.evaluate("kernel_side.alive('bench')")
        media = media_processes(self._kernel.pid)
        return {
            "kernel, threads": float(self._kernel.num_threads()),
            "kernel, open files": float(self._kernel.num_fds()),
            "media process, threads": float(sum(process.num_threads() for process in media)),
            "media process, open files": float(sum(process.num_fds() for process in media)),
            **{name: float(count) for name, count in alive.items()},
        }

    def begin_still(self) -> None:
        self.lab.page.evaluate("() => { Object.assign(window.__still, { last_ms: performance.now(), longest_ms: 0 }) }")

    def end_still(self, kind: str) -> None:
        self.found.still_s.setdefault(kind, []).append(self.lab.page.evaluate(_STILL_JS) / 1000)

    def reload(self) -> None:
        """Reload the page; returns when it is open again."""
        self.found.painted += self.painted()
        left = self._subshells.all()
        self.lab.reload()
        self._subshells.end(left)
        eventually(lambda: self.lab.viewers().count() > 0, BACK_TIMEOUT_S, interval_s=0.02)
        self._watch()

    def close(self, run_s: float) -> None:
        self.found.rate_fps = (self.found.painted + self.painted()) / run_s
        self.found.errors = self.lab.errors_of_ours()
        self._subshells.close()
        self.lab.close()


class Soak:
    """A run over some rungs at once. Threads: playwright's."""

    def __init__(self, place: Place, contexts: Sequence[BrowserContext], rungs: Sequence[Peer], jobs: Sequence[Job]):
        self._place = place
        self.shared = Shared()
        self.tabs: list[Tab] = []
        for context, rung, job in zip(contexts, rungs, jobs, strict=True):
            self.tabs.append(Tab(place, context, rung, job))

    def run(self, run_s: float, events: Sequence[Disturbance]) -> list[Soaked]:
        """Returns what each rung did, in their order."""
        began_s = time.monotonic()
        waiting = list(events)
        first: list[dict[str, float]] = []
        next_sample_s = 0.0
        while (now_s := time.monotonic() - began_s) < run_s:
            # A slow machine falls behind: the calm at the end stays calm.
            due_s = waiting[0].at_s if waiting and now_s < run_s - CALM_S else run_s
            if not first and now_s >= CALM_S / 2:
                first = [tab.counts() for tab in self.tabs]
            elif now_s >= next_sample_s and next_sample_s <= due_s:
                self._sample(now_s)
                next_sample_s += EVERY_S
            elif now_s >= due_s:
                self._disturb(waiting.pop(0), now_s)
            else:
                self.tabs[0].lab.page.wait_for_timeout(100)
        for tab, before in zip(self.tabs, first, strict=True):
            after = tab.counts()
            tab.found.calm = {name: (count, after[name]) for name, count in before.items()}
            tab.close(time.monotonic() - began_s)
        return [tab.found for tab in self.tabs]

    def _sample(self, now_s: float) -> None:
        lines = [tab.sample(now_s) for tab in self.tabs]
        pid = self._place.server.pid
        self.shared.at_s.append(now_s)
        browser = memory_mb(groups_of(pid, pid)["browser"])
        for name, value in {"server, MB": memory_mb([psutil.Process(pid)]), "browser, MB": browser}.items():
            self.shared.series.setdefault(name, []).append(value)
        told = " | ".join([*lines, *(f"{name} {values[-1]:.0f}" for name, values in self.shared.series.items())])
        print(f"{now_s:6.0f} s  {told}", flush=True)

    def _disturb(self, event: Disturbance, now_s: float) -> None:
        print(f"{now_s:6.0f} s  {event.kind} {event.rung} {event.duration_s:.1f}", flush=True)
        if event.kind == "reload":
            (tab,) = [tab for tab in self.tabs if tab.found.rung == event.rung]
            self._reload(tab)
            return
        namespace = self._place.namespace
        assert namespace is not None, "cuts need a namespace"
        for tab in self.tabs:
            tab.begin_still()
        (namespace.drop_udp if event.kind == "no UDP" else namespace.drop_all)()
        try:
            self.tabs[0].lab.page.wait_for_timeout(event.duration_s * 1000)
        finally:
            namespace.pass_all()
        self._await_all(event.kind)

    def _reload(self, tab: Tab) -> None:
        try:
            tab.reload()
            began_s = time.monotonic()
            eventually(lambda: tab.painted() >= BACK_FRAMES, BACK_TIMEOUT_S, interval_s=0.02)
            tab.found.reload_s.append(time.monotonic() - began_s)
        except (AssertionError, PlaywrightError) as error:
            tab.found.lost.append(f"reload: {str(error).partition(chr(10))[0]}")

    def _await_all(self, kind: str) -> None:
        """Until every picture has moved on, or long enough."""
        waiting = {id(tab): (tab, tab.painted() + BACK_FRAMES) for tab in self.tabs}
        deadline_s = time.monotonic() + BACK_TIMEOUT_S
        while waiting and time.monotonic() < deadline_s:
            for key, (tab, wanted) in list(waiting.items()):
                if tab.painted() >= wanted:
                    tab.end_still(kind)
                    del waiting[key]
            self.tabs[0].lab.page.wait_for_timeout(20)
        for tab, _ in waiting.values():
            tab.found.lost.append(f"{kind}: no picture within {BACK_TIMEOUT_S:.0f} s")


def job_of(folder: Path, rung: Peer, size: tuple[int, int], rate_fps: float) -> Job:
    record = FrameRecord(folder / f"{rung.carrier}.bin", is_new=True)
    return Job(*size, str(record.path), rate_fps)
