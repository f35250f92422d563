"""The fixtures of the browser tests: one JupyterLab and one Chromium for the run, one tab for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.chromium import chromium_args, find_chromium
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab

REPOSITORY = Path(__file__).resolve().parents[2]
VIEWPORT = {"width": 1400, "height": 1500}


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab on an empty folder. Kernels find this checkout whether or not it is installed."""
    root = tmp_path_factory.mktemp("notebooks")
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    server = JupyterLab(root=root, state=tmp_path_factory.mktemp("jupyter"), exposes_app=True, env={"PYTHONPATH": path})
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Headless, with a profile of its own. A machine without Chromium fails here, it does not skip."""
    path = find_chromium()
    if path is None:
        pytest.fail("no Chromium on PATH; type: make test, which installs it, or apt-get install chromium")
    os.environ.setdefault("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=chromium_args())
        yield browser
        browser.close()


@pytest.fixture
def lab(lab_server: JupyterLab, chromium: Browser) -> Iterator[Lab]:
    """One tab; its kernel is ended after the test."""
    context = chromium.new_context(viewport={"width": VIEWPORT["width"], "height": VIEWPORT["height"]})
    lab = Lab(lab_server, context)
    yield lab
    lab.close()
    context.close()
