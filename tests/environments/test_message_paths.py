"""VS Code and Colab by emulation: outputs in a sandboxed frame of another origin, messages written anew."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.cells import COUNTER, LOAD
from tests.environments.hosted.pages import hosted_pages
from tests.environments.installed import CURRENT, OLD_KERNEL, Environment
from tests.environments.servers import WebServer
from tests.support.eventually import eventually
from tests.support.lab import OPEN_TIMEOUT_MS
from tests.support.views import Views

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180, func_only=True)]

LIKE = {"VS Code": (CURRENT, "views"), "Colab": (OLD_KERNEL, "base64")}
"""The kernel's environment, and how bytes reach the frame."""
RUNGS = {"auto": "WebRTC", "comm": "video over Jupyter", "jpeg": "JPEG over Jupyter"}


@contextmanager
def notebook(environment: Environment, buffers: str, context: BrowserContext, folder: Path) -> Iterator[Page]:
    """The page of a running kernel."""
    command = [
        *(str(environment.python), "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.port={port}"),
        *("--ServerApp.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True"),
        "--ServerApp.allow_origin=*",
    ]
    with WebServer(command, folder / "state", folder) as server, hosted_pages() as (port, frame_port):
        request = urllib.request.Request(f"{server.url}/api/kernels", data=b"{}", method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            kernel = json.load(answer)["id"]
        page = context.new_page()
        page.goto(
            f"http://127.0.0.1:{port}/host.html?server={server.url}&kernel={kernel}"
            f"&frame_port={frame_port}&buffers={buffers}",
            timeout=OPEN_TIMEOUT_MS,
        )
        page.wait_for_function("window.host.is_ready", timeout=OPEN_TIMEOUT_MS)
        yield page


def run(page: Page, *cells: str) -> None:
    for source in cells:
        reply = page.evaluate("(source) => window.host.execute(source)", source)
        assert reply["status"] == "ok", reply


@pytest.mark.parametrize("carrier", RUNGS)
@pytest.mark.parametrize("name", LIKE)
def test_the_picture_moves_and_a_slider_changes_it(
    name: str, carrier: str, context: BrowserContext, tmp_path: Path
) -> None:
    with notebook(*LIKE[name], context, tmp_path) as page:
        views = Views(page, page.frame_locator("iframe"))
        with views.pictured(f"like {name} {carrier}"):
            run(page, LOAD, COUNTER, f"%reactor run --carrier {carrier}")
            views.wait_for_motion(timeout_s=60)
            eventually(lambda: (views.stats() or {}).get("carrier") == RUNGS[carrier], 20, interval_s=0.1)
            slider = page.frame_locator("iframe").locator(".noUi-handle").first
            for key in ("Home", "End"):  # the second change is sent only when the first was answered
                slider.focus()
                slider.press(key)
            eventually(lambda: views.pixels()[-20:, :, :3].mean() > 240, 10, interval_s=0.1)
            expect(views.viewer()).to_contain_text(RUNGS[carrier])
            views.screenshot(f"like {name} {carrier}")
