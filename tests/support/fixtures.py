"""The fixtures of the browser tests: one JupyterLab and one Chromium for the run, one tab for each test."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, sync_playwright

from tests.support.chromium import chromium_args, find_chromium
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab

REPOSITORY = Path(__file__).resolve().parents[2]
VIEWPORT: ViewportSize = {"width": 1400, "height": 1500}
_FAILED = pytest.StashKey[bool]()


@dataclass
class Tabs:
    """What the browser tests hand on from one to the next."""

    context: BrowserContext
    free: list[Page] = field(default_factory=list)


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab on an empty folder. Kernels find this checkout whether or not it is installed."""
    root, state = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    server = JupyterLab(root=root, state=state, exposes_app=True, env=kernel_environment())
    server.start()
    yield server
    server.stop()


def kernel_environment() -> dict[str, str]:
    """Added to a server's environment, so that its kernels find this checkout."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))}


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for the run: a thread can hold one only."""
    os.environ.setdefault("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Headless, with a profile of its own. A machine without Chromium fails here, it does not skip."""
    path = find_chromium()
    if path is None:
        pytest.fail("no Chromium on PATH; type: make test, which installs it, or apt-get install chromium")
    browser = playwright.chromium.launch(executable_path=path, headless=True, args=chromium_args())
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def tabs(chromium: Browser) -> Iterator[Tabs]:
    """One browser context, and the JupyterLab tabs in it that no test uses now."""
    context = chromium.new_context(viewport=VIEWPORT)
    yield Tabs(context)
    context.close()


@pytest.fixture
def lab(request: pytest.FixtureRequest, lab_server: JupyterLab, tabs: Tabs) -> Iterator[Lab]:
    """A tab of JupyterLab for one test; its kernel is ended after it. A test that fails leaves a screenshot."""
    yield from lend(request, lab_server, tabs)


def lend(request: pytest.FixtureRequest, server: JupyterLab, tabs: Tabs, url: str = "") -> Iterator[Lab]:
    """The body of a fixture that gives a test a tab; `tabs` are those of one browser at one `url`."""
    lab = Lab(server, tabs.context, tabs.free.pop() if tabs.free else None, url)
    yield lab
    if request.node.stash.get(_FAILED, False):
        if not lab.page.is_closed():
            lab.screenshot(f"failed-{request.node.name}")
        lab.close()
    elif page := lab.release():
        tabs.free.append(page)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remembers a failure: the tab of such a test is not used again."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report
