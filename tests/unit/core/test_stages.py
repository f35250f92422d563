from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_nb.core.recent_blocks import RecentBlocks
from reactor_nb.core.stages import (
    KEPT_FRAMES,
    STAGES,
    TIMES,
    best_view,
    joined,
    latency_percentiles,
    percentiles,
    stage_percentiles,
    whole_rows,
)

MS = 0.001


def frame_row(number: int) -> list[float]:
    """number, emitted_s, converted_s, due_s, played_s."""
    at_s = number / 30
    return [number, at_s, at_s + 1 * MS, at_s + 1 * MS, at_s + 2 * MS]


def code_row(number: int) -> list[Any]:
    """number, began_s, encoded_s, bytes, is_keyframe."""
    at_s = number / 30
    return [number, at_s + 2 * MS, at_s + 5 * MS, 1000 + number, number == 0]


def sent_row(number: int, *, is_painted: bool = True) -> list[float | None]:
    """number, sent_s, received_s, decoded_s, painted_s."""
    at_s = number / 30
    page = [at_s + 7 * MS, at_s + 8 * MS, at_s + 9 * MS] if is_painted else [None] * 3
    return [number, at_s + 6 * MS, *page]


def report(frames: range, *, views: dict[str, range] | None = None) -> dict[str, Any]:
    return {
        "frames": [frame_row(number) for number in frames],
        "codecs": {"H264": [code_row(number) for number in frames]},
        "views": {
            view_id: {"codec": "H264", "frames": [sent_row(number) for number in painted]}
            for view_id, painted in (views or {"a": frames}).items()
        },
        "skipped": {},
    }


def emitted(frames: range) -> list[dict[str, Any]]:
    recent = RecentBlocks()
    for number in frames:
        recent.emitted(number, 1, number / 30, number / 30 + 1 * MS)
        recent.returned(number / 30 + 3 * MS)
    return list(recent.rows())


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=400))
def test_percentiles_are_of_the_values_and_in_order(values: list[float]) -> None:
    shares = percentiles(values)
    assert shares is not None
    assert min(values) <= shares["p50"] <= shares["p95"] <= max(values)
    assert shares["p50"] in values


def test_nothing_has_no_percentiles() -> None:
    assert percentiles([]) is None


def test_each_stage_begins_where_the_one_before_ends() -> None:
    assert [stage.ends for stage in STAGES[:-1]] == [stage.begins for stage in STAGES[1:]]
    assert (STAGES[0].begins, *(stage.ends for stage in STAGES)) == TIMES


def test_the_stages_of_a_frame_add_up_to_its_latency() -> None:
    rows = joined(report(range(10)), "a")
    stages = stage_percentiles(rows)
    latency = latency_percentiles(rows)
    assert list(stages) == [stage.name for stage in STAGES]
    assert latency is not None
    assert sum(shares["p50"] for shares in stages.values()) == pytest.approx(latency["p50"])
    assert latency["p50"] == pytest.approx(9.0)


def test_a_clock_of_the_page_that_runs_ahead_makes_no_time_negative() -> None:
    row = {"sent_s": 1.0, "received_s": 0.9995, "decoded_s": 1.001}
    assert stage_percentiles([row])["receive"] == {"p50": 0.0, "p95": 0.0}


def test_the_view_that_painted_most_is_the_one_that_is_told_of() -> None:
    both = report(range(10), views={"late": range(8, 10), "early": range(10)})
    assert best_view(both) == "early"
    assert best_view(report(range(3), views={})) == "a"
    assert best_view({"views": {}}) is None
    assert best_view({}) is None


def test_without_a_view_the_times_of_the_clock_are_known() -> None:
    rows = joined(report(range(3)), None)
    assert [row["played_s"] for row in rows] == [frame_row(number)[4] for number in range(3)]
    assert {row["encoded_s"] for row in rows} == {None}


