"""How often a process that dies is started again, and what is told of its end."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reactor_nb.transport.process.control import Message
from reactor_nb.transport.process.spawn import MediaProcess
from reactor_nb.transport.process.supervisor import CrashLimit, Supervisor
from tests.support.eventually import eventually


def test_crashes_far_apart_are_forgiven() -> None:
    limit = CrashLimit(most=3, window_s=10.0)
    assert not any(limit.crashed(at_s) for at_s in (0.0, 6.0, 12.0, 18.0, 24.0))


def test_the_third_crash_within_the_window_is_one_too_many() -> None:
    limit = CrashLimit(most=3, window_s=10.0)
    assert [limit.crashed(at_s) for at_s in (0.0, 20.0, 25.0, 29.0)] == [False, False, False, True]


class Told:
    """What a supervisor told, in order."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.renewed: list[MediaProcess] = []
        self.given_up: list[str] = []
        self.messages: list[Message] = []

    def crashed(self, how: str) -> None:
        self.ends.append(how)

    def renew(self, process: MediaProcess) -> None:
        self.renewed.append(process)

    def received(self, message: Message) -> None:
        self.messages.append(message)

    def give_up(self, why: str) -> None:
        self.given_up.append(why)


class Programs:
    """Makes media processes that run a text instead; closes what the road to the frames would close."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[MediaProcess] = []

    def __call__(self, text: str) -> Callable[[], MediaProcess]:
        path = self._folder / "media.py"
        path.write_text("import os, socket, sys\ncontrol = socket.socket(fileno=int(sys.argv[1]))\n" + text)

        def make() -> MediaProcess:
            self._made.append(MediaProcess(path))
            return self._made[-1]

        return make

    def close(self) -> None:
        for process in self._made:
            process.frames.close()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Programs]:
    programs = Programs(tmp_path)
    yield programs
    programs.close()


def supervised(make: Callable[[], MediaProcess], told: Told, limit: CrashLimit) -> Supervisor:
    return Supervisor(make(), told, limit, make)


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def test_a_process_that_dies_at_once_is_given_up_with_its_last_words(
    program: Programs,
) -> None:
    before, told = open_descriptors(), Told()
    make = program("print('no codec here', file=sys.stderr)\nsys.exit(7)")
    supervisor = supervised(make, told, CrashLimit(most=3))
    eventually(lambda: told.given_up, timeout_s=10)
    supervisor.close(2.0)
    assert len(told.ends) == 3
    assert len(told.renewed) == 2
    assert "ended with status 7" in told.given_up[0]
    assert "no codec here" in told.given_up[0]
    program.close()
    assert open_descriptors() == before


def test_a_process_that_cannot_be_started_is_given_up_at_once(
    program: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    told = Told()
    supervisor = supervised(program(""), told, CrashLimit())
    eventually(lambda: told.given_up)
    supervisor.close(2.0)
    assert "could not be started" in told.given_up[0]
    assert told.renewed == []


def test_a_process_that_says_what_is_no_message_is_killed(program: Programs) -> None:
    told = Told()
    make = program("control.sendall(b'\\xff' * 64)\ncontrol.recv(1)\ncontrol.recv(1000)\ncontrol.recv(1)")
    supervisor = supervised(make, told, CrashLimit(most=1))
    eventually(lambda: told.given_up, timeout_s=10)
    supervisor.close(2.0)
    assert "ended by signal 9" in told.given_up[0]
    assert "at most" in told.given_up[0]


def test_the_end_is_seen_although_a_fork_holds_the_socket_of_the_process(program: Programs) -> None:
    told = Told()
    make = program("control.recv(1000)\nsys.exit(3)")
    process = make()
    held = process._control_end.dup()  # as a fork does that comes between the making and the start
    supervisor = Supervisor(process, told, CrashLimit(most=1), make)
    eventually(lambda: process.pid)
    process.control.post({"type": "close", "timeout_s": 1.0})
    eventually(lambda: told.given_up, timeout_s=5)
    assert "ended with status 3" in told.given_up[0]
    supervisor.close(2.0)
    held.close()


def test_an_end_that_is_expected_is_no_crash(program: Programs) -> None:
    told = Told()
    make = program("control.recv(1000)")
    process = make()
    supervisor = Supervisor(process, told, CrashLimit(), make)
    eventually(lambda: process.pid)
    supervisor.expect_end()
    os.kill(process.pid, signal.SIGKILL)
    supervisor.close(2.0)
    assert (told.ends, told.renewed, told.given_up) == ([], [], [])


def test_a_process_that_is_ended_just_before_its_kernel_is_not_started_again(program: Programs) -> None:
    told = Told()
    make = program("control.recv(1000)")
    process = make()
    supervisor = Supervisor(process, told, CrashLimit(), make)
    eventually(lambda: process.pid)
    os.kill(process.pid, signal.SIGTERM)
    eventually(lambda: process.was_terminated)
    supervisor.expect_end()
    supervisor.close(2.0)
    assert (told.ends, told.renewed) == ([], [])


def test_a_process_that_is_ended_alone_is_started_again(program: Programs) -> None:
    told = Told()
    make = program("control.recv(1000)")
    process = make()
    supervisor = Supervisor(process, told, CrashLimit(), make)
    eventually(lambda: process.pid)
    os.kill(process.pid, signal.SIGTERM)
    (again,) = eventually(lambda: told.renewed)
    eventually(lambda: again.pid)
    supervisor.expect_end()
    again.kill()
    supervisor.close(2.0)


def test_a_process_that_does_not_end_is_killed_in_time(program: Programs) -> None:
    make = program("import threading\nthreading.Event().wait(60)")
    process = make()
    supervisor = Supervisor(process, Told(), CrashLimit(), make)
    eventually(lambda: process.pid)
    supervisor.expect_end()
    supervisor.close(timeout_s=0.1)
    assert not Path(f"/proc/{process.pid}").exists()
    assert not [thread for thread in threading.enumerate() if thread.name == "reactor-media-link"]
