from __future__ import annotations

import re
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_nb import VideoModel, get_ctx, model
from reactor_nb.core.stages import STAGES, TIMES, spans
from reactor_nb.errors import MediaFileError, NotStreamingError
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.profile import Profile, profile_of
from reactor_nb.runtime.profile_marks import bit_rate, ms, nice_ceiling, number, ticks
from tests.unit.runtime.links import MemoryLink

MS = 0.001
FRAME = np.zeros((4, 6, 3), np.uint8)
PAGE = ("received_s", "decoded_s", "painted_s")
MEDIA = ("encoded_s", "sent_s", *PAGE)


@model(name="plasma")
class Plasma(VideoModel):
    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(FRAME)


@model(name="silent")
class Silent(VideoModel):
    def start_session(self) -> None:
        pause = threading.Event()
        while not get_ctx().should_stop():
            pause.wait(0.005)


def row(
    place: int, *, without: tuple[str, ...] = (), skipped: str | None = None, late_ms: float = 0.0
) -> dict[str, Any]:
    emitted_s = 100 + place / 30
    times = {key: emitted_s + step * MS for step, key in enumerate(TIMES)}
    times["painted_s"] += late_ms * MS
    return {
        "number": place,
        "model_ms": None if place == 0 else 20.0,
        "held_ms": 13.0,
        "skipped": skipped,
        "due_s": emitted_s,
        "began_s": None,
        "bytes": 1000,
        "is_keyframe": place == 0,
        **{key: None if key in without else at_s for key, at_s in times.items()},
    }


def profile(rows: list[dict[str, Any]], name: str = "plasma", **facts: Any) -> Profile:
    return Profile(name, rows, 30.0, {"rate_fps": 30.0, "size": "640×360", "bits_per_s": 9.1e6, **facts})


def words(drawn: Profile) -> str:
    """Every text of the picture, which is read as XML."""
    root = ElementTree.fromstring(drawn.svg())
    return "\n".join(node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text"))


def test_the_picture_names_every_stage_with_its_times() -> None:
    text = words(profile([row(place) for place in range(300)], codec="H264", painter="worker"))
    for stage in STAGES:
        assert stage.name in text
        assert stage.about in text
    assert "the last 300 frames · 10.0 s · 640×360 · H264 · worker" in text
    assert "p50 7.0 ms" in text
    assert "9.1 Mbit/s" in text


def test_a_browser_that_does_not_tell_when_it_received_leaves_a_stage_unknown() -> None:
    known = profile([row(place, without=("received_s",)) for place in range(30)])
    assert "unknown" in known.stages
    assert list(known.stages)[-2:] == ["unknown", "paint"]
    assert "this browser does not tell" in words(known)


def test_without_a_page_the_stages_end_with_the_clock() -> None:
    headless = profile([row(place, without=MEDIA) for place in range(30)])
    assert list(headless.stages) == ["model", "convert", "wait"]
    assert "as played" in words(headless)
    assert "–" in words(headless)


def test_skipped_frames_are_told_with_their_reason() -> None:
    rows = [row(place) for place in range(10)]
    rows[3] = row(3, without=MEDIA, skipped="encoder")
    rows[5] = row(5, without=("painted_s",), skipped="page")
    drawn = profile(rows)
    assert drawn.skipped == {"encoder": 1, "page": 1}
    assert "skipped: 1 by the encoder, 1 by the page" in words(drawn)
    assert "1 skipped" in repr(drawn)


def test_one_hiccup_does_not_press_the_other_frames_flat() -> None:
    rows = [row(place) for place in range(300)]
    rows[100] = row(100, late_ms=900.0)
    assert re.search(r"^10 ms$", words(profile(rows)), re.M)


def test_the_spans_of_a_frame_lie_end_to_end() -> None:
    way = spans(row(1, without=("received_s",)))
    assert [span.name for span in way] == ["convert", "wait", "encode", "send", "unknown", "paint"]
    assert way[0].begins_ms == 0
    assert all(after.begins_ms == before.ends_ms for before, after in pairwise(way))


def test_the_intervals_are_those_of_the_screen_and_leave_out_what_was_not_shown() -> None:
    rows = [row(0), row(1, without=PAGE), row(2), row(3)]
    assert {place: round(each_ms) for place, each_ms in profile(rows).intervals_ms().items()} == {2: 67, 3: 33}


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from(TIMES[1:])), st.floats(-50, 5000), st.none() | st.just("page")),
        min_size=1,
        max_size=60,
    )
)
def test_any_rows_make_a_picture_that_can_be_read(rows: list[tuple[set[str], float, str | None]]) -> None:
    drawn = profile(
        [row(place, without=tuple(out), late_ms=ms, skipped=why) for place, (out, ms, why) in enumerate(rows)]
    )
    svg = drawn.svg()
    ElementTree.fromstring(svg)
    assert not re.search(r"\b(nan|inf|None)\b", svg)
    assert repr(drawn)


