"""A long run over the rungs: what happens in it, and how what it found is judged."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.benchmarks import soak_rungs
from tests.benchmarks.disturbances import CALM_S, plan
from tests.benchmarks.soak_run import Shared, Soaked
from tests.benchmarks.soak_table import is_flat, shared_table, soak_table

AT_S = [10.0 * index for index in range(61)]
RUNGS = ["WebRTC", "JPEG over Jupyter"]


def soaked(*, kernel_mb_per_minute: float = 0.0, peers: float = 1.0, lost: list[str] | None = None) -> Soaked:
    return Soaked(
        "WebRTC",
        at_s=AT_S,
        series={"kernel, MB": [200 + kernel_mb_per_minute * at_s / 60 for at_s in AT_S]},
        calm={"peers": (1.0, peers)},
        still_s={"no UDP": [1.9, 2.1, 5.0]},
        reload_s=[0.4],
        lost=lost or [],
    )


def test_the_same_seed_disturbs_in_the_same_way_and_another_one_does_not() -> None:
    assert plan(RUNGS, 600, seed=5) == plan(RUNGS, 600, seed=5)
    assert plan(RUNGS, 600, seed=5) != plan(RUNGS, 600, seed=6)


def test_ten_minutes_hold_reloads_of_every_page_and_both_cuts_and_are_calm_at_both_ends() -> None:
    events = plan(RUNGS, 600, seed=5)
    assert {event.rung for event in events if event.kind == "reload"} == set(RUNGS)
    assert {event.kind for event in events} == {"reload", "no UDP", "nothing passes"}
    assert events[0].at_s >= CALM_S
    assert events[-1].at_s + events[-1].duration_s < 600
    assert all(later.at_s > earlier.at_s + earlier.duration_s for earlier, later in pairwise(events))


def test_where_nothing_can_be_cut_pages_are_reloaded_only() -> None:
    assert {event.kind for event in plan(RUNGS, 600, seed=5, has_cuts=False)} == {"reload"}


def test_a_run_in_which_nothing_grows_and_every_picture_comes_back_is_flat() -> None:
    assert is_flat([soaked()], Shared())
    assert "2.1 / 5.0" in soak_table([soaked()])


@pytest.mark.parametrize(
    "found",
    [soaked(kernel_mb_per_minute=1.0), soaked(peers=2.0), soaked(lost=["reload: no picture"])],
    ids=["memory", "peers", "lost"],
)
def test_what_grows_or_stays_away_is_judged(found: Soaked) -> None:
    assert not is_flat([found], Shared())


def test_what_an_event_costs_once_is_no_growth_and_what_each_leaves_behind_is() -> None:
    once, each = soaked(), soaked()
    once.series = {"kernel, MB": [200.0 if at_s < 150 else 230.0 for at_s in AT_S]}
    each.series = {"kernel, MB": [200.0 + at_s // 40 for at_s in AT_S]}
    assert is_flat([once], Shared())
    assert not is_flat([each], Shared())


def test_a_server_that_grows_is_no_rungs_fault_and_still_judged() -> None:
    shared = Shared(AT_S, {"server, MB": [100 + at_s / 10 for at_s in AT_S]})
    assert "✗" in shared_table(shared)
    assert not is_flat([soaked()], shared)


def test_rungs_are_chosen_by_either_name_and_a_wrong_one_is_told() -> None:
    assert [rung.carrier for rung in soak_rungs.chosen([])] == ["webrtc", "comm", "jpeg", "auto"]
    assert [rung.carrier for rung in soak_rungs.chosen(["jpeg", "WebRTC"])] == ["webrtc", "jpeg"]
    with pytest.raises(SystemExit, match="no rung is called smoke; there are webrtc"):
        soak_rungs.chosen(["smoke"])
