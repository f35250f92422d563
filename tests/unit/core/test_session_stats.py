"""What a session says of itself: counts, stages and the times of its last frames."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from reactor_nb import VideoModel, get_ctx, model
from reactor_nb.core.buffer import FrameBuffer
from reactor_nb.core.session import Session
from reactor_nb.core.stages import KEPT_FRAMES
from reactor_nb.runtime.base import Runtime
from tests.unit.core.stage import staged
from tests.unit.runtime.links import MemoryLink

_FRAME = np.zeros((4, 6, 3), np.uint8)


@model(name="plasma")
class Plasma(VideoModel):
    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(_FRAME)


def test_stats_are_json_and_name_the_stages_of_the_models_side() -> None:
    with staged(Plasma) as stage:
        session = stage.play()
        assert session.wait(5, frames=10)
        session.stop()
        stats = session.stats()
        assert json.loads(json.dumps(stats, allow_nan=False)) == stats
        assert list(stats["stages"]) == ["model", "convert"]
        assert 0 <= stats["stages"]["convert"]["p50"] <= stats["stages"]["convert"]["p95"]
        assert sum(stats["dropped_why"].values()) == stats["dropped"]
        assert (stats["encoded"], stats["painted"], stats["latency_ms"]) == (None, None, None)


def test_the_times_of_the_last_frames_are_kept_and_in_order() -> None:
    with staged(Plasma, rate_fps=1000) as stage:
        session = stage.play()
        assert session.wait(10, frames=KEPT_FRAMES + 20)
        session.stop()
        rows = session.timeline()
        assert len(rows) == KEPT_FRAMES
        assert json.loads(json.dumps(rows, allow_nan=False)) == rows
        assert [row["number"] for row in rows] == list(range(rows[0]["number"], rows[0]["number"] + KEPT_FRAMES))
        assert rows[-1]["number"] == session.stats()["produced"] - 1
        assert all(row["emitted_s"] <= row["converted_s"] for row in rows)
        assert all(row["model_ms"] >= 0 for row in rows)


def test_what_the_media_count_is_told_beside_what_the_session_counts() -> None:
    media: dict[str, Any] = {
        "views": 2,
        "frames": {
            "encoded": 9,
            "sent": 18,
            "painted": 17,
            "skipped": {"page": 1},
            "bits_per_s": 8e6,
            "latency_ms": {"p50": 9.0, "p95": 14.0},
            "stages": {"encode": {"p50": 3.0, "p95": 4.0}},
        },
    }
    with staged(Plasma) as stage:
        session = Session(stage.loaded, FrameBuffer(30), rate_fps=30, media_stats=lambda: media)
        stats = session.stats()
        assert (stats["encoded"], stats["sent"], stats["painted"], stats["views"]) == (9, 18, 17, 2)
        assert stats["skipped"] == {"page": 1}
        assert stats["latency_ms"] == {"p50": 9.0, "p95": 14.0}
        assert stats["stages"] == {"encode": {"p50": 3.0, "p95": 4.0}}
        assert stats["media"] == media


class CountingLink(MemoryLink):
    """Says of every stream that it has one view."""

    def stats(self, name: str) -> dict[str, Any]:
        return {"views": 1, "frames": {"encoded": 7}}

    def timeline(self, name: str) -> dict[str, Any]:
        return {"frames": [[0, 0.0, 0.0, 0.0, 0.0]], "codecs": {}, "views": {}, "skipped": {}}


def test_a_session_that_another_has_replaced_does_not_tell_of_the_others_pages() -> None:
    runtime = Runtime(CountingLink)
    try:
        first = runtime.run(Plasma)
        assert first.wait(5, frames=1)
        assert (first.stats()["encoded"], first.stats()["views"]) == (7, 1)
        second = runtime.run(Plasma)
        assert second.wait(5, frames=1)
        assert (first.stats()["encoded"], first.stats()["views"], first.stats()["media"]) == (None, 0, {})
        assert second.stats()["encoded"] == 7
        assert {row["played_s"] for row in first.timeline()} == {None}
    finally:
        runtime.close()
