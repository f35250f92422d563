"""The doctor's line about one View: its rung, what it measures there, and why the better rungs do not bring it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

WEBRTC: Final = "WebRTC"

_FEATURES: Final = {
    "playout_delay": "the browser was not asked to show frames at once, which costs 40 ms",
    "keyframe_requests": "a page that lost packets waits for the next keyframe",
    "rtp_origin": "latency cannot be measured",
}

_NO_TROUBLE: Final = ("stands by", "is being tried", "was not asked for")
"""How a page says of a rung that nothing is wrong with it: js/src/problems.ts."""


def view_line(view: Mapping[str, Any]) -> tuple[str, str]:
    """(verdict, text) of a view, as Views.stats tells of it."""
    page = view.get("page", {})
    rungs = page.get("rungs", {})
    used = _rung(view, rungs)
    parts = [used + _relayed(view), view.get("codec") or "no codec yet", _painter(view, page)]
    if page.get("rate_fps"):
        parts.append(f"{page['rate_fps']:.1f} fps")
    if page.get("latency_ms") is not None:
        parts.append(f"{page['latency_ms']:.0f} ms from emit_block to the picture")
    if not view.get("is_watching", True):
        parts.append("out of sight")
    lacks = [why for name, why in _FEATURES.items() if not view.get("features", {}).get(name, True)]
    troubles = list(_troubles(view, rungs, used))
    return ("note" if lacks or troubles else "ok"), "\n".join([", ".join(parts), *troubles, *lacks])


def _rung(view: Mapping[str, Any], rungs: Mapping[str, str]) -> str:
    """The one that the page names; else by what it is sent."""
    for name, why in rungs.items():
        if not why:
            return name
    if view.get("carrier", "webrtc") == "webrtc":
        return WEBRTC
    return "JPEG over Jupyter" if view.get("codec") == "JPEG" else "video over Jupyter"


def _relayed(view: Mapping[str, Any]) -> str:
    ends = [end for end, kind in view.get("pair", {}).items() if kind == "relay"]
    return f" through a TURN server (of the {' and the '.join(ends)})" if ends else ""


def _painter(view: Mapping[str, Any], page: Mapping[str, Any]) -> str:
    return (page.get("painter") or "connecting") if view.get("is_open") else "connecting"


def _troubles(view: Mapping[str, Any], rungs: Mapping[str, str], used: str) -> Iterator[str]:
    """Of each better rung why it is not used, best first; and of relays that did not help."""
    for name, why in rungs.items():
        if name == used:
            break
        if not why.startswith(_NO_TROUBLE):
            yield f"{name}: {why}"
    for relay, what in {**view.get("other", {}).get("relays", {}), **view.get("relays", {})}.items():
        if what not in ("used", "answered, not needed"):
            yield f"the TURN server {relay}: {what}"
