"""What session.stats() says: the counts of the kernel's side and those of the media, in one dictionary."""

from __future__ import annotations

from typing import Any

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.calls import CallQueue
from reactor_nb.core.camera import Camera
from reactor_nb.core.life import Life
from reactor_nb.core.outlet import Outlet


def session_stats(
    life: Life, outlet: Outlet, sink: FrameSink, calls: CallQueue, camera: Camera, media: dict[str, Any]
) -> dict[str, Any]:
    """The counts of now, JSON values.

    Args:
        media: what the link says of the stream; {} where there is none.
    Threads: any.
    """
    counts = sink.counts()
    views = media.get("views", 0)
    return {
        "state": life.state,
        "loading_s": life.loading_s(),
        "running_s": life.running_s(),
        **outlet.emission.stats(),
        "produced": counts.produced,
        "played": counts.played,
        "dropped": counts.dropped,
        "waiting_calls": calls.waiting,
        "shown_frames": camera.shown,
        "failed_frames": camera.failed,
        "views": views if isinstance(views, int) else len(views),
        "media": media,
    }
