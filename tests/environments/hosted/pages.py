"""Serves the two pages: the notebook's, and the frame's with the scripts that it loads, on ports of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.environments.installed import CURRENT

HERE = Path(__file__).parent


@contextmanager
def hosted_pages() -> Iterator[tuple[int, int]]:
    """The ports of the notebook's page and of the frame's."""
    scripts = {
        "require.js": next(
            CURRENT.folder.glob("lib/python*/site-packages/nbclassic/static/components/requirejs/require.js")
        ),
        "embed-amd.js": CURRENT.html_manager / "dist" / "embed-amd.js",
        "anywidget.js": CURRENT.folder / "share" / "jupyter" / "nbextensions" / "anywidget" / "index.js",
    }
    with ExitStack() as stack:
        yield (
            stack.enter_context(_serving({"host.html": HERE / "host.html"})),
            stack.enter_context(_serving({"frame.html": HERE / "frame.html", **scripts})),
        )


@contextmanager
def _serving(files: dict[str, Path]) -> Iterator[int]:
    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = files.get(self.path.split("?")[0].lstrip("/"))
            self.send_response(404 if path is None else 200)
            kind = "text/html" if self.path.split("?")[0].endswith(".html") else "text/javascript"
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.end_headers()
            if path is not None:
                self.wfile.write(path.read_bytes())

        def log_message(self, *_: object) -> None:
            """A test prints no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
