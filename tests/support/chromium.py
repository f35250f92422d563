"""Which Chromium the browser tests use, and how to get it and what the network tests run from the system's packages.

`python -m tests.support.chromium note|install`: run by make before anything of this project is
installed, so this module imports the standard library only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")

# What the network tests run, and the package that has it. They need root, so nobody else gets them: an ssh or
# TURN server is nothing to install on a machine by the way.
NETWORK_COMMANDS = {
    "ip": "iproute2",
    "nft": "nftables",
    "ssh": "openssh-client",
    "sshd": "openssh-server",
    "turnserver": "coturn",
    "certutil": "libnss3-tools",
}
# A package's script asks this file whether it may start the package's service.
SERVICE_POLICY = Path("/usr/sbin/policy-rc.d")

# No look-ups of its own: a closed network would otherwise be asked at every start.
QUIET_ARGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--no-pings",
)


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def find_chromium() -> str | None:
    """Path of a browser that starts. Ubuntu's `chromium-browser` is a stub for a snap and does not."""
    for name in NAMES:
        path = shutil.which(name)
        if path and subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0:
            return path
    return None


def chromium_args() -> list[str]:
    """Arguments for a test browser; without its sandbox only for root, for whom it refuses to start."""
    return [*QUIET_ARGS, *(["--no-sandbox"] if is_root() else [])]


def _right_to_install() -> list[str] | None:
    """What to put before `apt-get`, or None where this user may not install packages."""
    if shutil.which("apt-get") is None:
        return None
    if is_root():
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def _missing() -> list[str]:
    """The packages to install here."""
    missing = [] if find_chromium() else [*PACKAGES]
    if is_root() and _right_to_install() is not None:
        missing += [package for command, package in NETWORK_COMMANDS.items() if shutil.which(command) is None]
    return list(dict.fromkeys(missing))


def _note() -> int:
    missing = _missing()
    if not missing:
        return 0
    if _right_to_install() is None:
        print(
            "The browser tests need Chromium, and none was found. Type:\n"
            f"    sudo apt-get update && sudo apt-get install -y {' '.join(missing)}\n"
            "or put Chromium or Google Chrome on PATH in another way, then type make again.",
            file=sys.stderr,
        )
        return 1
    size = " (about 700 MB with what they need)" if "chromium" in missing else ""
    print(f"Installing from the system's packages: {' '.join(missing)}{size}.")
    return 0


def _install() -> int:
    missing = _missing()
    if not missing:
        return 0
    prefix = _right_to_install()
    if prefix is None:
        return _note()
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_service_starts():
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
            if subprocess.run([*prefix, "apt-get", *command], env=env, stdout=subprocess.DEVNULL).returncode != 0:
                print(f"apt-get {' '.join(command)} failed; its message is above.", file=sys.stderr)
                # Without the others their tests are skipped, by name.
                return 0 if find_chromium() else 1
    if find_chromium() is None:
        print("The package chromium is a stub here. Put Chromium or Google Chrome on PATH.", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """While packages are installed; the tests start their own servers. Leaves a policy of the machine's alone."""
    if not is_root() or SERVICE_POLICY.exists():
        yield
        return
    SERVICE_POLICY.write_text("#!/bin/sh\nexit 101\n")
    SERVICE_POLICY.chmod(0o755)
    try:
        yield
    finally:
        SERVICE_POLICY.unlink()


if __name__ == "__main__":
    sys.exit({"note": _note, "install": _install}[sys.argv[1]]())
