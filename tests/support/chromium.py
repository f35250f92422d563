"""Which Chromium the browser tests use, and how to get one from the system's packages.

`python -m tests.support.chromium note|install`: run by make before anything of this project is
installed, so this module imports the standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")

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


def _note() -> int:
    if find_chromium():
        return 0
    if _right_to_install() is None:
        print(
            "The browser tests need Chromium, and none was found. Type:\n"
            f"    sudo apt-get update && sudo apt-get install -y {' '.join(PACKAGES)}\n"
            "or put Chromium or Google Chrome on PATH in another way, then type make again.",
            file=sys.stderr,
        )
        return 1
    print(f"Installing from the system's packages: {' '.join(PACKAGES)} (about 700 MB with what they need).")
    return 0


def _install() -> int:
    if find_chromium():
        return 0
    prefix = _right_to_install()
    if prefix is None:
        return _note()
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
        if subprocess.run([*prefix, "apt-get", *command], env=env, stdout=subprocess.DEVNULL).returncode != 0:
            print(f"apt-get {' '.join(command)} failed; its message is above.", file=sys.stderr)
            return 1
    if find_chromium() is None:
        print("The package chromium is a stub here. Put Chromium or Google Chrome on PATH.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit({"note": _note, "install": _install}[sys.argv[1]]())
