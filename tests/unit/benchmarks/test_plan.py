"""Which visits make a run."""

from __future__ import annotations

from collections import Counter

from tests.benchmarks import plan
from tests.benchmarks.peers import IMAGE, OURS, PEERS, RFB
from tests.benchmarks.results import FULL_HD, HD, VGA


def test_every_peer_is_started_five_times_at_720p_each_time_after_another() -> None:
    rounds = plan.full(PEERS, ["H264", "VP8"])[:5]
    starts = Counter(visit.peer.name for visits in rounds for visit in visits)
    assert starts == {peer.name: 5 for peer in PEERS}
    assert len({visits[0].peer.name for visits in rounds}) == 5
    assert all(visit.size == HD and visit.window_s == 20 for visits in rounds for visit in visits)


def test_each_peer_is_disturbed_once_after_the_window_that_counts() -> None:
    visits = [visit for visits in plan.full(PEERS, []) for visit in visits]
    assert Counter(visit.peer.name for visit in visits if visit.busy_s) == {peer.name: 1 for peer in PEERS}
    assert all(visit.window_s for visit in visits if visit.busy_s)


def test_every_size_and_rate_that_has_a_goal_is_visited() -> None:
    ours = {(visit.size, visit.rate_fps) for visits in plan.full(PEERS, []) for visit in visits if visit.peer is OURS}
    assert ours == {(HD, 30), (VGA, 30), (HD, 60), (HD, plan.SLOW_FPS), (FULL_HD, 30)}


def test_colours_are_tried_in_every_codec_of_ours_and_once_of_each_peer() -> None:
    visits = plan.full([OURS, RFB], ["H264", "VP8", "JPEG"])[-1]
    patches = [(visit.peer.name, visit.codec, visit.peer.carrier) for visit in visits]
    assert patches == [
        (OURS.name, "H264", "webrtc"),
        (OURS.name, "VP8", "webrtc"),
        (OURS.name, "JPEG", "jpeg"),
        (RFB.name, "", ""),
    ]


def test_a_quick_run_visits_every_peer_that_was_asked_for() -> None:
    (visits,) = plan.quick([OURS, IMAGE])
    assert {visit.peer.name for visit in visits} == {OURS.name, IMAGE.name}
    assert sum(visit.window_s + visit.busy_s * 2 for visit in visits) < 40
