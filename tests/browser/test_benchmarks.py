"""The benchmark measures what it says, at a small size: this project, and a peer that needs nothing else installed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from tests.benchmarks.measure import Visit, measure
from tests.benchmarks.notebooks import tabs
from tests.benchmarks.peers import AIORTC, JPEG, OURS, Peer
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab

pytestmark = pytest.mark.browser

SIZE = (320, 240)


@pytest.fixture
def bench_lab(lab_server: JupyterLab, chromium: Browser) -> Iterator[Lab]:
    """A tab whose page counts what it receives; not shared with other tests, for it wraps the page's sockets."""
    with tabs(chromium) as context:
        lab = Lab(lab_server, context)
        yield lab
        lab.close()


@pytest.mark.parametrize("peer", [OURS, JPEG, AIORTC], ids=lambda peer: peer.name)
def test_a_visit_tells_what_was_seen_how_it_arrived_and_how_near_it_is(bench_lab: Lab, peer: Peer) -> None:
    result = measure(bench_lab, Visit(peer, SIZE, window_s=2.0, has_fidelity=True, settle_s=0.5))
    (window,) = result.windows
    assert 5 < window.seen_fps < 31
    assert window.emitted_fps > 5
    assert min(window.seen_ms) > 0
    assert bool(window.drawn_ms) == peer.is_ours
    assert window.mbps > 0.05
    assert bool(result.stages_ms) == peer.is_ours
    assert window.cpu_percent["browser"] > 0
    assert result.fidelity.codecs
    assert min(result.fidelity.luma_db) > 20
    if peer.carrier:
        assert result.rung == peer.name, "the View stands on the rung that it is measured for"
    assert result.first_frame_ms is not None
    assert result.first_frame_ms > (result.ready_to_first_ms or 0) > 0


def test_a_page_is_made_to_take_one_codec_and_shows_its_colours(bench_lab: Lab) -> None:
    peer = replace(OURS, carrier="webrtc")
    result = measure(bench_lab, Visit(peer, SIZE, window_s=0, has_patches=True, codec="VP8", settle_s=0.5))
    assert result.fidelity.codecs == ["VP8"]
    assert max(result.fidelity.colour_percent) < 2
    assert result.windows == []
