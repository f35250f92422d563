"""The viewer itself in a bare page of Chromium: its widget model is some JavaScript, its kernel this process."""

from __future__ import annotations

import base64
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from reactor_nb.media.link import MediaLink, PeerSettings
from reactor_nb.transport.protocol import PROTOCOL_VERSION

STATIC = Path(__file__).parents[2] / "reactor_nb" / "static"

PAGE = """
<!doctype html><title>viewer</title><link rel="stylesheet" href="viewer.css"><body>
<script type="module">
  import widget from "./viewer.js"
  const traits = { model_name: "plasma", state: "streaming", session_id: 1, loading_since_ms: 0, error: null, log: "",
    has_poster: false, help: "" }
  const listeners = []
  window.sent = []
  window.tell = (message) => listeners.forEach(([event, listener]) => event === "msg:custom" && listener(message))
  const model = {
    get: (name) => traits[name],
    on: (event, listener) => listeners.push([event, listener]),
    off: () => undefined,
    send: (message) => window.sent.push(message),
  }
  widget.render({ model, el: document.body })
  window.reactor = document.querySelector(".reactor-viewer").reactor
</script>
"""

PIXELS_JS = """
() => {
  const { canvas } = window.reactor
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height })
  const context = copy.getContext("2d", { willReadFrequently: true })
  context.drawImage(canvas, 0, 0)
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
  let text = ""
  for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768))
  return [canvas.width, canvas.height, btoa(text)]
}
"""


class _Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.strip("/")
        if name not in ("", "viewer.js", "viewer.css"):
            self.send_error(404)
            return
        body = (STATIC / name).read_bytes() if name else PAGE.encode()
        self.send_response(200)
        kind = {"js": "text/javascript", "css": "text/css"}.get(name.rpartition(".")[2], "text/html")
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


class ViewerPage:
    """One view, connected to a link."""

    def __init__(self, page: Page, link: MediaLink, name: str) -> None:
        self.page = page
        self.link = link
        self.name = name

    def connect(self) -> None:
        """Answer the greeting and the offer, as the kernel's side of the widget does."""
        ready = self._sent("ready")
        hello = {"type": "hello", "view_id": ready["view_id"], "protocol": PROTOCOL_VERSION, "ice_servers": []}
        self.page.evaluate("(message) => window.tell(message)", hello)
        offer = self._sent("offer")
        sdp = self.link.offer(self.name, offer["view_id"], offer["sdp"], PeerSettings("127.0.0.1")).result(5.0)
        answer = {"type": "answer", "view_id": offer["view_id"], "offer_id": offer["offer_id"], "sdp": sdp}
        self.page.evaluate("(message) => window.tell(message)", answer)
        self.page.wait_for_function("window.reactor.stats().phase === 'live'")

    def pixels(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8: what the canvas shows."""

        width_px, height_px, data = self.page.evaluate(PIXELS_JS)
        rgba = np.frombuffer(base64.b64decode(data), np.uint8).reshape(height_px, width_px, 4)
        return rgba[..., :3]

    def _sent(self, kind: str) -> dict[str, Any]:
        handle = self.page.wait_for_function("(kind) => window.sent.findLast(({ type }) => type === kind)", arg=kind)
        message: dict[str, Any] = handle.json_value()
        return message


@contextmanager
def viewer_page(chromium: Browser, link: MediaLink, name: str = "plasma") -> Iterator[ViewerPage]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = chromium.new_context(viewport={"width": 1400, "height": 900})
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        view = ViewerPage(page, link, name)
        view.connect()
        yield view
        context.close()
        server.shutdown()
