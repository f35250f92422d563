from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from reactor_nb.core.buffer import BufferedFrame
from reactor_nb.core.stages import KEPT_FRAMES, joined
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.timeline import Timeline
from tests.benchmarks.counting import costs_us, share

MS = 0.001
ORIGIN = 4_294_967_000  # wraps after a few frames
PIXELS = np.zeros((2, 2, 3), np.uint8)
ABOUT_NOW_S = time.monotonic()


def at_s(number: int) -> float:
    return ABOUT_NOW_S + number / 30


def shown(number: int) -> BufferedFrame:
    emitted_s = at_s(number)
    return BufferedFrame(
        PIXELS, number, emitted_s, emitted_s + 2 * MS, converted_s=emitted_s + 1 * MS, due_s=emitted_s + 1 * MS
    )


def encoded(number: int, *, again: int = 0, codec: str = "H264") -> EncodedFrame:
    began_s = at_s(number) + 2 * MS + again
    return EncodedFrame(
        codec, bytes(1000), number * 3000 + again, number == 0, 2, 2, 30.0, number, began_s, began_s + 3 * MS
    )


def page_times(number: int, *, received_ms: float | None = None) -> list[float]:
    sent_ms = 1000 * (at_s(number) + 6 * MS)
    return [
        (number * 3000 + ORIGIN) & 0xFFFFFFFF,
        sent_ms + 1 if received_ms is None else received_ms,
        sent_ms + 2,
        sent_ms + 3,
    ]


def played(numbers: range, view_id: str = "a") -> Timeline:
    """Frames that went the whole way to one view."""
    timeline = Timeline()
    for number in numbers:
        timeline.shown(shown(number), is_watched=True)
        timeline.encoded(encoded(number))
        timeline.sent(view_id, encoded(number), ORIGIN, at_s(number) + 6 * MS)
    reported = [value for number in numbers for value in page_times(number)]
    timeline.painted(view_id, len(numbers), 0, reported)
    return timeline


def rows_of(timeline: Timeline, view_id: str | None = "a") -> list[dict[str, Any]]:
    return joined(timeline.report(), view_id)


def test_a_frame_is_followed_from_the_model_to_the_screen() -> None:
    summary = played(range(10)).summary()
    stages = {name: round(shares["p50"], 3) for name, shares in summary["stages"].items()}
    assert stages == {"convert": 1, "wait": 1, "encode": 3, "send": 1, "receive": 1, "decode": 1, "paint": 1}
    assert round(summary["latency_ms"]["p95"], 3) == 9
    assert [summary[name] for name in ("shown", "encoded", "sent", "painted", "unwatched")] == [10, 10, 10, 10, 0]
    assert summary["skipped"] == {}


def test_what_a_page_reports_is_found_by_its_timestamp_across_the_wrap() -> None:
    rows = rows_of(played(range(10)))
    assert [row["painted_s"] is not None for row in rows] == [True] * 10


def test_the_report_is_json_without_numbers_that_json_lacks() -> None:
    timeline = played(range(3))
    timeline.shown(BufferedFrame(PIXELS, 3, at_s(3), at_s(3)), is_watched=True)
    report = timeline.report()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["frames"][3][2] is None


def test_the_last_300_frames_are_kept() -> None:
    timeline = played(range(2 * KEPT_FRAMES + 7))
    report = timeline.report()
    numbers = list(range(KEPT_FRAMES + 7, 2 * KEPT_FRAMES + 7))
    assert [row[0] for row in report["frames"]] == numbers
    assert [row[0] for row in report["codecs"]["H264"]] == numbers
    assert [row[0] for row in report["views"]["a"]["frames"]] == numbers
    assert timeline.summary()["encoded"] == 2 * KEPT_FRAMES + 7


def test_a_frame_that_is_encoded_once_more_keeps_its_first_times_and_is_counted() -> None:
    timeline = played(range(3))
    before = rows_of(timeline)
    timeline.encoded(encoded(2, again=5))
    timeline.sent("a", encoded(2, again=5), ORIGIN, at_s(2) + 6)
    assert rows_of(timeline) == before
    assert timeline.summary()["encoded"] == 4
    assert timeline.summary()["sent"] == 4


def test_a_frame_that_is_told_of_twice_was_sent_once() -> None:
    timeline = played(range(3))
    timeline.sent("a", encoded(2), ORIGIN, at_s(2) + 60 * MS)
    assert timeline.summary()["sent"] == 3
    assert rows_of(timeline)[2]["sent_s"] == at_s(2) + 6 * MS


