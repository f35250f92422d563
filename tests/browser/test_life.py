"""What ends with what: cells run again, outputs deleted, tabs closed, kernels restarted and killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.cells import COUNTER, LOAD, RUN
from tests.support.ended import has_ended
from tests.support.eventually import eventually
from tests.support.lab import Lab

pytestmark = pytest.mark.browser

PEERS = "__import__('reactor_nb.runtime.base', fromlist=['x']).get_runtime().link.stats('counter').get('views', 0)"
THREADS = "sorted(t.name for t in __import__('threading').enumerate() if t.name.startswith('reactor-'))"


def test_running_the_cell_again_replaces_the_session_and_keeps_the_model(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_frame(30)
    threads = lab.evaluate(THREADS)
    for _ in range(3):
        lab.run(1)
        lab.run(2)
        lab.wait_for_motion()
    assert lab.evaluate("len(LOADED)") == 1, "equal source: __init__ ran once"
    assert lab.viewers().count() == 1
    eventually(lambda: lab.evaluate(PEERS) == 1, 5)
    assert lab.evaluate(THREADS) == threads


def test_a_changed_source_loads_the_model_anew(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    lab.edit(1, COUNTER.replace("(220, 30, 30)", "(220, 200, 30)").replace("self.number += 1", "self.number += 2"))
    lab.run(1)
    lab.run(2)
    lab.wait_for_motion()
    assert lab.evaluate("len(LOADED)") == 2


def test_stop_keeps_the_model_and_the_start_button_plays_it_again(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_frame(20)
    lab.viewer().get_by_role("button", name="Stop").click()
    expect(lab.viewer()).to_contain_text("ended", ignore_case=True)
    lab.screenshot("ended")
    last = lab.wait_for_frame()
    lab.viewer().get_by_role("button", name="Start").first.click()
    lab.wait_for_frame(last + 10)
    assert lab.evaluate("len(LOADED)") == 1


def test_deleting_the_output_ends_its_peer_and_not_the_session(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    lab.clear_output(2)
    eventually(lambda: lab.evaluate(PEERS) == 0, 5)
    lab.run_new("session = %reactor session\nprint(session.state)")
    assert "streaming" in lab.text(3)


def test_closing_the_tab_ends_the_peer_and_a_reload_brings_the_picture_back(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    lab.save()
    other = lab.second_tab()
    other.wait_for_motion()
    eventually(lambda: lab.evaluate(PEERS) == 2, 5)
    other.close_tab()
    eventually(lambda: lab.evaluate(PEERS) == 1, 15)
    lab.save()
    lab.reload()
    lab.wait_for_motion(timeout_s=30)
    eventually(lambda: lab.evaluate(PEERS) == 1, 15)


def test_a_kernel_restart_is_told_and_the_next_run_plays(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    lab.restart_kernel()
    expect(lab.viewer()).to_contain_text("Run the cell again", timeout=20_000)
    expect(lab.viewer().locator(".reactor-state")).to_have_text("ended")
    lab.screenshot("restarted")
    lab.run_all()
    lab.wait_for_motion()


def test_interrupting_the_kernel_does_not_end_the_session(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN, "import time; time.sleep(60)"])
    lab.run_all(wait=False)
    lab.wait_for_motion()
    lab.interrupt_kernel()
    lab.wait_idle()
    assert "KeyboardInterrupt" in lab.text(3)
    lab.wait_for_motion()


def test_a_killed_kernel_leaves_no_process_port_or_shared_memory(lab: Lab) -> None:
    shared_before = set(os.listdir("/dev/shm")) if Path("/dev/shm").is_dir() else set()
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    pid = lab.kernel_pid()
    children = psutil.Process(pid).children(recursive=True)
    assert children, "the media has a process of its own"
    ports = [udp.laddr.port for child in children for udp in child.net_connections("udp")]
    assert ports, "a peer has its UDP port"
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{pid}/fd").exists(), 10)
    eventually(lambda: all(has_ended(child.pid) for child in children), 3)
    shared = set(os.listdir("/dev/shm")) - shared_before if Path("/dev/shm").is_dir() else set()
    assert not {name for name in shared if "reactor" in name}


def test_unload_ext_ends_everything_and_load_ext_plays_again(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    cell = lab.run_new("%unload_ext reactor_nb")
    assert lab.text(cell) == ""
    eventually(lambda: lab.evaluate(THREADS) == [], 5)
    for each in (0, 1, 2):
        lab.run(each)
    lab.wait_for_motion()
    lab.run_new("%reload_ext reactor_nb")
    lab.run(2)
    lab.wait_for_motion()


def test_two_models_play_side_by_side(lab: Lab) -> None:
    second = COUNTER.replace('name="counter"', 'name="second"').replace("class Counter", "class Second")
    lab.open([LOAD, COUNTER, second, "%reactor run counter", "%reactor run second"])
    lab.run_all()
    lab.wait_for_motion(index=0)
    lab.wait_for_motion(index=1)
    lab.run_new("%reactor send --on second paint blue")
    lab.run_new("%reactor send paint blue")
    assert "--on" in lab.text(6)
    lab.screenshot("two-models")


def test_try_again_plays_the_class_that_was_mended_since(lab: Lab) -> None:
    lab.open([LOAD, COUNTER.replace("LOADED.append(self.__class__)", "1 / 0"), RUN])
    lab.run_all()
    expect(lab.viewer()).to_contain_text("ZeroDivisionError")
    lab.edit(1, COUNTER)
    lab.run(1)
    lab.viewer().get_by_role("button", name="Try again").click()
    lab.wait_for_motion()
    expect(lab.viewer().locator(".reactor-error")).to_be_hidden()


def test_keys_in_the_panel_stay_in_the_panel(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    lab.page.locator(".reactor-controls .noUi-handle").first.focus()
    for key in ("a", "b", "d", "d", "m"):
        lab.page.keyboard.press(key)
    lab.viewer().locator("summary").click()
    lab.viewer().locator(".reactor-log-text").focus()
    lab.page.keyboard.press("d")
    lab.page.keyboard.press("d")
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == 3
    lab.wait_for_motion()


def test_the_status_line_shows_the_size_that_was_emitted(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, "%reactor run --model.width=403 --model.height=301"])
    lab.run_all()
    lab.wait_for_motion()
    expect(lab.viewer()).to_contain_text("403×301")
    assert lab.pixels().shape == (301, 403, 4)


def test_run_all_may_send_while_the_model_still_loads(lab: Lab) -> None:
    slow = COUNTER.replace("        LOADED.append(self.__class__)", "        time.sleep(2)")
    lab.open([LOAD, slow, RUN, "%reactor send set_level 0.75", "1 + 1"])
    lab.run_all()
    assert "0.75" in lab.text(3)
    assert "2" in lab.text(4)
