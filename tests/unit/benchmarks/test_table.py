"""The table: goals and verdicts, and where it is written."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import report
from tests.benchmarks.goals import Goal, rows
from tests.benchmarks.plot import latency_plot
from tests.benchmarks.record import Emitted
from tests.benchmarks.results import HD, Fidelity, Result, Results, Window
from tests.benchmarks.table import colour_table, main_table, markdown, missed, stage_table


def window(seen_ms: float, *, skipped: int = 0, duration_s: float = 20.0) -> Window:
    cpu = {"kernel": 2.0, "media": 14.0, "server": 0.5, "browser": 40.0}
    return Window(
        duration_s, seen_fps=29.97, skipped=skipped, seen_ms=[seen_ms] * 20, interval_ms=[33.3] * 20, cpu_percent=cpu
    )


def results(**seen_ms: float) -> Results:
    named = {"reactor_nb": seen_ms["ours"], "jupyter_rfb": seen_ms["rfb"]}
    return Results(tuple(Result(name, HD, 30.0, windows=[window(value)]) for name, value in named.items()))


def line(text: str, label: str) -> list[str]:
    found = next(each for each in text.splitlines() if each.startswith(f"| {label}"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_a_goal_is_judged_as_it_is_printed() -> None:
    assert Goal(30.0, "at least", 1).is_met(29.97)
    assert not Goal(30.0, "at least", 1).is_met(29.94)
    assert Goal(14, "at most").is_met(14.4)
    assert not Goal(14, "at most").is_met(14.6)


def test_our_figures_carry_a_verdict_and_those_of_the_peers_do_not() -> None:
    cells = line(main_table(results(ours=14.2, rfb=107.0)), "seen p50 / p95 ms, 1280x720")
    assert cells == ["seen p50 / p95 ms, 1280x720", "15 / 24", "14 / 14 ✓", "107 / 107"]


def test_a_goal_that_is_missed_is_named() -> None:
    found = results(ours=25.0, rfb=107.0)
    assert line(main_table(found), "seen p50 / p95 ms, 1280x720")[2] == "25 / 25 ✗"
    assert "seen p50 / p95 ms, 1280x720" in [row.label for row in missed(found)]
    assert "seen fps, 720p" not in [row.label for row in missed(found)]


def test_rows_that_nobody_measured_are_left_out() -> None:
    text = main_table(results(ours=14.0, rfb=107.0))
    assert "640x480" not in text
    assert "jupyter_rfb" in text
    assert "aiortc" not in text


def test_lost_frames_are_the_median_of_the_windows_for_20_seconds() -> None:
    windows = [window(14.0, skipped=count, duration_s=10.0) for count in (0, 9, 2)]
    found = Results((Result("reactor_nb", HD, 30.0, windows=windows),))
    assert line(main_table(found), "skipped + doubled in 20 s")[2] == "4 ✗"


def test_flat_patches_have_a_table_of_their_own_and_the_worst_codec_counts() -> None:
    start = results(ours=14.0, rfb=107.0).all
    patches = [
        Result("reactor_nb", HD, 30.0, fidelity=Fidelity([codec], colour_percent=[error]))
        for codec, error in (("H264", 0.3), ("VP8", 1.2))
    ]
    found = Results((*start, *patches))
    assert "| reactor_nb | VP8   | 1.20 %     |" in colour_table(found)
    assert line(main_table(found), "colour error of flat patches")[2] == "1.2 ✗"
    assert len(found.of("reactor_nb", HD)) == 1


def test_the_stages_of_several_starts_are_their_medians() -> None:
    starts = [
        Result(
            "reactor_nb", HD, 30.0, stages_ms={"encode": {"p50": middle, "p95": 9.0}, "send": {"p50": 1.0, "p95": 2.0}}
        )
        for middle in (3.0, 50.0, 4.0)
    ]
    fast = Result("reactor_nb", HD, 60.0, stages_ms={"encode": {"p50": 2.0, "p95": 3.0}})
    text = stage_table(Results((*starts, fast)))
    assert line(text, "encode") == ["encode", "4.0 / 9.0", "2.0 / 3.0"]
    assert line(text, "send") == ["send", "1.0 / 2.0", "–"]
    assert line(text, "stage") == ["stage, p50 / p95 ms", "720p30", "720p60"]


def test_every_goal_of_a_row_has_a_figure() -> None:
    """A row that reads more or fewer figures than it has goals fails only once something was measured."""
    found = results(ours=14.0, rfb=107.0)
    for row in rows():
        values = row.read(found, "reactor_nb")
        assert values is None or len(values) == len(row.goals), row.label


def test_a_window_counts_what_lies_in_it_and_knows_frames_that_were_under_way() -> None:
    emitted = Emitted(np.arange(6), 10 + np.arange(6) / 30, np.full(6, 0.2), np.zeros(6))
    seen = [(number, (10 + number / 30) * 1000 + 15) for number in range(6)]
    found = Window.of((10.01, 10.15), seen, [(10_050.0, 9.0), (11_000.0, 99.0)], [], emitted, 1 / 30)
    assert found.seen_ms == pytest.approx([15.0] * 5)
    assert found.drawn_ms == [9.0]
    assert len(found.held_ms) == 4


def test_what_an_emission_costs_is_told_of_a_model_below_the_cap() -> None:
    at_cap, below = (Window(20.0, held_ms=[held_ms] * 20) for held_ms in (30.0, 0.14))
    found = Results((Result("reactor_nb", HD, 30.0, windows=[at_cap]), Result("reactor_nb", HD, 25.0, windows=[below])))
    row = next(row for row in rows() if row.label.startswith("emit holds"))
    assert row.cell(found, "reactor_nb") == "0.14 / 0.14 ✓"


def test_the_columns_of_a_table_are_aligned() -> None:
    assert markdown(["", "b"], [["long", "c"]]) == "|      | b |\n|------|---|\n| long | c |"


def test_a_section_is_replaced_and_the_text_around_it_stays() -> None:
    text = "before\n<!-- soak -->\nold\n<!-- /soak -->\nafter\n"
    once = report.with_section(text, "soak", "new")
    assert once == "before\n<!-- soak -->\n\nnew\n\n<!-- /soak -->\nafter\n"
    assert report.with_section(once, "soak", "new") == once
    with pytest.raises(ValueError, match="no section 'slowdown'"):
        report.with_section(text, "slowdown", "new")


def test_a_run_writes_its_document_and_its_plot(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    report.write_comparison(document, "a machine", results(ours=25.0, rfb=107.0), ["Not measured: aiortc"])
    text = document.read_text(encoding="utf-8")
    for part in (
        "a machine",
        "25 / 25 ✗",
        "(images/performance.svg)",
        "Goals that were missed: seen p50",
        "Not measured: aiortc",
    ):
        assert part in text
    assert (tmp_path / "images" / "performance.svg").exists()


def test_the_plot_is_well_formed_and_names_every_peer() -> None:
    root = ElementTree.fromstring(latency_plot(results(ours=14.0, rfb=107.0)))
    texts = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"reactor_nb", "jupyter_rfb", "Emit to seen, 1280x720, ms"} <= texts
    assert "aiortc" not in texts
