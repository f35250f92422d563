"""A real JupyterLab on a free loopback port, with its token on and every Jupyter folder its own.

Used by the browser tests and by `make demo`; imports the standard library only.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0

SERVER_CONFIG: dict[str, Any] = {
    "LabApp": {
        # Both contact public servers otherwise.
        "news_url": None,
        "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "extension_manager": "readonly",
    },
    "ServerApp": {"ip": "127.0.0.1", "open_browser": False, "answer_yes": True},
}
_APPS = {"jupyterlab": "LabApp", "notebook": "JupyterNotebookApp"}
SETTINGS: dict[str, dict[str, Any]] = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    "extensionmanager-extension/plugin": {"enabled": False},
}


def jupyter_environment(folder: Path) -> dict[str, str]:
    """The environment of a JupyterLab that reads and writes nothing of this user's own Jupyter or IPython.

    Makes the folders and writes the configuration into them. A kernel specification of the user's that
    is called python3 would otherwise shadow the environment's.
    """
    folder = folder.resolve()
    config = folder / "config"
    places = {
        "JUPYTER_CONFIG_DIR": config,
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": config / "lab" / "user-settings",
        "JUPYTERLAB_WORKSPACES_DIR": config / "lab" / "workspaces",
        "IPYTHONDIR": folder / "ipython",
    }
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    for application in ("lab", "notebook"):
        (config / f"jupyter_{application}_config.json").write_text(json.dumps(SERVER_CONFIG, indent=1))
    for name, values in SETTINGS.items():
        settings = places["JUPYTERLAB_SETTINGS_DIR"] / "@jupyterlab" / f"{name}.jupyterlab-settings"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(json.dumps(values))
    env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "JPY_"))}
    return {**env, "JUPYTER_PREFER_ENV_PATH": "1", **{name: str(place) for name, place in places.items()}}


@dataclass
class JupyterLab:
    """One server in a session of its own: `start()`, `url`, `token`, `stop()` (kernels included).

    Args:
        root: the folder that it shows.
        state: where its own folders are made.
        port: 0 takes a free one.
        python: the environment that the server and its kernels run in.
        application: the module that is run: jupyterlab, or notebook for Notebook 7.
    Threads: the one that made it.
    """

    root: Path
    state: Path
    port: int = 0
    python: str = sys.executable
    application: str = "jupyterlab"
    ip: str = "127.0.0.1"
    """The one address that it listens on."""
    base_url: str = "/"
    """What JupyterHub gives to each user's server: "/user/ada/"."""
    exposes_app: bool = False
    """Puts the application on `window.jupyterapp`, for tests."""
    token: str = field(default_factory=lambda: secrets.token_hex(24))
    env: dict[str, str] = field(default_factory=dict)
    """Added to the environment of the server and so of its kernels."""
    url: str = ""
    _process: subprocess.Popen[bytes] | None = None
    _log: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "start() comes first"
        return self._process.pid

    @property
    def runtime_folder(self) -> Path:
        return self.state.resolve() / "runtime"

    def start(self) -> None:
        """Returns when the server answers; RuntimeError with the end of its log when it does not."""
        env = {**jupyter_environment(self.state), "JUPYTER_TOKEN": self.token, **self.env}
        command = [
            *(self.python, "-m", self.application),
            f"--ServerApp.root_dir={self.root.resolve()}",
            f"--ServerApp.port={self.port}",
            f"--ServerApp.ip={self.ip}",
            f"--ServerApp.base_url={self.base_url}",
            *([f"--{_APPS[self.application]}.expose_app_in_browser=True"] if self.exposes_app else []),
            *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        ]
        for stale in self.runtime_folder.glob("jpserver-*"):
            stale.unlink()
        self._log = (self.state / "server.log").open("wb")
        self._process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True
        )
        try:
            self.url = self._wait_for_address()
        except BaseException:
            self.stop()
            raise

    def _wait_for_address(self) -> str:
        assert self._process is not None
        info_file = self.runtime_folder / f"jpserver-{self._process.pid}.json"
        deadline_s = time.monotonic() + START_TIMEOUT_S
        pause = threading.Event()
        while time.monotonic() < deadline_s and self._process.poll() is None:
            if info_file.exists() and (url := self._answering_address(info_file)):
                return url
            pause.wait(0.1)
        log = (self.state / "server.log").read_text(errors="replace")[-3000:]
        raise RuntimeError(f"JupyterLab did not start within {START_TIMEOUT_S:g} s. The end of its log:\n{log}")

    def _answering_address(self, info_file: Path) -> str | None:
        try:
            port = json.loads(info_file.read_text())["port"]
            url = f"http://{self.ip}:{port}{self.base_url.rstrip('/')}"
            request = urllib.request.Request(f"{url}/api/status", headers={"Authorization": f"token {self.token}"})
            with urllib.request.urlopen(request, timeout=5):
                return url
        except (ValueError, urllib.error.URLError, ConnectionError):
            return None

    def address_of(self, notebook: str) -> str:
        """What to type into a browser to open `notebook`, a path below `root`."""
        return f"{self.url}/lab/tree/{notebook}?token={self.token}"

    def wait(self) -> None:
        """Until the server ends."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Ends the server and its kernels, which live in sessions of their own. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            kernels = _descendants(process.pid)
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for kernel in kernels:
                if kernel.is_running():
                    kernel.kill()
        if self._log is not None:
            self._log.close()
            self._log = None


def _descendants(pid: int) -> list[Any]:
    """With their start times, so that a number taken again is not killed. ipykernel brings psutil."""
    import psutil

    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []
