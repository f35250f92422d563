"""Whether a process that is no child of ours has ended."""

from __future__ import annotations

import psutil


def has_ended(pid: int) -> bool:
    """A zombie has: who is orphaned waits, in a container, until its first process looks after it."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