def test_a_name_is_text_and_never_markup() -> None:
    drawn = profile([row(0)], name='<script>"&')
    assert '<script>"&' in words(drawn)
    assert "<script>" not in drawn.svg()


def test_nothing_in_the_picture_is_loaded_from_anywhere() -> None:
    svg = profile([row(place) for place in range(300)]).svg()
    assert re.findall(r"(?:https?:|url\(|href|@import|<script|<image|<foreignObject)[^ \"]*", svg) == [
        "http://www.w3.org/2000/svg"
    ]
    assert len(svg) < 100_000


def test_a_profile_shows_itself_in_a_notebook_and_in_a_console() -> None:
    drawn = profile([row(place) for place in range(30)])
    bundle = drawn._repr_mimebundle_()
    assert bundle["text/html"].startswith("<svg")
    assert bundle["image/svg+xml"] == bundle["text/html"]
    table = bundle["text/plain"].splitlines()
    assert table[0] == "plasma: the last 30 frames, 1.0 s"
    assert [line.split()[0] for line in table[3:]] == ["model", *(stage.name for stage in STAGES), "emit"]


def test_a_profile_is_saved_where_it_is_told(tmp_path: Path) -> None:
    drawn = profile([row(place) for place in range(3)])
    assert drawn.save(tmp_path / "new" / "where.svg").read_text() == drawn.svg()


def test_a_profile_is_no_other_kind_of_file(tmp_path: Path) -> None:
    with pytest.raises(MediaFileError, match=r"needs \.svg: profile\.svg"):
        profile([row(0)]).save(tmp_path / "where.png")


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaFileError, match="cannot be written"):
        profile([row(0)]).save(tmp_path / "file" / "where.svg")


def test_a_session_that_emitted_has_a_profile_without_any_page() -> None:
    runtime = Runtime(MemoryLink)
    try:
        session = runtime.run(Plasma)
        assert session.wait(5, frames=5)
        drawn = profile_of(session)
        assert len(drawn.rows) >= 5
        assert drawn.stages["convert"]["p95"] > 0
        ElementTree.fromstring(drawn.svg())
    finally:
        runtime.close()


@given(st.floats(1e-3, 1e6))
def test_a_scale_ends_at_a_round_number_not_far_above(value: float) -> None:
    marks = ticks(value)
    assert marks[0] == 0
    assert value * 0.99 <= marks[-1] <= max(1.0, value * 1.5)
    assert 3 <= len(marks) <= 7
    assert all(len(f"{mark:g}") <= 5 or mark >= 100_000 for mark in marks)


def test_numbers_are_written_as_people_read_them() -> None:
    assert [ms(value) for value in (0.123, 4.56, 123.4)] == ["0.12 ms", "4.6 ms", "123 ms"]
    assert [bit_rate(value) for value in (42_000, 9_100_000)] == ["42 kbit/s", "9.1 Mbit/s"]
    assert [number(value) for value in (1.0, 1.25, -0.01, 12.34)] == ["1", "1.2", "0", "12.3"]
    assert [nice_ceiling(value) for value in (0, 0.3, 3, 7, 11)] == [1.0, 0.5, 5.0, 10.0, 20.0]


def test_a_session_without_a_frame_says_how_to_wait_for_one() -> None:
    runtime = Runtime(MemoryLink)
    try:
        session = runtime.run(Silent)
        assert session.wait_ready(5)
        with pytest.raises(NotStreamingError, match=r"has emitted no frame yet\. Wait for one: session\.wait"):
            profile_of(session)
    finally:
        runtime.close()
