"""What runs in the kernel under measurement: the same work, sent to the page in three ways.

Every peer's model makes a frame, notes the wall-clock time under its number and hands it over, 30 times
a second by its own schedule. It never waits for a page.
"""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.picture import MovingPicture

RATE_FPS = 30
JPEG_QUALITY = 85

Frame = NDArray[np.uint8]


@dataclass
class Record:
    """What the kernel notes, on the machine's wall clock, which the page reads as well."""

    size: tuple[int, int] = (640, 480)
    emitted_s: dict[int, float] = field(default_factory=dict)
    held_ms: dict[int, float] = field(default_factory=dict)
    marked_s: dict[int, float] = field(default_factory=dict)

    def mark(self, index: int) -> None:
        self.marked_s.setdefault(index, time.time())


record = Record()
_ended = threading.Event()


def play(emit: Callable[[Frame], Any], should_stop: Callable[[], bool]) -> None:
    """Make and emit frames by a fixed schedule until told to stop; a late frame does not hurry the next."""
    picture = MovingPicture(*record.size)
    began_s = time.perf_counter()
    number = 0
    while not should_stop():
        frame = picture.frame(number)
        record.emitted_s[number] = time.time()
        before_s = time.perf_counter()
        emit(frame)
        record.held_ms[number] = (time.perf_counter() - before_s) * 1000
        number += 1
        time.sleep(max(0.0, began_s + number / RATE_FPS - time.perf_counter()))


def start_thread(emit: Callable[[Frame], Any]) -> None:
    """For the peers that bring no thread of their own."""
    threading.Thread(target=play, args=(emit, _ended.is_set), name="bench-model", daemon=True).start()


def start_image() -> Any:
    """`ipywidgets.Image` fed with JPEG: the way that needs nothing but ipywidgets."""
    import ipywidgets

    encode = _jpeg_encoder()
    image = ipywidgets.Image(format="jpeg", width=record.size[0], height=record.size[1])

    def emit(frame: Frame) -> None:
        image.value = encode(frame)

    start_thread(emit)
    return ipywidgets.VBox([image, _slider()])


def start_rfb() -> Any:
    """jupyter_rfb, drawn by request; its frames are taken on the kernel's main thread."""
    import ipywidgets
    from jupyter_rfb import RemoteFrameBuffer

    newest: list[Frame] = []

    class Buffer(RemoteFrameBuffer):  # type: ignore[misc]
        def get_frame(self) -> Frame | None:
            return newest[0] if newest else None

    buffer = Buffer()
    buffer.css_width, buffer.css_height = f"{record.size[0]}px", f"{record.size[1]}px"
    loop = asyncio.get_running_loop()

    def emit(frame: Frame) -> None:
        newest[:] = [frame]
        loop.call_soon_threadsafe(buffer.request_draw)

    start_thread(emit)
    return ipywidgets.VBox([buffer, _slider()])


def _slider() -> Any:
    import ipywidgets

    slider = ipywidgets.IntSlider(min=0, max=1000, description="index")
    slider.observe(lambda change: record.mark(change["new"]), "value")
    return slider


def _jpeg_encoder() -> Callable[[Frame], bytes]:
    try:
        import simplejpeg
    except ImportError:
        from PIL import Image

        def encode(frame: Frame) -> bytes:
            buffer = io.BytesIO()
            Image.fromarray(frame).save(buffer, "JPEG", quality=JPEG_QUALITY)
            return buffer.getvalue()

        return encode
    return lambda frame: bytes(simplejpeg.encode_jpeg(frame, quality=JPEG_QUALITY, colorspace="RGB"))