def test_a_frame_that_stood_still_until_somebody_came_has_no_time_of_encoding() -> None:
    timeline = Timeline()
    timeline.shown(shown(0), is_watched=False)
    timeline.encoded(encoded(0, again=30))
    timeline.sent("a", encoded(0, again=30), ORIGIN, at_s(0) + 31)
    summary = timeline.summary()
    assert summary["stages"].keys() == {"convert", "wait"}
    assert (summary["encoded"], summary["sent"], summary["unwatched"]) == (1, 1, 1)


def test_the_last_frame_of_the_session_before_is_not_taken_for_one_of_this() -> None:
    timeline = Timeline()
    late = encoded(0)
    timeline.begin()
    timeline.shown(shown(3000), is_watched=True)
    timeline.shown(BufferedFrame(PIXELS, 0, late.began_s + 1, late.began_s + 1), is_watched=True)
    timeline.encoded(late)
    assert {row["encoded_s"] for row in rows_of(timeline, None)} == {None}


def test_a_new_session_begins_to_count_and_the_views_stay() -> None:
    timeline = played(range(10))
    timeline.skip("encoder", 2)
    timeline.begin()
    assert timeline.summary()["skipped"] == {}
    assert timeline.summary()["bits_per_s"] == 0
    timeline.painted("a", 12, 1, [])
    assert timeline.summary()["painted"] == 2
    assert timeline.summary()["skipped"] == {"page": 1}
    assert timeline.report()["views"] == {"a": {"codec": "H264", "frames": []}}


def test_a_view_that_is_older_than_the_stream_counts_what_was_sent_to_it() -> None:
    timeline = played(range(10))
    timeline.painted("older", 5000, 70, [])
    assert timeline.summary()["painted"] == 10
    assert timeline.summary()["skipped"] == {}
    timeline.painted("older", 5004, 71, [])
    assert timeline.summary()["painted"] == 14
    assert timeline.summary()["skipped"] == {"page": 1}


def test_a_page_that_begins_anew_under_its_old_name_counts_from_0() -> None:
    timeline = played(range(10))
    timeline.painted("a", 3, 1, [])
    assert timeline.summary()["painted"] == 13
    assert timeline.summary()["skipped"] == {"page": 1}


def test_a_view_that_is_gone_is_forgotten_and_what_it_painted_is_not() -> None:
    timeline = played(range(10))
    timeline.forget("a")
    assert timeline.report()["views"] == {}
    assert timeline.summary()["painted"] == 10
    assert timeline.summary()["latency_ms"] is None


def test_a_page_that_does_not_tell_when_it_received_has_a_latency_all_the_same() -> None:
    timeline = Timeline()
    timeline.shown(shown(0), is_watched=True)
    timeline.encoded(encoded(0))
    timeline.sent("a", encoded(0), ORIGIN, at_s(0) + 6 * MS)
    timeline.painted("a", 1, 0, page_times(0, received_ms=-1))
    summary = timeline.summary()
    assert "receive" not in summary["stages"]
    assert round(summary["latency_ms"]["p50"], 3) == 9


@pytest.mark.parametrize("reported", [[1.0], [1.0, 2.0, 3.0], [1e300, 1, 2, 3], [-1, 1, 2, 3], [0.5] * 7])
def test_what_a_page_says_of_frames_that_it_was_never_sent_is_passed_over(reported: list[float]) -> None:
    timeline = Timeline()
    timeline.shown(shown(0), is_watched=True)
    timeline.encoded(encoded(0))
    timeline.sent("a", encoded(0), None, at_s(0))
    timeline.painted("a", 1, 0, reported)
    assert {row["painted_s"] for row in rows_of(timeline)} == {None}


def test_a_page_that_counts_backwards_takes_nothing_away() -> None:
    timeline = played(range(10))
    timeline.painted("a", -5, -7, [])
    timeline.painted("a", 3, 0, [])
    assert timeline.summary()["painted"] == 13
    assert timeline.summary()["skipped"] == {}


def test_bits_are_those_of_the_last_seconds() -> None:
    timeline = Timeline()
    now_s = time.monotonic()
    for number in range(60):
        began_s = now_s - 2 + number / 30
        timeline.encoded(EncodedFrame("H264", bytes(1000), number, False, 2, 2, 30.0, number, began_s, began_s))
    assert timeline.summary()["bits_per_s"] == pytest.approx(8 * 30 * 1000, rel=0.05)


def test_old_frames_make_no_bits() -> None:
    timeline = Timeline()
    long_ago_s = time.monotonic() - 60
    timeline.encoded(EncodedFrame("H264", bytes(1000), 0, False, 2, 2, 30.0, 0, long_ago_s, long_ago_s))
    assert timeline.summary()["bits_per_s"] == 0


def test_counting_takes_less_than_a_hundredth_of_a_core() -> None:
    assert share(sum(costs_us(rounds=3).values())) < 1
