"""Starts one media process: which descriptors it gets, in which environment, and how it is waited for."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from reactor_nb.errors import ReactorError
from reactor_nb.transport.process.channel import Channel
from reactor_nb.transport.process.control import TO_KERNEL, TO_MEDIA, Message

SYS_PATH_VARIABLE = "_REACTOR_NB_SYS_PATH"
NO_DESCRIPTOR = -1

MAIN = Path(__file__).with_name("__main__.py")
_TOLD_LINES = 12


def missing() -> str:
    """What this system lacks for a media process; empty when it has all."""
    needed = ((os, "memfd_create"), (os, "posix_fallocate"), (socket, "SOCK_SEQPACKET"), (socket, "send_fds"))
    for owner, name in needed:
        if not hasattr(owner, name):
            return f"{sys.platform} has no {name}"
    return "" if sys.executable else "sys.executable is not known"


class MediaProcess:
    """One process, its control channel, and the kernel's end of the frame socket, which is the FrameRoad's own.

    Both take what is sent from the beginning; the process finds it there when it has started. It is
    `python -P .../process/__main__.py`, never a fork. It has a session of its own, so Jupyter's interrupt does not
    reach it; stdin is empty, and what it prints goes to a memory file, of which the last lines are told when
    it crashes.

    Args:
        main, more: another program to run, and what it is given after the three descriptors.
    Raises:
        OSError: there is no descriptor left, or no memory.
    Threads: any.
    """

    def __init__(self, main: Path = MAIN, *more: str) -> None:
        self._command = (sys.executable, "-P", str(main)), more
        with contextlib.ExitStack() as undo:
            self._log = os.memfd_create("reactor-nb-log", os.MFD_CLOEXEC)
            undo.callback(os.close, self._log)
            fcntl.fcntl(self._log, fcntl.F_SETFL, os.O_APPEND)
            ours, self._control_end = _pair(undo, socket.SOCK_STREAM)
            self.frames, self._frames_end = _pair(undo, socket.SOCK_SEQPACKET)
            undo.pop_all()
        self.control = Channel(ours, TO_MEDIA, TO_KERNEL)
        self._popen: subprocess.Popen[bytes] | None = None
        self._pidfd = NO_DESCRIPTOR

    def start(self) -> None:
        """Start it.

        Raises:
            ReactorError: the system refused.
        """
        parent = _pidfd(os.getpid())
        program, more = self._command
        given = (self._control_end.fileno(), self._frames_end.fileno(), parent)
        try:
            self._popen = subprocess.Popen(
                [*program, *map(str, given), *more],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                close_fds=True,
                pass_fds=[each for each in given if each != NO_DESCRIPTOR],
                start_new_session=True,
                cwd="/",
                env=_environment(),
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise ReactorError(f"The media process could not be started: {error}.") from error
        finally:
            self._close_their_ends()
            if parent != NO_DESCRIPTOR:
                os.close(parent)
        self._pidfd = _pidfd(self._popen.pid)

    def receive(self) -> Message | None:
        """What it says next; None when it has ended.

        Raises:
            MessageError: it said what is no message.
        """
        return self.control.receive(self._pidfd)

    @property
    def pid(self) -> int:
        """0 before the start."""
        return self._popen.pid if self._popen is not None else 0

    def kill(self) -> None:
        """End it at once. Idempotent."""
        if self._popen is not None:
            self._popen.kill()

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end, so that no zombie stays; whether it has ended."""
        if self._popen is None:
            return True
        try:
            self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def was_terminated(self) -> bool:
        """Somebody asked it to end, by the signal that is meant for that."""
        return self._popen is not None and self._popen.poll() == -signal.SIGTERM

    def epitaph(self) -> str:
        """How it ended, with the last lines that it printed."""
        code = self._popen.poll() if self._popen is not None else None
        how = "still runs" if code is None else f"ended with status {code}" if code >= 0 else f"ended by signal {-code}"
        size = os.fstat(self._log).st_size
        printed = os.pread(self._log, 16 * 1024, max(0, size - 16 * 1024)).decode(errors="replace").strip()
        last = "\n".join(printed.splitlines()[-_TOLD_LINES:])
        return f"The media process {self.pid} {how}." + (f" It printed last:\n{last}" if last else "")

    def close(self, timeout_s: float = 1.0) -> None:
        """Kill it unless it has ended, reap it, close every descriptor. Idempotent.

        Threads: not while another thread receives from `control`.
        """
        if self._log == NO_DESCRIPTOR:
            return
        if not self.wait(timeout_s):
            self.kill()
            self.wait(timeout_s=2.0)
        self._close_their_ends()
        self.control.close(timeout_s=0.0)
        if self._pidfd != NO_DESCRIPTOR:
            os.close(self._pidfd)
        os.close(self._log)
        self._log = NO_DESCRIPTOR

    def _close_their_ends(self) -> None:
        self._control_end.close()
        self._frames_end.close()


def _pair(undo: contextlib.ExitStack, kind: int) -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    undo.callback(ours.close)
    undo.callback(theirs.close)
    return ours, theirs


def _environment() -> dict[str, str]:
    """The kernel's own, with all that it can import last, so that no file of the user's hides a library's."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONINSPECT", "PYTHONSTARTUP")}
    environment["PYTHONSAFEPATH"] = "1"
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start a thread for every core, for nothing
    own = [str(Path(entry).absolute()) for entry in sys.path if entry]
    environment[SYS_PATH_VARIABLE] = json.dumps([str(MAIN.parents[3]), *own])
    return environment


def _pidfd(pid: int) -> int:
    # Of the kernel it is opened here and inherited: looked up in the child, the number may be somebody else's by then.
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return NO_DESCRIPTOR
