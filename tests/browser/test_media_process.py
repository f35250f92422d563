"""The process beside the kernel: what a person notices when it dies (little), and that it keeps to itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.cells import COUNTER, LOAD, RUN
from tests.support.eventually import eventually
from tests.support.lab import Lab

pytestmark = pytest.mark.browser

RUNTIME = "__import__('reactor_nb.runtime.base', fromlist=['x']).get_runtime()"


def where(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = lab.evaluate(f"{RUNTIME}.link.where()")
    return found


def test_a_killed_media_process_comes_back_while_the_model_counts_on(
    lab: Lab, record_property: Callable[[str, object], None]
) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    pid = where(lab)["pid"]
    session_id = lab.evaluate(f"{RUNTIME}.session().id")
    produced = lab.evaluate(f"{RUNTIME}.session().stats()['produced']")
    os.kill(pid, signal.SIGKILL)
    killed_s = time.monotonic()
    # Those frames were made after the process had died.
    lab.wait_for_frame(produced + 10)
    back_s = time.monotonic() - killed_s
    record_property("picture_back_ms", round(back_s * 1000))
    assert back_s < 5
    lab.wait_for_motion()
    now = where(lab)
    assert (now["media"], now["restarts"]) == ("process", 1)
    assert now["pid"] != pid
    assert lab.evaluate(f"{RUNTIME}.session().id") == session_id
    assert lab.evaluate(f"{RUNTIME}.session().stats()['produced']") > produced
    assert "ended by signal 9" in lab.evaluate(f"{RUNTIME}.session().log.text()")
    assert [lab.text(cell) for cell in (0, 1)] == ["", ""], "nothing is printed into a cell"
    lab.page.locator(".reactor-controls .widget-toggle-button", has_text="blue").first.click()
    eventually(lambda: lab.evaluate(f"{RUNTIME}.session().loaded.instance.colour") == "blue", 5)
    assert lab.call("set_level", {"level": 0.25}) == 0.25
    assert lab.errors_of_ours() == []


def test_a_media_process_that_dies_again_and_again_leaves_the_picture_to_threads(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    for killed in range(3):
        pid = where(lab)["pid"]
        os.kill(pid, signal.SIGKILL)
        eventually(lambda pid=pid: where(lab)["pid"] not in (0, pid), 5)  # type: ignore[misc]
        assert where(lab)["media"] == ("threads" if killed == 2 else "process")
    lab.wait_for_motion()
    now = where(lab)
    assert "signal 9" in now["why"]
    assert now["pid"] == lab.kernel_pid()


def test_an_interrupt_of_the_kernel_does_not_reach_the_media_process(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN, "import time; time.sleep(60)"])
    for cell in (0, 1, 2):
        lab.run(cell)
    lab.wait_for_motion()
    pid = where(lab)["pid"]
    lab.run(3, wait=False)
    lab.wait_for_motion()
    lab.interrupt_kernel()
    lab.wait_idle()
    assert "KeyboardInterrupt" in lab.text(3)
    lab.wait_for_motion()
    assert (where(lab)["pid"], where(lab)["restarts"]) == (pid, 0)


def test_one_media_process_serves_every_model(lab: Lab) -> None:
    second = COUNTER.replace('name="counter"', 'name="second"').replace("class Counter", "class Second")
    lab.open([LOAD, COUNTER, second, "%reactor run counter", "%reactor run second"])
    lab.run_all()
    lab.wait_for_motion(index=0)
    lab.wait_for_motion(index=1)
    pid = lab.kernel_pid()
    children = lab.evaluate(f"[c.pid for c in __import__('psutil').Process({pid}).children(recursive=True)]")
    assert children == [where(lab)["pid"]]


def test_the_picture_plays_on_while_a_cell_spins_in_pure_python(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN, "import time\nend = time.time() + 4\nwhile time.time() < end: pass"])
    for cell in (0, 1, 2):
        lab.run(cell)
    eventually(lambda: lab.stats()["carrier"] == "WebRTC", 30, interval_s=0.1)
    lab.run(3, wait=False)
    eventually(lambda: lab.page.locator(".jp-InputPrompt", has_text="[*]").count() > 0, 5)
    first, began_s = lab.wait_for_frame(), time.monotonic()
    last = lab.wait_for_frame(first + 45)
    rate_fps = (last - first) / (time.monotonic() - began_s)
    assert lab.page.locator(".jp-InputPrompt", has_text="[*]").count() > 0, "the cell must still spin"
    assert rate_fps > 14, "on threads of the kernel it would be 9"
