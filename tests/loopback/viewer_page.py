"""The built viewer on a bare page, joined to a real link: what a notebook does for it, without Jupyter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

from reactor_nb.media.link import MediaLink, PeerSettings
from reactor_nb.transport.protocol import PROTOCOL_VERSION

STATIC = Path(__file__).resolve().parents[2] / "reactor_nb" / "static"
ADDRESS = "http://localhost:1/"

_PAGE = """<!doctype html><title>viewer</title><link rel="stylesheet" href="/viewer.css"><body><script type="module">
import widget from "/viewer.js"
const traits = { model_name: "plasma", state: "streaming", session_id: 1, loading_since_ms: 0, error: null, log: "",
  has_poster: false, help: "" }
const listeners = new Map()
const model = {
  get: (key) => traits[key],
  on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
  off: (event, listener) => listeners.set(event, listeners.get(event).filter((each) => each !== listener)),
  send: async (message) => { const reply = await window.to_kernel(message); if (reply) window.from_kernel(reply) },
}
window.from_kernel = (message) => { for (const tell of listeners.get("msg:custom") ?? []) tell(message) }
window.controller = new AbortController()
widget.render({ model, el: document.body, signal: window.controller.signal })
window.reactor = document.querySelector(".reactor-viewer").reactor
</script>"""


def open_viewer(page: Page, link: MediaLink, name: str = "plasma") -> None:
    """Render a view of `name` in the page; its handle is `window.reactor`, and `from_kernel` brings it a message."""

    def answer(message: dict[str, Any]) -> dict[str, Any] | None:
        view_id = message.get("view_id", "")
        if message["type"] == "ready":
            return {"type": "hello", "view_id": view_id, "protocol": PROTOCOL_VERSION, "ice_servers": []}
        if message["type"] == "offer":
            sdp = link.offer(name, view_id, message["sdp"], PeerSettings(message["hostname"])).result(5.0)
            return {"type": "answer", "view_id": view_id, "offer_id": message["offer_id"], "sdp": sdp}
        return None

    def serve(route: Route) -> None:
        file = route.request.url.removeprefix(ADDRESS)
        if file in ("viewer.js", "viewer.css"):
            route.fulfill(path=STATIC / file)
        else:
            route.fulfill(body=_PAGE, content_type="text/html")

    page.route(f"{ADDRESS}**", serve)
    page.expose_function("to_kernel", answer)
    page.goto(ADDRESS)
    page.wait_for_function("window.reactor?.stats().painted > 0", timeout=15_000)


def stats(page: Page) -> dict[str, Any]:
    """What the view says of itself."""
    figures: dict[str, Any] = json.loads(page.evaluate("JSON.stringify(window.reactor.stats())"))
    return figures
