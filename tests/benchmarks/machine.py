"""What a run was made on: processor, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

_PACKAGES = ("jupyterlab", "ipykernel", "ipywidgets", "anywidget", "aiortc", "av", "numpy", "jupyter_rfb", "simplejpeg")
_ROOT = Path(__file__).resolve().parents[2]


def describe(browser_version: str = "") -> str:
    """A line or two of text, for people."""
    memory_gb = psutil.virtual_memory().total / 1e9
    parts = [f"{os.cpu_count()} cores ({_processor()}), {memory_gb:.0f} GB", f"Python {platform.python_version()}"]
    if browser_version:
        parts.append(f"Chromium {browser_version}")
    parts += [f"{name} {found}" for name in _PACKAGES if (found := _version(name))]
    return f"{platform.system()} {platform.machine()}, {', '.join(parts)}; commit {commit()}."


def commit() -> str:
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=_ROOT, capture_output=True, text=True, timeout=10
        )
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def load() -> float:
    """How many processes wanted a core in the last minute: above 0.5 before a run its figures are not to be trusted."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
