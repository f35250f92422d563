"""The tests of this folder need other environments: `make test-environments` installs them and names their folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.fixtures import VIEWPORT

# Not collected rather than skipped: with CI=true a skip fails, and this target is one of its own.
collect_ignore_glob = [] if os.environ.get("REACTOR_NB_ENVIRONMENTS") else ["test_*.py"]


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser profile of the test's own: front ends keep things in it."""
    context = chromium.new_context(viewport={"width": VIEWPORT["width"], "height": VIEWPORT["height"]})
    yield context
    context.close()
