"""Always on: nothing is left behind, a skip in CI is a failure, and the browser tests have their own limit."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from typing import TypeVar

import pytest

from tests.support.eventually import eventually
from tests.support.leaks import alive, left_since

BROWSER_TIMEOUT_S = 120
HAS_TORCH = find_spec("torch") is not None
IS_CI = os.environ.get("CI", "").lower() in {"1", "true"}

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

pytest_plugins = ["tests.support.fixtures"]


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """Fails a test that leaves a `reactor-` thread, an asyncio task, a WebRTC peer or a child process."""
    before = alive()
    yield
    if not left_since(before):
        return
    gc.collect()
    try:
        eventually(lambda: not left_since(before), timeout_s=2)
    except AssertionError:
        # Read again: what ended between the two readings was not left.
        if left := left_since(before):
            pytest.fail("left behind:\n  " + "\n  ".join(left), pytrace=False)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(BROWSER_TIMEOUT_S, func_only=True))
    # Last: playwright keeps an event loop running on this thread from the first of them on.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    if not HAS_TORCH:
        # Deselected and counted, not skipped: where torch is not installed there is nothing to run them on.
        without = [item for item in items if item.get_closest_marker("needs_torch")]
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if not item.get_closest_marker("needs_torch")]


def pytest_report_header() -> str:
    return "torch: " + ("installed" if HAS_TORCH else "not installed, so the tests marked needs_torch are deselected")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests measured and recorded without asserting it."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid.rsplit('::')[-1]}: {name} {value}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _refuse_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _refuse_skip(report)


def _refuse_skip(report: Report) -> Report:
    """With CI=true a skip fails: a check that silently does not run is no check."""
    if IS_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI=true makes a failure. {reason}"
    return report
