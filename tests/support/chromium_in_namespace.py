"""A Chromium that lives in a network namespace, driven from outside: playwright speaks to it by pipes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.support.chromium import chromium_args, find_chromium
from tests.support.network import Namespace


def launch_in(playwright: Playwright, namespace: Namespace, folder: Path, *, args: Sequence[str] = ()) -> Browser:
    """Start it.

    Args:
        folder: where the script that enters the namespace is written.
        args: more arguments for Chromium.
    Raises:
        RuntimeError: there is no Chromium on PATH.
    """
    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError("no Chromium on PATH; type: make test, which installs it")
    script = folder / f"chromium-{namespace.name}"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(namespace.command(chromium))} "$@"\n')
    script.chmod(0o755)
    return playwright.chromium.launch(executable_path=script, headless=True, args=[*chromium_args(), *args])
