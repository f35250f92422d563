"""A web server on 127.0.0.1 that breaks off, refuses and forgets as servers do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass
class WeightsServer:
    """`files`: path -> contents; a str is an HTML page. Fields may be changed while it serves.

    `breaks`: after how many bytes of a body each of the next answers is cut, once `before_cut` returns.
    `gate`: answers wait for it once `holds_after` bytes are out. `gets`: (path, Range header or None) of each GET.
    """

    files: dict[str, bytes | str]
    has_ranges: bool = True
    tells_size: bool = True
    claims_bytes: int | None = None
    status: int = 200
    etag: str = "one"
    breaks: list[int] = field(default_factory=list)
    before_cut: Callable[[], object] = lambda: None
    holds_after: int | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    is_holding: threading.Event = field(default_factory=threading.Event)
    gets: list[tuple[str, str | None]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(files: dict[str, bytes | str]) -> Iterator[WeightsServer]:
    told = WeightsServer(files)

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(is_head=True)

        def do_GET(self) -> None:
            told.gets.append((self.path, self.headers.get("Range")))
            self._answer(is_head=False)

        def _answer(self, *, is_head: bool) -> None:
            content = told.files.get(unquote(self.path.partition("?")[0]))
            if content is None and f"{self.path}/" in told.files:
                self.send_response(301)
                self.send_header("Location", f"{self.path}/")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if content is None or told.status != 200:
                self.send_error(404 if content is None else told.status)
                return
            body = content.encode() if isinstance(content, str) else content
            start, end = 0, len(body)
            asked = self.headers.get("Range")
            is_part = told.has_ranges and asked is not None
            if is_part and asked is not None:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                start, end = int(first), min(end, int(last or end - 1) + 1)
            self.send_response(206 if is_part else 200)
            self.send_header("Content-Type", "text/html" if isinstance(content, str) else "application/octet-stream")
            self.send_header("ETag", told.etag)
            if is_part:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
            if told.tells_size:
                told_bytes = end - start if told.claims_bytes is None else told.claims_bytes
                self.send_header("Content-Length", str(told_bytes))
            self.end_headers()
            if not is_head:
                self._send(body[start:end])

        def _send(self, body: bytes) -> None:
            if told.holds_after is not None:
                self.wfile.write(body[: told.holds_after])
                body = body[told.holds_after :]
                told.is_holding.set()
                told.gate.wait(10)
            if told.breaks:
                self.wfile.write(body[: told.breaks.pop(0)])
                told.before_cut()
                self.close_connection = True
                return
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Tests read `gets`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    told.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="weights-server")
    thread.start()
    try:
        yield told
    finally:
        told.gate.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
