"""The JupyterLab and the browser of a benchmark."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.benchmarks.page_side import COUNTERS_JS
from tests.support.chromium import chromium_args, find_chromium
from tests.support.jupyterlab import JupyterLab

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def notebooks() -> Iterator[tuple[JupyterLab, Browser]]:
    """A JupyterLab of its own and a browser."""
    with playwright_in() as (playwright, folder), served(folder) as server, launched(playwright) as browser:
        yield server, browser


@contextmanager
def playwright_in() -> Iterator[tuple[Playwright, Path]]:
    """Playwright, and a folder that ends with it."""
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as folder, sync_playwright() as playwright:
        yield playwright, Path(folder)


@contextmanager
def served(folder: Path, ip: str = "127.0.0.1") -> Iterator[JupyterLab]:
    """A JupyterLab that keeps its files in the folder; its kernels find this checkout."""
    root, state = folder / "notebooks", folder / "jupyter"
    root.mkdir()
    state.mkdir()
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    server = JupyterLab(root=root, state=state, exposes_app=True, env={"PYTHONPATH": path}, ip=ip)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    """A browser on this machine."""
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=chromium_args())
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def tabs(browser: Browser) -> Iterator[BrowserContext]:
    """A browser context of its own; what its pages receive is counted."""
    context = browser.new_context(viewport={"width": 1600, "height": 1500})
    context.add_init_script(COUNTERS_JS)
    try:
        yield context
    finally:
        context.close()