def test_what_the_model_emitted_is_joined_with_what_the_media_knows() -> None:
    rows = whole_rows(emitted(range(5)), report(range(5)))
    assert [row["number"] for row in rows] == list(range(5))
    assert rows[3]["painted_s"] == sent_row(3)[4]
    assert rows[3]["bytes"] == 1003
    assert rows[0]["model_ms"] is None
    assert rows[3]["model_ms"] == pytest.approx(1000 / 30 - 3)
    assert rows[3]["held_ms"] == pytest.approx(2.0)
    assert {row["skipped"] for row in rows} == {None}


def test_times_of_a_later_session_are_not_taken_for_those_of_an_ended_one() -> None:
    before = [{**row, "emitted_s": row["emitted_s"] - 60} for row in emitted(range(5))]
    rows = whole_rows(before, report(range(5)))
    assert {row["painted_s"] for row in rows} == {None}
    assert {row["skipped"] for row in rows} == {None}


def test_without_media_there_is_a_row_for_each_frame() -> None:
    rows = whole_rows(emitted(range(5)), {})
    assert [row["number"] for row in rows] == list(range(5))
    assert set(rows[0]) >= {*TIMES, "due_s", "began_s", "bytes", "is_keyframe", "skipped", "model_ms", "held_ms"}


@pytest.mark.parametrize(
    ("kind", "reason"), [("frames", "clock"), ("codecs", "encoder"), ("sent", "view"), ("painted", "page")]
)
def test_a_frame_that_got_no_further_says_where_it_ended(kind: str, reason: str) -> None:
    known = report(range(5))
    view = known["views"]["a"]["frames"]
    if kind == "frames":
        del known["frames"][2]
    elif kind == "codecs":
        del known["codecs"]["H264"][2], view[2]
    elif kind == "sent":
        del view[2]
    else:
        view[2] = sent_row(2, is_painted=False)
    rows = whole_rows(emitted(range(5)), known)
    assert [row["skipped"] for row in rows] == [None, None, reason, None, None]


def test_a_frame_that_no_road_had_room_for_was_not_skipped_by_the_encoder() -> None:
    known = report(range(5))
    del known["codecs"]["H264"][1:3], known["views"]["a"]["frames"][1:3]
    rows = whole_rows(emitted(range(5)), {**known, "held": {"H264": [2], "JPEG": [1]}})
    assert [row["skipped"] for row in rows] == [None, "encoder", "road", None, None]


def test_frames_on_their_way_and_frames_that_nobody_saw_are_not_skipped() -> None:
    known = report(range(10), views={"a": range(3, 6)})
    known["codecs"]["H264"] = [code_row(number) for number in range(3, 8)]
    rows = whole_rows(emitted(range(10)), known)
    assert {row["skipped"] for row in rows} == {None}


def test_a_block_shares_its_time_among_its_frames() -> None:
    recent = RecentBlocks()
    recent.returned(0.0)
    recent.emitted(0, 4, 0.4, 0.41)
    recent.returned(0.81)
    rows = list(recent.rows())
    assert [row["number"] for row in rows] == [0, 1, 2, 3]
    assert [round(row["model_ms"], 6) for row in rows] == [100.0] * 4
    assert [round(row["held_ms"], 6) for row in rows] == [100.0] * 4


@given(st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_the_last_300_frames_are_kept_whatever_the_length_of_blocks(lengths: list[int]) -> None:
    recent = RecentBlocks()
    number = 0
    for length in lengths:
        recent.emitted(number, length, float(number), float(number))
        number += length
    rows = list(recent.rows())
    assert [row["number"] for row in rows] == list(range(max(0, number - KEPT_FRAMES), number))


def test_a_block_that_is_still_being_handed_over_was_held_for_an_unknown_time() -> None:
    recent = RecentBlocks()
    recent.emitted(0, 1, 0.0, math.nan)
    assert [row["held_ms"] for row in recent.rows()] == [None]
