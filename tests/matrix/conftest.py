"""The tests of this folder need other environments: `make test-matrix` installs them and names their folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.matrix.environments import KERNELS, Kernel
from tests.support.fixtures import VIEWPORT, Tabs, kernel_environment, lend
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab

# Not collected rather than skipped: with CI=true a skip fails, and this target is one of its own.
collect_ignore_glob = [] if os.environ.get("REACTOR_NB_ENVIRONMENTS") else ["test_*.py"]


@pytest.fixture(scope="module", params=KERNELS, ids=lambda kernel: kernel.environment.name)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    """Each release of ipykernel in turn."""
    kernel: Kernel = request.param
    assert kernel.environment.is_installed, f"{kernel.environment.folder} is missing. Type: make test-matrix"
    return kernel


@pytest.fixture(scope="module")
def kernel_server(kernel: Kernel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab of that environment, whose kernels are of it too."""
    server = JupyterLab(
        root=tmp_path_factory.mktemp("notebooks"),
        state=tmp_path_factory.mktemp("jupyter"),
        exposes_app=True,
        env=kernel_environment(),
        python=str(kernel.environment.python),
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def kernel_tabs(kernel: Kernel, chromium: Browser) -> Iterator[Tabs]:
    context = chromium.new_context(viewport=VIEWPORT)
    yield Tabs(context)
    context.close()


@pytest.fixture
def lab(request: pytest.FixtureRequest, kernel_server: JupyterLab, kernel_tabs: Tabs) -> Iterator[Lab]:
    """A tab of that JupyterLab for one test."""
    yield from lend(request, kernel_server, kernel_tabs)
