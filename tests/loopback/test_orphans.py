"""A kernel that is killed, forks, or holds odd files beside its notebook: in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.ended import has_ended
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

ROOT = Path(__file__).resolve().parents[2]

IMPORTS = """
import os, signal, sys, threading, time
from reactor_nb.transport.process.link import ProcessLink
from reactor_nb.media.link import StreamSettings
"""

# A kernel with one stream: says the pid of its media process, then runs what the test adds.
OPENED = """
link = ProcessLink()
sink = link.open_stream("plasma", StreamSettings(rate_fps=30.0))
deadline_s = time.monotonic() + 10
while link.stats("plasma")["is_stale"] and time.monotonic() < deadline_s:
    time.sleep(0.01)
def say(*words): print(*words, flush=True)
say(link.where()["pid"])
"""

StartKernel = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start_kernel(tmp_path: Path) -> Iterator[StartKernel]:
    """Runs a text as a process, in a folder and a group of its own; its whole family ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(text: str) -> subprocess.Popen[str]:
        kernel = subprocess.Popen(
            [sys.executable, "-P", "-c", text],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(kernel)
        return kernel

    yield start
    for kernel in started:
        if kernel.poll() is None:
            for child in psutil.Process(kernel.pid).children(recursive=True):
                child.kill()
            kernel.kill()
            kernel.communicate(timeout=5)
        for pipe in (kernel.stdin, kernel.stdout, kernel.stderr):
            if pipe is not None:
                pipe.close()


def next_line(kernel: subprocess.Popen[str]) -> str:
    assert kernel.stdout is not None
    assert kernel.stderr is not None
    line = kernel.stdout.readline().strip()
    assert line, kernel.stderr.read()
    return line


def wait_until_gone(pid: int) -> None:
    eventually(lambda: has_ended(pid), timeout_s=5, interval_s=0.001)


def test_a_killed_kernel_takes_its_media_process_along(
    start_kernel: StartKernel, record_property: Callable[[str, object], None]
) -> None:
    kernel = start_kernel(IMPORTS + OPENED + "sys.stdin.read()")
    pid = int(next_line(kernel))
    began_s = time.monotonic()
    kernel.kill()
    kernel.wait()
    wait_until_gone(pid)
    record_property("gone_after_ms", round((time.monotonic() - began_s) * 1000))


def test_a_child_of_the_author_that_lives_on_does_not_keep_the_media_process(start_kernel: StartKernel) -> None:
    fork = """
child = os.fork()
if child == 0:
    threading.Event().wait(30)
    os._exit(0)
say(child)
sys.stdin.read()
"""
    kernel = start_kernel(IMPORTS + OPENED + fork)
    pid, child = int(next_line(kernel)), int(next_line(kernel))
    try:
        kernel.kill()
        kernel.wait()
        wait_until_gone(pid)
        assert not has_ended(child), "it holds the kernel's end of every socket, and lives"
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_fork_that_closes_its_copy_of_the_link_ends_nothing_of_its_parent(start_kernel: StartKernel) -> None:
    fork = """
child = os.fork()
if child == 0:
    link.close()
    os._exit(0)
os.waitpid(child, 0)
say(link.stats("plasma")["is_stale"], link.where()["restarts"])
link.close()
"""
    kernel = start_kernel(IMPORTS + OPENED + fork)
    next_line(kernel)
    assert next_line(kernel) == "False 0"


PLAYER = """
import numpy as np, os, sys, time
import reactor_nb
from reactor_nb import VideoModel, get_ctx, model

@model(name="plain")
class Plain(VideoModel):
    def __init__(self, config): pass
    def start_session(self):
        while not get_ctx().should_stop():
            get_ctx().emit_block(np.zeros((48, 64, 3), np.uint8))

def say(*words): print(*words, flush=True)
session = reactor_nb.run(Plain, overrides={"fps": 200})
say(session.wait(10, frames=10))
def plays_on():
    before, deadline_s = session.stats()["played"], time.monotonic() + 10
    while session.stats()["played"] < before + 300 and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return session.stats()["played"] >= before + 300
say(plays_on())
"""


@pytest.mark.parametrize(
    "in_the_child",
    ["", "session.stop()", "reactor_nb.run(Plain).wait(10, frames=5)"],
    ids=["exits", "stops", "plays one of its own"],
)
def test_a_fork_of_the_author_that_exits_leaves_its_parent_playing(
    in_the_child: str, start_kernel: StartKernel, tmp_path: Path
) -> None:
    # A file, for the source of the class is read.
    fork = f"""
child = os.fork()
if child == 0:
    {in_the_child or "pass"}
    sys.exit(0)
os.waitpid(child, 0)
say(plays_on())
session.stop()
"""
    (tmp_path / "player.py").write_text(PLAYER + fork)
    kernel = start_kernel("import runpy; runpy.run_path('player.py')")
    assert [next_line(kernel) for _ in range(3)] == ["True", "True", "True"]
    assert kernel.wait(10) == 0


def test_an_interrupt_does_not_reach_it(start_kernel: StartKernel) -> None:
    interrupt = """
signal.signal(signal.SIGINT, lambda number, frame: say("interrupted"))
os.killpg(os.getpgid(0), signal.SIGINT)
os.kill(link.where()["pid"], signal.SIGINT)
say(link.stats("plasma")["is_stale"], link.where()["restarts"])
link.close()
"""
    kernel = start_kernel(IMPORTS + OPENED + interrupt)
    next_line(kernel)
    assert [next_line(kernel), next_line(kernel)] == ["interrupted", "False 0"]


def test_files_beside_the_notebook_hide_no_library(start_kernel: StartKernel, tmp_path: Path) -> None:
    for name in ("queue.py", "socket.py", "numpy.py", "av.py", "reactor_nb.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise RuntimeError('a file of the author was imported')")
    # As in a notebook: its folder comes first, and what was imported before stays.
    on_the_path = f"sys.path[:0] = ['', {str(tmp_path)!r}]"
    kernel = start_kernel(IMPORTS + on_the_path + OPENED + "say(link.where()['media'], link.where()['restarts'])")
    next_line(kernel)
    assert next_line(kernel) == "process 0"


def test_what_only_the_kernel_can_find_is_found_there_as_well(start_kernel: StartKernel, tmp_path: Path) -> None:
    text = f"import sys\nsys.path.append({str(ROOT)!r})" + IMPORTS + OPENED
    kernel = start_kernel("import os\ndel os.environ['PYTHONPATH']\n" + text + "say(link.where()['media'])")
    next_line(kernel)
    assert next_line(kernel) == "process"


def test_an_exit_without_a_close_leaves_no_process_and_says_nothing(start_kernel: StartKernel) -> None:
    kernel = start_kernel(IMPORTS + OPENED)
    pid = int(next_line(kernel))
    assert kernel.communicate(timeout=10) == ("", "")
    assert kernel.returncode == 0
    wait_until_gone(pid)
