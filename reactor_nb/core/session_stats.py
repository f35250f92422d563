"""What a session says of itself: the counts and times of the kernel's side joined with those of the media."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.calls import CallQueue
from reactor_nb.core.camera import Camera
from reactor_nb.core.life import Life
from reactor_nb.core.outlet import Outlet
from reactor_nb.core.stages import percentiles, stage_percentiles, whole_rows

AskMedia = Callable[[], dict[str, Any]]


class SessionStats:
    """Reads what the parts of a session have counted; counts nothing itself.

    Args:
        ask_stats, ask_timeline: what MediaLink.stats and MediaLink.timeline say of the session; {} where there is no
            media, or another session of the name has taken its place.
    Threads: any.
    """

    def __init__(
        self,
        life: Life,
        outlet: Outlet,
        sink: FrameSink,
        calls: CallQueue,
        camera: Camera,
        ask_stats: AskMedia | None,
        ask_timeline: AskMedia | None,
    ) -> None:
        self._life = life
        self._outlet = outlet
        self._sink = sink
        self._calls = calls
        self._camera = camera
        self._ask_stats = ask_stats
        self._ask_timeline = ask_timeline

    def stats(self) -> dict[str, Any]:
        """Session.stats, but for what the session counts itself."""
        media = self._ask_stats() if self._ask_stats is not None else {}
        frames = media.get("frames", {})
        views = media.get("views", 0)
        counts = self._sink.counts()
        recent = self._outlet.emission.recent()
        made = percentiles(row["model_ms"] for row in recent if row["model_ms"] is not None)
        skipped = {"clock": counts.skipped, **frames.get("skipped", {})}
        return {
            "state": self._life.state,
            "loading_s": self._life.loading_s(),
            "running_s": self._life.running_s(),
            **self._outlet.emission.stats(),
            "produced": counts.produced,
            "played": counts.played,
            "dropped": counts.dropped,
            "dropped_why": {why: count for why, count in self._sink.drops().items() if count},
            "encoded": frames.get("encoded"),
            "sent": frames.get("sent"),
            "painted": frames.get("painted"),
            "skipped": {reason: count for reason, count in skipped.items() if count},
            "bits_per_s": frames.get("bits_per_s"),
            "latency_ms": frames.get("latency_ms"),
            "stages": {
                **({"model": made} if made is not None else {}),
                **stage_percentiles(recent),
                **frames.get("stages", {}),
            },
            "waiting_calls": self._calls.waiting,
            "shown_frames": self._camera.shown,
            "failed_frames": self._camera.failed,
            "views": views if isinstance(views, int) else len(views),
            "media": media,
        }

    def timeline(self, view_id: str | None) -> list[dict[str, Any]]:
        """Session.timeline."""
        media = self._ask_timeline() if self._ask_timeline is not None else {}
        return whole_rows(self._outlet.emission.recent(), media, view_id)
