"""The built viewer on a bare page, joined to a real link: what a notebook does for it, without Jupyter.

The page talks to the link by a web socket, as a notebook's page talks to its kernel by Jupyter's.
"""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from reactor_nb.media.link import CommSettings, MediaLink, PeerSettings
from reactor_nb.transport.protocol import PROTOCOL_VERSION

STATIC = Path(__file__).resolve().parents[2] / "reactor_nb" / "static"

_PAGE = """<!doctype html><title>viewer</title><link rel="stylesheet" href="/viewer.css"><body><script type="module">
import widget from "/viewer.js"
const traits = { model_name: "plasma", state: "streaming", session_id: 1, loading_since_ms: 0, error: null, log: "",
  has_poster: false, help: "", carrier: "$CARRIER" }
const listeners = new Map()
const emit = (event, ...told) => { for (const tell of listeners.get(event) ?? []) tell(...told) }
const socket = new WebSocket(`ws://${location.host}/comm`)
socket.binaryType = "arraybuffer"
await new Promise((opened) => { socket.onopen = opened })
window.heard = []
window.packets = 0
socket.onmessage = ({ data }) => {
  const length = new DataView(data).getUint32(0)
  const message = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)))
  if (message.type === "packet") window.packets += 1
  else window.heard.push(message)
  const rest = data.byteLength - 4 - length
  emit("msg:custom", message, rest ? [new DataView(data, 4 + length)] : [])
}
const model = {
  get: (key) => traits[key],
  on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
  off: (event, listener) => listeners.set(event, listeners.get(event).filter((each) => each !== listener)),
  send: (message) => socket.send(JSON.stringify(message)),
}
window.from_kernel = (message) => emit("msg:custom", message, [])
window.set_trait = (name, value) => { traits[name] = value; emit(`change:${name}`) }
window.controller = new AbortController()
window.open_another = () => widget.render({ model, el: document.body, signal: window.controller.signal })
window.open_another()
window.reactor = document.querySelector(".reactor-viewer").reactor
</script>"""


class Bridge:
    """A server of one page, and the road between it and the link.

    Threads: its own; `say`, `close` and the attributes from any.
    """

    def __init__(self, link: MediaLink, name: str, carrier: str) -> None:
        self.heard: list[dict[str, Any]] = []
        """What the page said, oldest first."""
        self.is_deaf = False
        """Nothing of the page is heard, as while a cell runs and the front end has no subshell."""
        self.unanswered: set[str] = set()
        """Kinds of messages that are heard and passed over."""
        self._link = link
        self._name = name
        self._carrier = carrier
        self._sockets: set[Any] = set()
        self._unheard: list[dict[str, Any]] = []
        self._address: Future[str] = Future()
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="viewer-page")
        self._thread.start()
        self.address = self._address.result(5.0)
        link.listen_packets(name, self.say)

    def say(self, message: dict[str, Any], payload: bytes = b"") -> None:
        """Bring the page a message and bytes beside it."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send, message, payload)

    def hear_again(self) -> None:
        """The cell has ended: what waited is heard, in its order."""
        self.is_deaf = False
        waiting, self._unheard = self._unheard, []
        for message in waiting:
            self.take(message)

    def take(self, message: dict[str, Any]) -> None:
        """What the page said."""
        if self.is_deaf:
            self._unheard.append(message)
            return
        self.heard.append(message)
        kind, view_id = message["type"], message.get("view_id", "")
        if kind in self.unanswered:
            return
        if kind == "ready":
            hello = {"view_id": view_id, "protocol": PROTOCOL_VERSION, "ice_servers": []}
            self.say({"type": "hello", **hello})
        elif kind == "offer":
            answer = self._link.offer(self._name, view_id, message["sdp"], PeerSettings(message["hostname"]))
            told = {"type": "answer", "view_id": view_id, "offer_id": message["offer_id"]}
            answer.add_done_callback(lambda sdp: None if sdp.exception() else self.say({**told, "sdp": sdp.result()}))
        elif kind == "carry":
            settings = CommSettings(tuple(message["codecs"]), message["is_watching"])
            self._link.carry(self._name, view_id, settings)
        elif kind == "bye":
            self._link.close_view(self._name, view_id)
        elif kind in ("ack", "keyframe", "watching", "painted", "ping"):
            self._link.heard(self._name, view_id, message)
        elif kind == "call":
            self.say({"type": "reply", "id": message["id"], "result": {"by": "comm", **message["params"]}})

    def close(self) -> None:
        """Idempotent."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(5.0)

    def _send(self, message: dict[str, Any], payload: bytes) -> None:
        text = json.dumps(message).encode()
        for socket in list(self._sockets):
            try:
                socket.write_message(len(text).to_bytes(4, "big") + text + payload, binary=True)
            except WebSocketClosedError:
                self._sockets.discard(socket)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        bridge = self
        page = _PAGE.replace("$CARRIER", self._carrier)

        class Root(RequestHandler):
            def get(self) -> None:
                self.write(page)

        class Comm(WebSocketHandler):
            def open(self, *args: str, **kwargs: str) -> None:
                bridge._sockets.add(self)

            def on_message(self, message: str | bytes) -> None:
                bridge.take(json.loads(message))

            def on_close(self) -> None:
                bridge._sockets.discard(self)

        static = (r"/(viewer\.(?:js|css))", StaticFileHandler, {"path": str(STATIC)})
        server = HTTPServer(Application([(r"/", Root), (r"/comm", Comm), static], log_function=lambda _: None))
        socket, port = bind_unused_port()
        server.add_socket(socket)
        self._address.set_result(f"http://localhost:{port}/")
        await self._ended.wait()
        for each in list(self._sockets):
            each.close()
        server.stop()
        await server.close_all_connections()


def open_viewer(page: Page, link: MediaLink, name: str = "plasma", carrier: str = "auto", rung: str = "") -> Bridge:
    """Render a view of `name` in the page; its handle is `window.reactor`, and `from_kernel` brings it a message.

    Returns when the picture is there, by `rung` if one is named. The bridge ends with the page.
    """
    bridge = Bridge(link, name, carrier)
    page.on("close", lambda _: bridge.close())
    page.goto(bridge.address)
    page.wait_for_function("window.reactor?.stats().painted > 0", timeout=15_000)
    if rung:
        page.wait_for_function("(rung) => window.reactor.stats().carrier === rung", arg=rung, timeout=15_000)
    return bridge


def stats(page: Page) -> dict[str, Any]:
    """What the view says of itself."""
    figures: dict[str, Any] = json.loads(page.evaluate("JSON.stringify(window.reactor.stats())"))
    return figures
