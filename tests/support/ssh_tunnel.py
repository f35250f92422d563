"""`ssh -L` as people type it: a real sshd on one machine, a real ssh on the other, keys of their own.

Nothing of this user's ssh is read or written. The server accepts one key and forwards to one address only.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.network import Namespace

START_TIMEOUT_S = 10.0
SSHD_PORT = 2222


def why_no_ssh() -> str:
    """Empty where both ends can be run, else what is missing."""
    for command, package in (("sshd", "openssh-server"), ("ssh", "openssh-client"), ("ssh-keygen", "openssh-client")):
        if shutil.which(command) is None:
            return f"no `{command}` on PATH; type: apt-get install {package}"
    return ""


class SshTunnel:
    """`ssh -L port:target host`, typed in `namespace`: there, localhost:`port` is `target`.

    Args:
        host: an address of this machine that the namespace reaches; the server listens there.
        target: host:port, as this machine sees it.
        folder: for keys, configuration and logs.
    Raises:
        AssertionError: it does not forward within START_TIMEOUT_S; the message ends with both logs.
    Threads: the one that made it. `close()` ends both processes; idempotent.
    """

    def __init__(self, namespace: Namespace, host: str, target: str, port: int, folder: Path) -> None:
        self._namespace, self._folder = namespace, folder
        self.port = port
        self._processes: list[subprocess.Popen[bytes]] = []
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True, timeout=20)
        # Where the server's unprivileged half is locked up; Debian makes it when the service starts.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        (folder / "sshd_config").write_text(
            f"ListenAddress {host}:{SSHD_PORT}\n"
            f"HostKey {folder}/host\n"
            f"AuthorizedKeysFile {folder}/user.pub\n"
            f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"PermitRootLogin prohibit-password\nAllowTcpForwarding local\nPermitOpen {target}\nForceCommand false\n"
        )
        host_key = (folder / "host.pub").read_text()
        (folder / "known_hosts").write_text(f"[{host}]:{SSHD_PORT} {host_key}")
        try:
            self._start("sshd", [shutil.which("sshd") or "", "-D", "-e", "-f", str(folder / "sshd_config")])
            options = [f"UserKnownHostsFile={folder}/known_hosts", "IdentitiesOnly=yes", "ExitOnForwardFailure=yes"]
            ssh = ["ssh", "-F", "none", "-N", "-i", f"{folder}/user", *(f"-o{option}" for option in options)]
            way = [f"-Llocalhost:{port}:{target}", f"-p{SSHD_PORT}", f"{pwd.getpwuid(os.getuid()).pw_name}@{host}"]
            eventually(lambda: self._is_listening(host, SSHD_PORT), START_TIMEOUT_S)
            self._start("ssh", namespace.command(*ssh, *way))
            eventually(lambda: self._is_forwarding(), START_TIMEOUT_S)
        except AssertionError:
            self.close()
            logs = "".join(f"\n{log.name}:\n{log.read_text()}" for log in sorted(folder.glob("*.log")))
            raise AssertionError(f"ssh -L does not forward.{logs}") from None
        except BaseException:
            self.close()
            raise

    def _start(self, name: str, command: list[str]) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            self._processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _is_listening(self, host: str, port: int) -> bool:
        assert self._processes[0].poll() is None, "sshd ended"
        return f"{host}:{port}" in subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, timeout=10).stdout

    def _is_forwarding(self) -> bool:
        assert self._processes[-1].poll() is None, "ssh ended"
        return f":{self.port} " in self._namespace.run("ss", "-Hltn")

    def close(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(5)
        self._processes.clear()
