"""The exit statuses; docs/command-line.md tells of them."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FAILED: Final = 1
MISREAD: Final = 2
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
TERMINATED: Final = 143
