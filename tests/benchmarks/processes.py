"""Who uses the processor: the kernel, what it started for the media, the server, the browser."""

from __future__ import annotations

from collections.abc import Mapping

import psutil

MEDIA_PROGRAM = "reactor_nb/transport/process/__main__.py"

Groups = Mapping[str, list[psutil.Process]]


def groups_of(kernel_pid: int, server_pid: int, peer_pid: int | None = None) -> Groups:
    """kernel: the process that runs the model. media: the processes that it started. server: Jupyter's. browser."""
    kernel = psutil.Process(peer_pid or kernel_pid)
    browser = [child for child in psutil.Process().children(recursive=True) if "chrom" in child.name().lower()]
    return {
        "kernel": [kernel],
        "media": kernel.children(recursive=True),
        "server": [psutil.Process(server_pid)],
        "browser": browser,
    }


def media_processes(kernel_pid: int) -> list[psutil.Process]:
    """This project's own among the kernel's children."""
    children = psutil.Process(kernel_pid).children(recursive=True)
    return [child for child in children if MEDIA_PROGRAM in " ".join(child.cmdline())]


class CpuMeter:
    """How much CPU time groups of processes use from now on."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._before_s = self._used_s()

    def percent(self, duration_s: float) -> dict[str, float]:
        """Of one core, since the meter was made."""
        now_s = self._used_s()
        return {name: 100 * (now_s[name] - self._before_s[name]) / duration_s for name in self._groups}

    def _used_s(self) -> dict[str, float]:
        return {name: sum(_cpu_s(process) for process in group) for name, group in self._groups.items()}


def memory_mb(group: list[psutil.Process]) -> float:
    """Resident, what is shared counted in each."""
    total = 0
    for process in group:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def _cpu_s(process: psutil.Process) -> float:
    # A browser process may end in between; what it used is then lost, for every peer alike.
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
