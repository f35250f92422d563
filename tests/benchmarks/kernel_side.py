"""What runs in the kernel under measurement: the same model, sent to the page in the ways that a notebook has."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.model_loop import Frame, Job, Player

JPEG_QUALITY = 85


@dataclass
class Marks:
    """When each use of a control arrived, by its number, on the machine's wall clock."""

    at_s: dict[int, float] = field(default_factory=dict)

    def mark(self, index: int) -> None:
        self.at_s.setdefault(index, time.time())


marks = Marks()
_player: list[Player] = []
_ended = threading.Event()


def prepare(job: str) -> None:
    """Make the picture, before anything is timed. `job`: a Job as text."""
    _player[:] = [Player(Job.from_text(job))]


def player() -> Player:
    return _player[0]


def start_thread(emit: Callable[[Frame], Any]) -> None:
    """For the peers that bring no thread of their own."""
    threading.Thread(target=player().play, args=(emit, _ended.is_set), name="bench-model", daemon=True).start()


def start_image() -> Any:
    """`ipywidgets.Image` fed with JPEG: the way that needs nothing but ipywidgets."""
    import ipywidgets

    encode = _jpeg_encoder()
    job = player().job
    image = ipywidgets.Image(format="jpeg", width=job.width_px, height=job.height_px)

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
    job = player().job
    buffer.css_width, buffer.css_height = f"{job.width_px}px", f"{job.height_px}px"
    loop = asyncio.get_running_loop()

    def emit(frame: Frame) -> None:
        newest[:] = [frame]
        loop.call_soon_threadsafe(buffer.request_draw)

    start_thread(emit)
    return ipywidgets.VBox([buffer, _slider()])


def _slider() -> Any:
    import ipywidgets

    slider = ipywidgets.IntSlider(min=0, max=1000, description="index")
    slider.observe(lambda change: marks.mark(change["new"]), "value")
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


def alive(name: str) -> dict[str, float]:
    """What is kept for a model's pages: peers and comm carriers that are heard, those of pages that went without a word
    (a bounded number is kept, and sent nothing), and tasks of the loops of kernel and media."""
    from reactor_nb.runtime.base import get_runtime

    stats = get_runtime().link.stats(name)
    roads = [peer["road"] or {} for peer in stats["peers"].values()]
    silent = sum(road.get("is_passed_over", False) or road.get("state") == "suspended" for road in roads)
    return {
        "peers": len(roads) - silent,
        "pages that went without a word": silent,
        "kernel, tasks": len(asyncio.all_tasks()),
        "media process, tasks": stats["tasks"],
    }
