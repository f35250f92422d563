"""Ways from a WebRTC track to a canvas, side by side in one run, on a bare page in Chromium.

`python -m tests.benchmarks.painters [--size 1280x720] [--rounds 3] [--seconds 4] [--hold 150/180] [--software-gpu]`
prints a table. `--hold` keeps the page's main thread for so many milliseconds of so many. Without a GPU, Chromium
lets a Worker draw only when the main thread answers; `--software-gpu` gives it a slow one.
Times are from the clock's showing the frame; "seen" is read from the canvas at each animation frame.
"""

from __future__ import annotations

import argparse
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from reactor_nb.core.frames import to_block
from reactor_nb.media.link import PeerSettings, StreamSettings
from reactor_nb.transport.thread_link import ThreadLink
from tests.benchmarks.picture import MovingPicture
from tests.support import barcode
from tests.support.chromium import chromium_args, find_chromium

RATE_FPS = 30
SETTLE_S = 1.5
SLIP = 1.0007
"""The model's schedule slips against the display's, so that every phase between the two is met."""

SOFTWARE_GPU = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
WAYS: dict[str, dict[str, Any]] = {
    "track": {"source": "track"},
    "track, desynchronized canvas": {"source": "track", "context": {"desynchronized": True}},
    "track in a Worker": {"source": "track", "in_worker": True},
    "packets in a Worker": {"source": "packets", "in_worker": True},
    "video element": {"source": "video"},
}


@dataclass
class Row:
    drawn_ms: list[float] = field(default_factory=list)
    decoded_ms: list[float] = field(default_factory=list)
    seen_ms: list[float] = field(default_factory=list)
    interval_ms: list[float] = field(default_factory=list)
    watched_s: float = 0.0

    def text(self, way: str) -> str:
        drawn, seen = _percentiles(self.drawn_ms), _percentiles(self.seen_ms)
        rate_fps = len(self.drawn_ms) / self.watched_s if self.watched_s else 0.0
        interval_ms = np.percentile(self.interval_ms, 95) if self.interval_ms else float("nan")
        decoded_ms = np.median(self.decoded_ms) if self.decoded_ms else float("nan")
        return f"| {way} | {decoded_ms:.0f} | {drawn} | {seen} | {rate_fps:.1f} | {interval_ms:.0f} |"


class _BarePage(http.server.BaseHTTPRequestHandler):
    content = Path(__file__).with_name("painters.html").read_bytes()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        # Such a page has clocks of 5 us instead of 100.
        self.send_header("cross-origin-opener-policy", "same-origin")
        self.send_header("cross-origin-embedder-policy", "require-corp")
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


def main() -> None:
    arguments = _arguments()
    width_px, height_px = map(int, arguments.size.split("x"))
    rows = {way: Row() for way in arguments.ways}
    with playing(width_px, height_px) as (link, emitted_s), served() as address, sync_playwright() as playwright:
        extra = SOFTWARE_GPU if arguments.software_gpu else ()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*chromium_args(), *extra])
        for _ in range(arguments.rounds):
            for way, row in rows.items():
                measure(browser, address, link, emitted_s, WAYS[way], row, arguments.seconds, arguments.hold)
        browser.close()
    print(f"{arguments.size} at {RATE_FPS} fps, main thread held up: {arguments.hold or 'no'}\n")
    print("| way | decoded p50 ms | drawn p50 / p95 ms | seen p50 / p95 ms | drawn fps | interval p95 ms |")
    print("|---|---|---|---|---|---|")
    for way, row in rows.items():
        print(row.text(way))


def measure(
    browser: Browser,
    address: str,
    link: ThreadLink,
    emitted_s: dict[int, float],
    way: dict[str, Any],
    row: Row,
    seconds: float,
    hold: str,
) -> None:
    """Watch one way for `seconds` and add what was found to its row."""
    page = browser.new_page()
    page.goto(address)
    offer = page.evaluate("(way) => start(way)", way)
    answer = link.offer("bench", "view", offer, PeerSettings("127.0.0.1")).result(10)
    page.evaluate("(sdp) => peer.setRemoteDescription({ type: 'answer', sdp })", answer)
    page.wait_for_function("bench.stream")
    page.evaluate(f"sample({barcode.READ_JS})")
    if hold:
        page.evaluate("([hold_ms, every_ms]) => holdUp(hold_ms, every_ms)", [float(part) for part in hold.split("/")])
    page.wait_for_timeout(SETTLE_S * 1000)
    page.evaluate("() => { bench.drawn = []; bench.seen = [] }")
    began_s = time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    found = page.evaluate("bench")
    row.watched_s += time.monotonic() - began_s
    _add(row, found, emitted_s)
    _close(page)


def _add(row: Row, found: dict[str, Any], emitted_s: dict[int, float]) -> None:
    stream = found["stream"]
    # The page's times are the wall clock's, those of the stream the kernel's monotonic ones.
    ahead_ms = (time.time() - time.monotonic()) * 1000
    times: list[float] = []
    for rtp_timestamp, decoded_ms, drawn_ms in found["drawn"]:
        shown_ms = ((rtp_timestamp - stream["rtp_origin"]) % 2**32) / 90 + stream["rtp_origin_kernel_ms"] + ahead_ms
        row.decoded_ms.append(decoded_ms - shown_ms)
        row.drawn_ms.append(drawn_ms - shown_ms)
        times.append(drawn_ms)
    row.interval_ms += np.diff(sorted(times)).tolist()
    row.seen_ms += [at_ms - emitted_s[number] * 1000 for number, at_ms in found["seen"] if number in emitted_s]


def _close(page: Page) -> None:
    page.evaluate("peer.close()")
    page.close()


@contextmanager
def playing(width_px: int, height_px: int) -> Iterator[tuple[ThreadLink, dict[int, float]]]:
    """A link that streams the benchmark picture, and when each number was emitted, by the wall clock."""
    link = ThreadLink()
    sink = link.open_stream("bench", StreamSettings(rate_fps=2 * RATE_FPS))
    picture = MovingPicture(width_px, height_px)
    emitted_s: dict[int, float] = {}
    ended = threading.Event()

    def emit() -> None:
        began_s, number = time.perf_counter(), 0
        while not ended.wait(max(0.0, began_s + number * SLIP / RATE_FPS - time.perf_counter())):
            frame = picture.frame(number)
            emitted_s[number] = time.time()
            sink.put(to_block(frame))
            number += 1

    model = threading.Thread(target=emit, name="bench-model")
    model.start()
    try:
        yield link, emitted_s
    finally:
        ended.set()
        sink.close()
        model.join()
        link.close()


@contextmanager
def served() -> Iterator[str]:
    """The address of the bare page."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _BarePage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def _percentiles(values: list[float]) -> str:
    return " / ".join(f"{np.percentile(values, q):.0f}" for q in (50, 95)) if values else "–"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--hold", default="", metavar="MS/MS")
    parser.add_argument("--software-gpu", action="store_true")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
