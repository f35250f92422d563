"""marimo: the Viewer is an anywidget, which it draws; a control of its own sends commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.cells import COUNTER
from tests.environments.installed import CURRENT
from tests.environments.servers import WebServer
from tests.support.eventually import eventually
from tests.support.lab import OPEN_TIMEOUT_MS
from tests.support.views import Views

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180, func_only=True)]

APP = """\
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import reactor_nb
    from counter import Counter
    return Counter, mo, reactor_nb


@app.cell
def _(Counter, reactor_nb):
    session = reactor_nb.run(Counter)
    session
    return (session,)


@app.cell
def _(mo, session):
    level = mo.ui.slider(0, 1, 0.05, on_change=lambda value: session.submit("set_level", {"level": value}))
    level
    return (level,)


if __name__ == "__main__":
    app.run()
"""


@pytest.mark.parametrize("verb", ["run", "edit"])
def test_the_picture_moves_and_a_slider_of_marimo_changes_it(
    verb: str, context: BrowserContext, tmp_path: Path
) -> None:
    (tmp_path / "counter.py").write_text(COUNTER)
    (tmp_path / "app.py").write_text(APP)
    # `marimo edit` opens a notebook without running it otherwise.
    (tmp_path / "pyproject.toml").write_text("[tool.marimo.runtime]\nauto_instantiate = true\n")
    command = [str(CURRENT.python), "-m", "marimo", verb, "app.py", "--headless", "--no-token", "--port={port}"]
    with WebServer(command, tmp_path / "state", tmp_path) as server:
        page = context.new_page()
        page.goto(server.url, timeout=OPEN_TIMEOUT_MS)
        views = Views(page)
        views.wait_for_motion(timeout_s=60)
        slider = page.get_by_role("slider").last  # before it, the handle at the edge of the picture
        slider.focus()
        slider.press("End")
        eventually(lambda: views.pixels()[-20:, :, :3].mean() > 240, 10, interval_s=0.1)
        views.screenshot(f"marimo {verb}")
