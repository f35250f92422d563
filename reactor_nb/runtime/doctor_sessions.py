"""The doctor's lines about what plays: each session, and each page that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reactor_nb.core.session import Session
from reactor_nb.runtime.base import Runtime

_FEATURES: Final = {
    "playout_delay": "the browser was not asked to show frames at once, which costs 40 ms",
    "keyframe_requests": "a page that lost packets waits for the next keyframe",
    "rtp_origin": "latency cannot be measured",
}


def session_lines(runtime: Runtime) -> Iterator[tuple[str, str, str]]:
    """(part, verdict, text) of each session, and of its views."""
    for session in runtime.sessions().values():
        stats = session.stats()
        yield (session.name[:10], *_session(session, stats))
        if not session.is_over:
            yield from (("  page", *_view(peer, stats)) for peer in stats["media"].get("peers", {}).values())


def _session(session: Session, stats: Mapping[str, Any]) -> tuple[str, str]:
    if session.is_over:
        return ("ok" if session.error is None else "note"), session.state
    size = f", {stats['width_px']}x{stats['height_px']}" if stats["width_px"] else ""
    words = f"{session.state}, {stats['rate_fps']:.1f} fps{size}"
    if session.state == "streaming" and not stats["views"] and _is_open(stats):
        return "ok", f"{words}; its page is connected, and scrolled away or hidden: nothing is encoded"
    if session.state == "streaming" and not stats["views"]:
        return "note", f"{words}; no page watches. Show it: %reactor session {session.name}"
    skipped = sum(stats["skipped"].values())
    if skipped and stats["produced"]:
        why = ", ".join(f"{count} by the {reason}" for reason, count in stats["skipped"].items())
        words += f"; skipped {why}"
    return "ok", words


def _is_open(stats: Mapping[str, Any]) -> bool:
    """Whether a page is connected, in sight or not."""
    return any(peer.get("is_open") for peer in stats["media"].get("peers", {}).values())


def _view(peer: Mapping[str, Any], stats: Mapping[str, Any]) -> tuple[str, str]:
    page = peer.get("page", {})
    painter = page.get("painter") or "connecting" if peer.get("is_open") else "connecting"
    words = f"WebRTC, {peer.get('codec') or 'no codec yet'}, {painter}"
    latency_ms = page.get("latency_ms")
    if latency_ms is not None:
        words += f", {latency_ms:.0f} ms from emit_block to the picture"
    lacks = [f"\n{why}" for name, why in _FEATURES.items() if not peer.get("features", {}).get(name, True)]
    return ("note" if lacks else "ok"), words + "".join(lacks)
