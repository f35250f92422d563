"""What the doctor says of one View."""

from __future__ import annotations

from typing import Any

from reactor_nb.runtime.doctor_views import view_line

FEATURES = {"playout_delay": True, "keyframe_requests": True, "rtp_origin": True}
BLOCKED = "UDP from this page to the kernel's machine is blocked. A TURN server passes it."


def view(**facts: Any) -> dict[str, Any]:
    page = {"painter": "worker", "rate_fps": 29.96, "latency_ms": 23.4, **facts.pop("page", {})}
    return {"carrier": "comm", "codec": "H264", "is_open": True, "is_watching": True, "page": page, **facts}


def test_the_rung_that_is_used_is_told_with_what_is_measured_there() -> None:
    verdict, text = view_line(view(carrier="webrtc", features=FEATURES, pair={"kernel": "host", "page": "prflx"}))
    assert (verdict, text) == ("ok", "WebRTC, H264, worker, 30.0 fps, 23 ms from emit_block to the picture")


def test_each_better_rung_is_told_with_the_reason_why_not() -> None:
    rungs = {"WebRTC": BLOCKED, "video over Jupyter": "Open the notebook by https.", "JPEG over Jupyter": ""}
    verdict, text = view_line(view(codec="JPEG", page={"rungs": rungs}))
    first, *rest = text.splitlines()
    assert verdict == "note"
    assert first.startswith("JPEG over Jupyter, JPEG, worker, 30.0 fps")
    assert rest == [f"WebRTC: {BLOCKED}", "video over Jupyter: Open the notebook by https."]


def test_a_better_rung_that_is_being_tried_or_was_not_asked_for_is_no_trouble() -> None:
    for why in ("is being tried", "was not asked for; this leaves every rung: %reactor run --carrier auto"):
        rungs = {"WebRTC": why, "video over Jupyter": "", "JPEG over Jupyter": "stands by"}
        verdict, text = view_line(view(page={"rungs": rungs}))
        assert (verdict, len(text.splitlines())) == ("ok", 1)


def test_a_relay_is_told_and_one_that_did_not_help_with_its_reason() -> None:
    facts = view(carrier="webrtc", features=FEATURES, pair={"kernel": "relay", "page": "host"})
    assert view_line(facts)[1].startswith("WebRTC through a TURN server (of the kernel), H264")
    failed = view(other={"relays": {"turn.example.org:3478 over udp": "refused with 401 (user or password)"}})
    verdict, text = view_line(failed)
    assert verdict == "note"
    assert "the TURN server turn.example.org:3478 over udp: refused with 401 (user or password)" in text


def test_a_view_that_says_nothing_yet_is_named_by_what_it_is_sent() -> None:
    assert view_line({"carrier": "comm", "codec": "JPEG", "is_open": True})[1].startswith("JPEG over Jupyter, JPEG")
    assert view_line({"is_open": False})[1] == "WebRTC, no codec yet, connecting"


def test_a_view_out_of_sight_and_a_feature_that_lacks_are_told() -> None:
    lacks = view(carrier="webrtc", is_watching=False, features={**FEATURES, "playout_delay": False})
    verdict, text = view_line(lacks)
    assert verdict == "note"
    assert "out of sight" in text and "costs 40 ms" in text
