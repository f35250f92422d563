"""The prompt in a real terminal: a live line, completion, history, and the way out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_WHERE = "\x1b[6n"
"""A program asks where the cursor is."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[=>]")


class Terminal:
    """A process on a pseudo terminal of 100x30; what it has written so far, without escapes."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "XDG_STATE_HOME": str(folder / "state")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reactor_nb", *words],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.text = ""

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, text: str, timeout_s: float = 10.0) -> None:
        """Read on until `text` was written since the last one that was waited for."""
        if not self.has_come(text, timeout_s):
            pytest.fail(f"{text!r} did not come; the terminal shows:\n{self.text[-3000:]}", pytrace=False)

    def has_come(self, text: str, timeout_s: float) -> bool:
        deadline_s = time.monotonic() + timeout_s
        while text not in self.text:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not self.is_readable(left_s) or not self.read():
                return False
        self.text = self.text.partition(text)[2]
        return True

    def read(self) -> bool:
        """Take what was written, and answer as a terminal does; whether the other end is open."""
        try:
            text = os.read(self._master, 65536).decode(errors="replace")
        except OSError:
            return False
        if _WHERE in text:
            self.type("\x1b[1;1R")
        self.text += _ESCAPES.sub("", text)
        return bool(text)

    def is_readable(self, timeout_s: float) -> bool:
        return bool(select.select([self._master], [], [], timeout_s)[0])

    def end(self) -> int:
        """Its exit status."""
        while self.read():
            pass
        return self.process.wait(10)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        os.close(self._master)


@pytest.fixture
def terminal(project: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*words: str) -> Terminal:
        opened.append(Terminal(project, *words))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_orders_are_taken_with_a_live_line_under_the_prompt(terminal: Callable[..., Terminal], project: Path) -> None:
    shell = terminal("run")
    shell.wait_for("plasma  not started")
    shell.type("start\r")
    shell.wait_for("[OK] plasma plays")
    # Of a line that changes only what differs is written; an empty order has it written whole.
    while not shell.has_come("plasma  streaming", 2.0):
        shell.type("\r")
    shell.wait_for(" fps")
    shell.type('cmd set_level {"level": 3}\r')
    shell.wait_for('[RESULT] {"level": 3}')
    shell.type("quit\r")
    shell.wait_for("[OK] plasma has ended")
    assert shell.end() == 0
    assert "cmd set_level" in (project / "state" / "reactor" / "history").read_text()


def test_tab_completes_orders_and_commands(terminal: Callable[..., Terminal]) -> None:
    shell = terminal("run")
    shell.wait_for("plasma  not started")
    shell.type("cmd se")
    shell.wait_for("How bright")
    shell.type("\t ")
    shell.wait_for('{"level": 0}')
    shell.type("\t\r")
    shell.wait_for("[ERROR] plasma does not play. Type: start")
    shell.wait_for("plasma  not started")
    shell.type("\x04")
    assert shell.end() == 0


def test_ctrl_c_clears_the_line_and_ends_a_wait_and_not_the_session(terminal: Callable[..., Terminal]) -> None:
    shell = terminal("run")
    shell.wait_for("plasma  not started")
    shell.type("garbage\x03start\r")
    shell.wait_for("[OK] plasma plays")
    shell.type("wait 1h\r")
    shell.wait_for("[OK] waiting for 3600 s")
    shell.type("\x03")
    shell.wait_for("[WARN] not waited for any more; the model goes on. Type: stop")
    shell.wait_for("plasma  streaming")
    shell.type("status\r")
    shell.wait_for("[OK] plasma  streaming")
    shell.wait_for("plasma  streaming")
    shell.type("\x04")
    assert shell.end() == 0


def test_a_driven_run_shows_a_live_line_and_takes_it_away(terminal: Callable[..., Terminal]) -> None:
    run = terminal("run", "--for", "1s", "--out", "clip.mp4")
    run.wait_for("plasma  streaming")
    run.wait_for("clip.mp4: ")
    run.wait_for("fps")
    assert run.end() == 0
