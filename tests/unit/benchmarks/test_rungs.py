"""The rungs side by side: what is visited, and how the tables are read."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.benchmarks import controls, rungs
from tests.benchmarks.model_loop import Job
from tests.benchmarks.peers import JPEG, OURS, RUNGS, TURN, VIDEO, WEBRTC, start_cell
from tests.benchmarks.results import HD, VGA, Fidelity, Result, Window
from tests.benchmarks.roads import ROADS
from tests.benchmarks.rung_table import rows, rung_table, rung_tables


def start(peer: str, road: str = "", *, seen_ms: float = 12.0, size: tuple[int, int] = HD) -> Result:
    cpu = {"kernel": 2.4, "media": 14.0, "server": 6.6, "browser": 40.0}
    window = Window(10.0, seen_fps=29.97, seen_ms=[seen_ms] * 20, mbps=12.34, cpu_percent=cpu)
    fidelity = Fidelity(["H264"], luma_db=[36.0], block_db=[45.0])
    return Result(peer, size, 30.0, windows=[window], road=road, fidelity=fidelity)


def line(text: str, label: str) -> list[str]:
    found = next(each for each in text.splitlines() if each.startswith(f"| {label}"))
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


def test_every_rung_is_started_at_both_sizes_in_each_round_and_in_turns() -> None:
    for road in ROADS.values():
        rounds = rungs.plan(RUNGS, road, rounds=3, window_s=10)
        for visits in rounds:
            assert Counter((visit.peer.name, visit.size) for visit in visits) == Counter(
                (rung.name, size) for rung in RUNGS for size in (VGA, HD)
            )
        assert len({visits[0].peer.name for visits in rounds}) == 3


def test_controls_are_used_once_on_every_rung_where_the_road_adds_nothing() -> None:
    fast, slow = (rungs.plan(RUNGS, ROADS[name], rounds=2, window_s=10) for name in ("loopback", "slow"))
    used = [visit.peer.name for visits in fast for visit in visits if visit.has_controls]
    assert sorted(used) == sorted(rung.name for rung in RUNGS)
    assert not any(visit.has_controls for visits in slow for visit in visits)


def test_the_relay_is_visited_in_the_first_round_only_and_its_controls_are_webrtcs() -> None:
    first, second = rungs.plan([*RUNGS, TURN], ROADS["loopback"], rounds=2, window_s=10)
    assert [visit.size for visit in first if visit.peer is TURN] == [VGA, HD]
    assert not any(visit.has_controls for visit in first if visit.peer is TURN)
    assert TURN not in [visit.peer for visit in second]
    assert [visit.peer for visit in rungs.plan([TURN], ROADS["slow"], rounds=1, window_s=10)[0]] == [TURN, TURN]


def test_a_rung_is_asked_for_by_name_and_the_project_as_it_comes_is_not() -> None:
    assert start_cell(VIDEO, Job(*HD, "frames"), None) == "%reactor run bench --carrier comm"
    assert start_cell(JPEG, Job(*HD, "frames", 60), None) == "%reactor run bench --carrier jpeg --model.fps=60"
    assert start_cell(OURS, Job(*HD, "frames"), None) == "%reactor run bench"


def test_a_road_has_a_table_of_its_own_with_a_column_for_each_rung() -> None:
    found = [start(rung.name, road) for road in ("Near", "Far") for rung in (WEBRTC, VIDEO)]
    near, far = rung_tables(found).split("Far:")
    assert near.startswith("Near:")
    for text in (near, far):
        assert line(text, "   ") == [WEBRTC.name, VIDEO.name]
        assert line(text, "1280x720: received") == ["12.3", "12.3"]


def test_the_processor_is_told_of_kernel_media_server_and_page() -> None:
    assert line(rung_table([start("WebRTC")]), "1280x720: CPU") == ["2 / 14 / 7 / 40"]


def test_starts_of_one_rung_are_read_together_and_a_size_that_was_not_measured_is_left_out() -> None:
    text = rung_table([start("WebRTC", seen_ms=10.0), start("WebRTC", seen_ms=30.0)])
    assert line(text, "1280x720: seen p50 / p95") == ["20 / 30"]
    assert "640x480" not in text


def test_a_rung_that_was_not_measured_at_a_size_has_a_dash_there() -> None:
    text = rung_table([start("WebRTC"), start("WebRTC", size=VGA), start("JPEG over Jupyter")])
    assert line(text, "640x480: seen fps") == ["30.0", "–"]


def test_every_row_can_be_read_of_nothing() -> None:
    assert all(row.read([]) is None for row in rows())


def test_a_press_of_the_slider_counts_when_its_value_or_a_later_one_has_arrived() -> None:
    """A kernel that is busy is told the newest value only."""
    keys_ms = [1000.0, 1100.0, 1200.0]
    assert controls.slider_latencies(keys_ms, 21, {21: 1005.0, 23: 1230.0, 41: 1001.0}) == [5.0, 130.0, 30.0]
    assert controls.slider_latencies(keys_ms, 21, {21: 1005.0}) == pytest.approx([5.0])
