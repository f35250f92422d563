"""What is kept of a page's report."""

from __future__ import annotations

import contextlib
import json

import pytest

from reactor_nb.transport import protocol
from reactor_nb.transport.loop import MediaLoop
from reactor_nb.transport.page_report import MAX_COUNT, plausible_report
from reactor_nb.transport.views import Views
from reactor_nb.transport.webrtc import Peer

PAINTED = {
    "type": "painted",
    "painted": 90,
    "skipped": 2,
    "latency_ms": -0.5,
    "rate_fps": 29.97,
    "painter": "track + worker",
    "carrier": "comm",
    "rungs": {"WebRTC": "UDP is blocked.", "video over Jupyter": ""},
}
MANY = {f"{number} {'x' * 500}": "why\n" * 500 for number in range(20)}


def test_an_honest_report_is_kept_as_it_came_but_for_its_frames() -> None:
    report = plausible_report(protocol.check({**PAINTED, "frames": [1, 2, 3, 4]}))
    assert report == {key: value for key, value in PAINTED.items() if key != "type"}
    for optional in ("painter", "carrier", "rungs"):
        del report[optional]
        assert plausible_report(report) == report, f"a page need not name its {optional}"


@pytest.mark.parametrize("number", ["1e308", "-1e308", "1" + "0" * 300, "-5"])
def test_no_number_of_a_page_is_absurd(number: str) -> None:
    text = f'{{"type":"painted","painted":{number},"skipped":{number},"latency_ms":{number},"rate_fps":{number}}}'
    report = plausible_report(protocol.parse(text))
    assert report["painted"] == report["skipped"] == (MAX_COUNT if float(number) > 0 else 0)
    assert 0 <= report["rate_fps"] <= MAX_COUNT
    assert abs(report["latency_ms"]) <= MAX_COUNT


def test_a_report_costs_no_more_than_a_line_of_the_statistics() -> None:
    with contextlib.closing(MediaLoop()) as loop:
        views = Views("plasma", loop)

        async def report() -> Peer:
            peer = Peer("view", views.peers)
            views.peers._peers["view"] = peer
            views.text_came(
                peer,
                json.dumps({**PAINTED, "painted": 1e308, "skipped": 1e308, "painter": "x" * 60_000, "rungs": MANY}),
            )
            return peer

        peer = loop.submit(report()).result(5.0)
        stats = views.stats()
        assert len(json.dumps(stats["peers"]["view"]["page"])) < 2500
        assert stats["frames"]["painted"] <= MAX_COUNT
        assert len(json.dumps(stats)) < 10_000
        loop.submit(peer.close()).result(5.0)
        assert views.stream.close() == []
