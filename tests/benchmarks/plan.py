"""Which visits make a run. A round is one tab: its visits follow each other in a fresh browser context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.benchmarks.measure import Visit
from tests.benchmarks.peers import OURS, Peer
from tests.benchmarks.results import FULL_HD, HD, VGA

ROUNDS = 5
WINDOW_S = 20.0
BUSY_S = 8.0
QUICK_WINDOW_S = 5.0
QUICK_BUSY_S = 3.0
SLOW_FPS = 25
"""Below the default cap, for what an emission costs: at the cap itself the pace holds the model as it should."""

Round = list[Visit]


def full(peers: Sequence[Peer], codecs: Sequence[str], rounds: int = ROUNDS, window_s: float = WINDOW_S) -> list[Round]:
    """About 20 minutes. At 720p every peer is started `rounds` times, in turns, each time by another neighbour:
    the machine drifts, and a median of five starts says more than one long look."""
    plan: list[Round] = []
    for index in range(rounds):
        turned = [*peers[index % len(peers) :], *peers[: index % len(peers)]]
        plan.append([Visit(peer, HD, window_s=window_s) for peer in turned])
    # Disturbed and looked at closely once, after the window that counts.
    plan[0] = [replace(visit, busy_s=BUSY_S, has_fidelity=True) for visit in plan[0]]
    plan.append([Visit(peer, VGA, window_s=window_s, has_controls=peer.has_slider) for peer in peers])
    if OURS in peers:
        others = [Visit(OURS, HD, rate, window_s=window_s) for rate in (60, SLOW_FPS)]
        plan.append([*others, Visit(OURS, FULL_HD, window_s=window_s)])
    plan.append(_patches(peers, codecs))
    return plan


def quick(peers: Sequence[Peer]) -> list[Round]:
    """Under 2 minutes: 720p, short, once; everything of ours that has a goal at that size."""
    visits: Round = []
    for peer in peers:
        visit = Visit(peer, HD, window_s=QUICK_WINDOW_S, settle_s=2.0)
        if peer.is_ours:
            visits.append(replace(visit, rate_fps=SLOW_FPS))
            visit = replace(visit, busy_s=QUICK_BUSY_S, has_fidelity=True)
        visits.append(visit)
    return [visits]


def _patches(peers: Sequence[Peer], codecs: Sequence[str]) -> Round:
    """Colours of flat patches: ours in every codec that it has and the page takes, the others as they come."""
    visits = []
    for peer in peers:
        if peer.is_ours:
            # On one rung each: the ladder may stand on another when it is looked at.
            for codec in codecs:
                visits.append(_patched(replace(peer, carrier="jpeg" if codec == "JPEG" else "webrtc"), codec))
        else:
            visits.append(_patched(peer))
    return visits


def _patched(peer: Peer, codec: str = "") -> Visit:
    return Visit(peer, HD, window_s=0, has_patches=True, codec=codec, settle_s=2.0)
