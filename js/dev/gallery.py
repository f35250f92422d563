"""Takes a screenshot of the built viewer in each of its states, light and dark, in a real Chromium.

    python js/dev/gallery.py FOLDER [STATE ...]

No kernel and no JupyterLab: the page holds a stand-in for both (kernel.js), and a real WebRTC connection to it.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
STATIC = HERE.parents[1] / "reactor_nb" / "static"

TRACEBACK = """Traceback (most recent call last):
  Cell In[4], line 21, in Plasma.start_session
    \x1b[32mself\x1b[39m.step(\x1b[38;5;241m0.02\x1b[39m)
  Cell In[4], line 34, in Plasma.step
    self.field = self.field @ self.kernel
ValueError: matmul: Input operand 1 has a mismatch in its core dimension 0 (size 64 is different from 128)"""

ERROR = {
    "code": "model_failed",
    "title": "start_session raised ValueError on frame 1000",
    "traceback": TRACEBACK,
    "message": "The session has failed. The model is still loaded: mend the cell, then: %reactor run plasma",
}

LOG = "\n".join(
    ["Loading checkpoint shards", *(f"shard {n:2d}/24 · {n * 4.1:5.1f} s" for n in range(1, 24)), "ready on cuda:0"]
)

# What a page is at an address that is neither https nor localhost.
NOT_SECURE = """() => {
  delete window.VideoDecoder
  Object.defineProperty(window, "isSecureContext", { value: false })
}"""

# name, traits, options of the stand-in, and what to wait for before the picture is taken
STATES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("idle", {"state": "idle"}, {"is_blank": True}, "true"),
    ("loading", {"state": "loading", "log": LOG}, {"is_blank": True}, "true"),
    ("ready", {"state": "ready"}, {"is_blank": True}, "view.root.reactor.stats().phase === 'live'"),
    ("streaming", {"state": "streaming", "log": LOG}, {}, "view.root.reactor.stats().latency_ms !== null"),
    (
        "streaming-tiny",
        {"state": "streaming"},
        {"width_px": 64, "height_px": 64},
        "view.root.reactor.stats().painted > 9",
    ),
    (
        "streaming-wide",
        {"state": "streaming"},
        {"width_px": 1280, "height_px": 720},
        "view.root.reactor.stats().painted > 9",
    ),
    (
        "streaming-tall",
        {"state": "streaming"},
        {"width_px": 360, "height_px": 640},
        "view.root.reactor.stats().painted > 9",
    ),
    (
        "rungs",
        {"state": "streaming"},
        {},
        "view.root.reactor.stats().carrier === 'WebRTC' && view.root.reactor.stats().path",
    ),
    (
        "rungs-without-udp",
        {"state": "streaming"},
        {"has_udp": False},
        "view.root.reactor.stats().rungs['WebRTC'].includes('UDP')",
    ),
    (
        "rungs-not-secure",
        {"state": "streaming"},
        {"has_udp": False},
        "view.root.reactor.stats().rungs['WebRTC'].includes('UDP')",
    ),
    (
        "rungs-narrow",
        {"state": "streaming"},
        {"has_udp": False},
        "view.root.reactor.stats().rungs['WebRTC'].includes('UDP')",
    ),
    (
        "controls-wait",
        {"state": "streaming", "carrier": "comm"},
        {"is_deaf": True},
        "view.root.innerText.includes('controls wait')",
    ),
    ("busy-kernel", {"state": "streaming"}, {"is_busy": True}, "view.root.innerText.includes('busy')"),
    ("ended", {"state": "ended"}, {}, "true"),
    ("failed", {"state": "failed", "error": ERROR, "log": LOG}, {}, "true"),
    (
        "error-without-traceback",
        {"state": "failed", "error": {**ERROR, "title": "No configuration", "traceback": ""}},
        {"is_blank": True},
        "true",
    ),
]


@contextmanager
def served() -> Iterator[str]:
    """The address of a server of the built viewer and of this folder."""
    with tempfile.TemporaryDirectory() as folder:
        for source in (*STATIC.iterdir(), *HERE.iterdir()):
            if source.is_file():
                shutil.copy(source, folder)
        quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=folder))
        thread = threading.Thread(target=server.serve_forever, name="gallery-server", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/gallery.html"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def theme_css(theme: str) -> str:
    """JupyterLab's own variables for the theme; "" where JupyterLab is not installed, to see the fallbacks."""
    try:
        import jupyterlab
    except ImportError:
        return ""
    name = f"theme-{theme}-extension"
    return (Path(jupyterlab.__file__).parent / "themes" / "@jupyterlab" / name / "index.css").read_text(
        encoding="utf-8"
    )


def open_view(page: Page, traits: dict[str, Any], options: dict[str, Any]) -> None:
    page.evaluate("([traits, options]) => void open_view(traits, options)", [traits, options])


def time_the_stream(page: Page) -> None:
    """Tells the view when its frames are emitted, as a kernel does."""
    page.wait_for_function("view.root.reactor.stats().painted > 5")
    page.evaluate(
        """() => new Promise((done) => {
          view.root.reactor.onframe = ({ rtp_timestamp, drawn_ms }) => {
            view.root.reactor.onframe = null
            view.model.setOrigin(rtp_timestamp, drawn_ms - 11)
            done()
          }
        })"""
    )


def shoot(folder: Path, chromium: str | None, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-features=WebRtcHideLocalIpsWithMdns"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        for theme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 960, "height": 900}, device_scale_factor=2)
            page.on("console", lambda line: print(f"  {theme} console: {line.text}"))  # noqa: T201, B023
            page.on("pageerror", lambda error: print(f"  {theme} error: {error}"))  # noqa: T201, B023
            for name, traits, options, awaited in STATES:
                if names and name not in names:
                    continue
                page.set_viewport_size({"width": 372 if name == "rungs-narrow" else 960, "height": 900})
                page.goto(address)
                page.add_style_tag(content=theme_css(theme))
                page.evaluate("light => { document.body.dataset.jpThemeLight = light }", json.dumps(theme == "light"))
                page.wait_for_function("window.is_ready")
                if name == "rungs-not-secure":
                    page.evaluate(NOT_SECURE)
                open_view(page, {"model_name": "plasma", **traits}, options)
                if name == "loading":
                    page.evaluate("view.model.set({ loading_since_ms: Date.now() - 12400 })")
                if name.startswith("rungs"):
                    page.locator(".reactor-state").click()
                if name == "controls-wait":
                    page.evaluate("void view.root.reactor.call('move')")
                if name == "streaming":
                    time_the_stream(page)
                    page.locator(".reactor-log-summary").click()
                    page.locator(".reactor-handle").focus()
                page.wait_for_function(awaited, timeout=15_000)
                page.wait_for_timeout(700)
                page.locator("#cell").screenshot(path=folder / f"{name}-{theme}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python js/dev/gallery.py FOLDER [STATE ...]")
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    shoot(Path(sys.argv[1]), found, sys.argv[2:])
