"""A server of any front end: started by its command on a free loopback port, ended with everything that it started."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.support.eventually import eventually
from tests.support.jupyterlab import jupyter_environment

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
REPOSITORY = Path(__file__).resolve().parents[2]


def isolated(state: Path) -> dict[str, str]:
    """The environment of a server that finds this checkout and nothing of the user's own Jupyter."""
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    places = {
        "XDG_CONFIG_HOME": state / "xdg-config",
        "XDG_DATA_HOME": state / "xdg",
        "XDG_CACHE_HOME": state / "cache",
    }
    return {**jupyter_environment(state), **{name: str(place) for name, place in places.items()}, "PYTHONPATH": path}


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class WebServer:
    """Runs inside its `with`; `url` says where. Threads: the one that made it.

    Args:
        command: what is run; "{port}" in it stands for the port.
        state: where its folders and its log are made.
        folder: where it runs.
    """

    def __init__(self, command: Sequence[str], state: Path, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [part.replace("{port}", str(self.port)) for part in command]
        self._state = state
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> WebServer:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when it answers; AssertionError when it does not, with the end of its log if it has ended."""
        self._state.mkdir(parents=True, exist_ok=True)
        with (self._state / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=isolated(self._state),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            eventually(self._answers, START_TIMEOUT_S, interval_s=0.1)
        except BaseException:
            self.stop()
            raise

    def log(self) -> str:
        return (self._state / "server.log").read_text(errors="replace")

    def stop(self) -> None:
        """Idempotent; its kernels live in sessions of their own and are ended too."""
        process, self._process = self._process, None
        if process is None:
            return
        started = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for each in started:
            if each.is_running():
                each.kill()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"it ended with {self._process.returncode}:\n{self.log()[-3000:]}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status < 500
        except OSError:
            return False
        finally:
            connection.close()
