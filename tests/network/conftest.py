"""The fixtures of the network tests: a page on another machine, and the roads between it and the kernel's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

from tests.support.chromium_in_namespace import launch_in
from tests.support.fixtures import VIEWPORT, Tabs, kernel_environment, lend
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab
from tests.support.network import Namespace, join, remove_stale, why_no_namespaces


@dataclass(frozen=True)
class PageMachine:
    """Where the page is. `here` is the address of this machine as seen from there, `there` its own."""

    namespace: Namespace
    here: str
    there: str


@pytest.fixture(scope="session")
def page_machine() -> Iterator[PageMachine]:
    """Skips by name where there is no root, or a root that may not."""
    if why_not := why_no_namespaces():
        pytest.skip(why_not)
    remove_stale()
    namespace = Namespace("page")
    wire = join(None, namespace)
    yield PageMachine(namespace, wire.first, wire.second)
    namespace.close()


@pytest.fixture(autouse=True)
def everything_passes(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test drops is passed again after it."""
    yield
    if "page_machine" in request.fixturenames:
        machine: PageMachine = request.getfixturevalue("page_machine")
        machine.namespace.pass_all()


@pytest.fixture(scope="session")
def far_server(page_machine: PageMachine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab that the page's machine reaches, and nobody else's."""
    server = JupyterLab(
        root=tmp_path_factory.mktemp("far-notebooks"),
        state=tmp_path_factory.mktemp("far-jupyter"),
        ip=page_machine.here,
        exposes_app=True,
        env=kernel_environment(),
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def far_chromium(
    playwright: Playwright, page_machine: PageMachine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    browser = launch_in(playwright, page_machine.namespace, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def far_context(far_chromium: Browser) -> Iterator[BrowserContext]:
    context = far_chromium.new_context(viewport=VIEWPORT, ignore_https_errors=True)
    yield context
    context.close()


@pytest.fixture(scope="session")
def far_tabs(far_context: BrowserContext) -> Tabs:
    return Tabs(far_context)


@pytest.fixture
def far_lab(request: pytest.FixtureRequest, far_server: JupyterLab, far_tabs: Tabs) -> Iterator[Lab]:
    """A tab on the page's machine that reaches the server by plain http at an address of the LAN."""
    yield from lend(request, far_server, far_tabs)
