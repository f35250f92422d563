"""The doctor's lines about what plays: each session, and each page that shows it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reactor_nb.core.session import Session
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.doctor_views import view_line

AGAIN: Final = "%reload_ext reactor_nb  and then run the cells again"
"""What makes the media anew, at once."""

PATIENCE_S: Final = 2.0
"""So long a session that seems to stand is watched."""

_FEW: Final = 3


def session_lines(runtime: Runtime) -> Iterator[tuple[str, str, str]]:
    """(part, verdict, text) of each session, and of its views."""
    for session in runtime.sessions().values():
        stats, stands = _watched(session)
        if stands:
            yield (session.name[:10], "MISSING", stands)
            continue
        yield (session.name[:10], *_session(session, stats))
        if not session.is_over:
            yield from (("  page", *view_line(view)) for view in stats["media"].get("peers", {}).values())


def _watched(session: Session) -> tuple[Mapping[str, Any], str]:
    """The stats of now; and what is to be said where its frames are not played, else empty."""
    stats = first = session.stats()
    deadline_s = time.monotonic() + PATIENCE_S
    while _is_suspicious(session, stats) and stats["played"] == first["played"] and time.monotonic() < deadline_s:
        time.sleep(0.1)
        stats = session.stats()
    more = stats["produced"] - first["produced"]
    if more and stats["played"] == first["played"]:
        time.sleep(PATIENCE_S / 4)  # a block that was made just now begins in a moment
        stats = session.stats()
    if not _is_suspicious(session, stats) or stats["played"] != first["played"] or not more:
        return stats, ""
    words = (
        f"{session.state}, and nothing is played: {more} frames were made just now, played stays at {stats['played']}"
    )
    why = "".join(f"\n{count} dropped: {reason}" for reason, count in stats["dropped_why"].items())
    lost = f"\n{_uncounted(stats)} are in no count" if _uncounted(stats) > _may_wait(stats) else ""
    return stats, f"{words}{why}{lost}\nType: {AGAIN}"


def _is_suspicious(session: Session, stats: Mapping[str, Any]) -> bool:
    return session.state == "streaming" and bool(stats["dropped"] or _uncounted(stats) > _may_wait(stats))


def _uncounted(stats: Mapping[str, Any]) -> int:
    """Frames that were neither played nor dropped nor skipped by the clock."""
    known = stats["played"] + stats["dropped"] + stats["skipped"].get("clock", 0)
    return int(stats["produced"] - known)


def _may_wait(stats: Mapping[str, Any]) -> int:
    """How many may wait for their time: the block that is played, the next one, and a few."""
    produced, emissions = int(stats["produced"]), int(stats["emissions"])
    return 2 * math.ceil(produced / max(1, emissions)) + _FEW


def _session(session: Session, stats: Mapping[str, Any]) -> tuple[str, str]:
    if session.is_over:
        return ("ok" if session.error is None else "note"), session.state
    size = f", {stats['width_px']}x{stats['height_px']}" if stats["width_px"] else ""
    words = f"{session.state}, {stats['rate_fps']:.1f} fps{size}"
    if _uncounted(stats) > _may_wait(stats):
        return "note", f"{words}; {_uncounted(stats)} frames are in no count. Begin anew: %reactor run {session.name}"
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
