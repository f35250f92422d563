"""The fixtures of the network tests: a page on another machine, and the roads between it and the kernel's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

from tests.support.chromium_in_namespace import launch_in
from tests.support.fixtures import VIEWPORT, Tabs, kernel_environment, lend
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab
from tests.support.network import Namespace, join, remove_stale, why_no_namespaces
from tests.support.ssh_tunnel import SshTunnel, why_no_ssh
from tests.support.turn import Authority

HUB_PREFIX = "/user/ada/"
"""JupyterHub gives each user's server such a one; every test here has it."""
HUB_PORT = 8443
TUNNEL_PORT = 8888


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
        base_url=HUB_PREFIX,
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


@pytest.fixture
def tunnelled_lab(
    request: pytest.FixtureRequest,
    page_machine: PageMachine,
    far_server: JupyterLab,
    far_context: BrowserContext,
    tmp_path: Path,
) -> Iterator[Lab]:
    """A tab that reaches the server by `ssh -L 8888:...`, at http://localhost:8888."""
    if why_not := why_no_ssh():
        pytest.skip(why_not)
    target = far_server.url.removeprefix("http://").removesuffix(HUB_PREFIX.rstrip("/"))
    tunnel = SshTunnel(page_machine.namespace, page_machine.here, target, TUNNEL_PORT, tmp_path)
    yield from lend(request, far_server, Tabs(far_context), f"http://localhost:{TUNNEL_PORT}{HUB_PREFIX.rstrip('/')}")
    tunnel.close()


@contextmanager
def proxy_at(address: str, namespace: Namespace | None, server: JupyterLab, folder: Path) -> Iterator[str]:
    """A proxy in a namespace (None is this machine's) that ends https; the address to open behind it."""
    certificate, key = Authority(folder).certify(address)
    target = server.url.removesuffix(HUB_PREFIX.rstrip("/"))
    arguments = [address, str(HUB_PORT), HUB_PREFIX, target, str(certificate), str(key)]
    command = [sys.executable, "-m", "tests.support.hub_proxy", *arguments]
    if namespace is not None:
        command = namespace.command(*command)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdin is not None and proxy.stdout is not None
        assert proxy.stdout.readline() == "ready\n", "the proxy did not start; its message is above"
        yield f"https://{address}:{HUB_PORT}{HUB_PREFIX.rstrip('/')}"
        proxy.stdin.close()
        proxy.wait(10)


@pytest.fixture(scope="session")
def hub_url(
    page_machine: PageMachine, far_server: JupyterLab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Where a page finds the server behind a proxy on a third machine, by https."""
    namespace = Namespace("hub")
    join(None, namespace)
    address = join(namespace, page_machine.namespace, is_default=False).first
    with proxy_at(address, namespace, far_server, tmp_path_factory.mktemp("hub")) as url:
        yield url
    namespace.close()


@pytest.fixture(scope="session")
def https_url(
    page_machine: PageMachine, far_server: JupyterLab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Where a page finds the server by https, on the kernel's own machine."""
    with proxy_at(page_machine.here, None, far_server, tmp_path_factory.mktemp("https")) as url:
        yield url


@pytest.fixture
def https_lab(
    request: pytest.FixtureRequest, far_server: JupyterLab, far_context: BrowserContext, https_url: str
) -> Iterator[Lab]:
    """A tab that has every rung: a secure context, and an address of the kernel's machine."""
    yield from lend(request, far_server, Tabs(far_context), https_url)


@pytest.fixture
def hub_lab(
    request: pytest.FixtureRequest, far_server: JupyterLab, far_context: BrowserContext, hub_url: str
) -> Iterator[Lab]:
    """A tab that reaches the server as one of a JupyterHub is reached."""
    yield from lend(request, far_server, Tabs(far_context), hub_url)


@pytest.fixture(scope="session")
def every_road(far_context: BrowserContext, hub_url: str, https_url: str) -> None:
    """Named by tests that choose their tab by parameter: what lives as long as the run must not begin within one."""
