"""The picture by comm: what comes, to whom, and at which pace."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reactor_nb.core.frames import to_block
from reactor_nb.media.codecs import COMM_CODECS
from reactor_nb.media.link import CommSettings, MediaLink, StreamSettings
from tests.loopback.comm_page import Broadcast, CommPage
from tests.loopback.conftest import OpenPage, picture
from tests.loopback.counting_model import CountingModel
from tests.loopback.patches import FAILING_WIDTH_PX
from tests.support import barcode
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

SETTINGS = StreamSettings(rate_fps=60.0)


@pytest.fixture
def broadcast(link: MediaLink) -> Iterator[Broadcast]:
    broadcast = Broadcast(link)
    # A media process that just starts takes its time to import.
    page = broadcast.page()
    page.say("ping", sent_ms=0)
    page.next_message("pong", timeout_s=15)
    broadcast.pages.clear()
    yield broadcast
    broadcast.close()


def newest_number(page: CommPage) -> int | None:
    return barcode.read(page.frames[-1]) if page.frames else None


def view(link: MediaLink, page: CommPage) -> dict[str, Any]:
    found: dict[str, Any] = link.stats("plasma")["peers"].get(page.view_id, {})
    return found


@pytest.mark.parametrize("codec", COMM_CODECS)
def test_a_page_sees_the_model_by_comm(link: MediaLink, broadcast: Broadcast, codec: str) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = broadcast.page().carry(codec)
    for number in range(1, 6):
        sink.put(to_block(picture(number)))
        eventually(lambda: newest_number(page) == number)  # noqa: B023
    assert {packet["codec"] for packet in page.packets} == {codec}
    assert page.packets[0]["is_keyframe"]
    assert page.gaps == 0
    seen = page.frames[-1][200, 160].astype(int)
    assert np.abs(seen - (70, 110, 150)).max() <= 6


def test_a_packet_says_when_its_frame_was_shown(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = broadcast.page().carry()
    before_ms = time.monotonic() * 1000
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)
    (packet, *_) = page.packets
    assert before_ms <= packet["shown_kernel_ms"] <= time.monotonic() * 1000
    assert (packet["width_px"], packet["height_px"], packet["rate_fps"]) == (320, 240, 60.0)


def test_a_page_that_comes_before_the_model_sees_its_first_frame(link: MediaLink, broadcast: Broadcast) -> None:
    page = broadcast.page().carry()
    sink = link.open_stream("plasma", SETTINGS)
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)


def test_a_page_that_comes_late_to_a_paused_model_sees_its_newest_frame(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    sink.put(to_block(picture(3)))
    eventually(lambda: link.stats("plasma")["frames"]["shown"] == 1)
    first = broadcast.page().carry()
    eventually(lambda: newest_number(first) == 3)
    second = broadcast.page().carry()
    eventually(lambda: newest_number(second) == 3)
    assert first.gaps == second.gaps == 0


def test_one_packet_serves_all_views_of_a_codec(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    pages = [broadcast.page().carry() for _ in range(3)]
    sink.put(to_block(picture(1)))
    eventually(lambda: all(newest_number(page) == 1 for page in pages))
    before = len(broadcast.heard)
    for number in range(2, 6):
        sink.put(to_block(picture(number)))
        eventually(lambda: all(newest_number(page) == number for page in pages))  # noqa: B023
    packets = [said for said in broadcast.heard[before:] if said["type"] == "packet"]
    assert len(packets) == 4
    assert all(sorted(packet["to"]) == sorted(page.view_id for page in pages) for packet in packets)
    stats = link.stats("plasma")
    assert list(stats["encoders"]) == ["H264"]
    assert stats["views"] == 3


def test_views_of_two_codecs_each_get_their_own(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    one, other = broadcast.page().carry("H264"), broadcast.page().carry("VP8")
    for number in range(1, 4):
        sink.put(to_block(picture(number)))
        eventually(lambda: newest_number(one) == newest_number(other) == number)  # noqa: B023
    assert {packet["codec"] for packet in one.packets} == {"H264"}
    assert {packet["codec"] for packet in other.packets} == {"VP8"}


def test_a_view_by_webrtc_and_one_by_comm_share_one_encoder(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage
) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    by_webrtc, by_comm = open_page(), broadcast.page().carry()
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(by_comm) == 1)
    eventually(lambda: by_webrtc.frames and barcode.read(by_webrtc.frames[-1]) == 1)
    assert list(link.stats("plasma")["encoders"]) == ["H264"]
    assert {view["carrier"] for view in link.stats("plasma")["peers"].values()} == {"comm", "webrtc"}


def test_a_view_that_stands_by_is_sent_nothing_and_costs_no_encoder(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = broadcast.page().carry(is_watching=False)
    eventually(lambda: view(link, page).get("state") == "standing by")
    sink.put(to_block(picture(1)))
    eventually(lambda: link.stats("plasma")["frames"]["shown"] == 1)
    assert link.stats("plasma")["encoders"] == {}
    assert link.stats("plasma")["views"] == 0
    page.carry()
    eventually(lambda: newest_number(page) == 1)
    page.carry(is_watching=False)
    eventually(lambda: link.stats("plasma")["encoders"] == {})


def test_a_view_that_looks_away_by_comm_begins_again_with_a_keyframe(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page, other = broadcast.page().carry(), broadcast.page().carry()
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == newest_number(other) == 1)
    page.say("watching", is_watching=False)
    eventually(lambda: view(link, page)["is_watching"] is False)
    for number in range(2, 5):
        sink.put(to_block(picture(number)))
        eventually(lambda: newest_number(other) == number)  # noqa: B023
    assert newest_number(page) == 1
    page.say("watching", is_watching=True)
    eventually(lambda: newest_number(page) == 4)
    assert page.gaps == 0


def test_a_keyframe_comes_when_it_is_asked_for(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = broadcast.page().carry()
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)
    before = len(page.packets)
    page.say("keyframe")
    eventually(lambda: any(packet["is_keyframe"] for packet in page.packets[before:]))


def test_a_page_that_acknowledges_nothing_is_sent_two_frames_and_then_few(
    link: MediaLink, broadcast: Broadcast
) -> None:
    model = CountingModel(link.open_stream("plasma", StreamSettings(rate_fps=30.0)))
    page = broadcast.page(acks=False).carry()
    try:
        eventually(lambda: len(page.packets) >= 2)
        first = model.number
        eventually(lambda: model.number > first + 60, timeout_s=10)
        assert len(page.packets) <= 2 + 8
        stats = link.stats("plasma")
        assert stats["encoders"]["H264"]["encoded"] <= 12, "what the road has no room for is not encoded"
        assert stats["frames"]["skipped"]["road"] > 30
        page.acks = True
        page.say("ack", sequence=page.packets[-1]["sequence"])
        shown = model.number
        eventually(lambda: (newest_number(page) or 0) > shown + 10, timeout_s=5)
        assert page.gaps == 0, "frames that were not encoded leave no gap in the chain"
    finally:
        model.sink.close()
        model.end()


def test_a_page_that_has_gone_without_a_word_holds_the_others_for_two_seconds(
    link: MediaLink, broadcast: Broadcast
) -> None:
    model = CountingModel(link.open_stream("plasma", StreamSettings(rate_fps=30.0)))
    page, gone = broadcast.page().carry(), broadcast.page().carry()
    try:
        eventually(lambda: len(page.packets) > 10 and len(gone.packets) > 10, timeout_s=5)
        gone.acks = False
        eventually(lambda: view(link, gone)["road"]["is_passed_over"], timeout_s=5)
        shown = len(page.packets)
        began_s = time.monotonic()
        eventually(lambda: len(page.packets) > shown + 30, timeout_s=5)
        assert time.monotonic() - began_s < 3.0
    finally:
        model.sink.close()
        model.end()


def test_a_message_of_the_model_reaches_each_view_once(
    link: MediaLink, broadcast: Broadcast, open_page: OpenPage
) -> None:
    by_webrtc = open_page()
    both = broadcast.page(view_id=by_webrtc.view_id).carry(is_watching=False)
    alone = broadcast.page().carry()
    eventually(lambda: link.send("plasma", None, {"type": "message", "data": 0}) == 2)
    assert alone.next_message("message")["data"] == 0
    assert by_webrtc.next_message("message")["data"] == 0
    assert link.send("plasma", alone.view_id, {"type": "message", "data": 1}) == 1
    assert alone.next_message("message")["data"] == 1
    assert both.messages.empty()
    assert link.send("plasma", "nobody", {"type": "message", "data": 2}) == 0


def test_a_ping_is_answered_whether_the_view_is_carried_or_not(link: MediaLink, broadcast: Broadcast) -> None:
    page = broadcast.page()
    page.say("ping", sent_ms=17)
    pong = page.next_message("pong")
    assert (pong["sent_ms"], pong["view_id"]) == (17, page.view_id)


def test_what_a_page_paints_by_comm_is_in_the_statistics(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = broadcast.page().carry()
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)
    now_ms = time.monotonic() * 1000
    frames = [page.packets[0]["rtp_timestamp"], now_ms - 1, now_ms - 1, now_ms]
    eventually(lambda: view(link, page)["sent"] == 1)
    page.say("painted", painted=1, skipped=0, latency_ms=5, rate_fps=30, frames=frames)
    eventually(lambda: view(link, page)["page"].get("painted") == 1)
    eventually(lambda: link.stats("plasma")["frames"]["views_ms"][page.view_id] is not None)


def test_a_view_that_says_good_bye_is_forgotten(link: MediaLink, broadcast: Broadcast) -> None:
    link.open_stream("plasma", SETTINGS)
    page, other = broadcast.page().carry(), broadcast.page().carry()
    eventually(lambda: len(link.stats("plasma")["peers"]) == 2)
    page.say("bye")
    eventually(lambda: list(link.stats("plasma")["peers"]) == [other.view_id])
    link.close_view("plasma", other.view_id)
    eventually(lambda: link.stats("plasma")["peers"] == {})
    assert link.send("plasma", None, {"type": "message", "data": 0}) == 0


def test_a_page_that_decodes_nothing_is_told_what_is_encoded_here(link: MediaLink, broadcast: Broadcast) -> None:
    link.open_stream("plasma", SETTINGS)
    page = broadcast.page()
    link.carry("plasma", page.view_id, CommSettings(("AV1",), is_watching=True))
    error = page.next_message("error")["error"]
    assert error["code"] == "carrier"
    assert "AV1" in error["message"] and "H264" in error["message"]


@pytest.mark.parametrize("patch", ["failing_h264"], indirect=True)
def test_a_codec_that_fails_at_a_frame_gives_way_to_the_next_without_a_word_of_the_page(
    link: MediaLink, broadcast: Broadcast
) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = broadcast.page().carry("H264", "VP8")
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)
    sink.put(to_block(picture(2, width_px=FAILING_WIDTH_PX)))
    eventually(lambda: newest_number(page) == 2)
    assert page.packets[-1]["codec"] == "VP8"


def test_full_colour_comes_with_the_quality_that_asks_for_it(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = broadcast.page().carry("H264-444", "H264")
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)
    assert page.packets[-1]["codec"] == "H264"
    sink = link.open_stream("plasma", StreamSettings(rate_fps=60.0, quality="high"))
    sink.put(to_block(picture(2)))
    eventually(lambda: newest_number(page) == 2)
    assert page.packets[-1]["codec"] == "H264-444"


def test_views_of_a_name_that_was_closed_are_gone_and_a_new_one_begins(link: MediaLink, broadcast: Broadcast) -> None:
    link.open_stream("plasma", SETTINGS)
    page = broadcast.page().carry()
    eventually(lambda: len(link.stats("plasma")["peers"]) == 1)
    link.close_name("plasma")
    page.say("ping", sent_ms=1)  # passed over
    again = Broadcast(link)
    try:
        sink = link.open_stream("plasma", SETTINGS)
        sink.put(to_block(picture(5)))
        page = again.page().carry()
        eventually(lambda: newest_number(page) == 5)
    finally:
        again.close()


@pytest.mark.parametrize(
    "message",
    [{"type": "ack"}, {"type": "ack", "sequence": "1"}, {"type": "nonsense"}, {"type": "ping", "sent_ms": None}, {}],
)
def test_what_is_no_message_is_answered_and_changes_nothing(
    link: MediaLink, broadcast: Broadcast, message: dict[str, Any]
) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = broadcast.page().carry()
    link.heard("plasma", page.view_id, message)
    assert page.next_message("error")["error"]["code"] == "bad_message"
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)


def test_of_views_that_end_without_a_word_only_so_many_are_kept(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    for _ in range(100):
        broadcast.page().carry(is_watching=False)
    page = broadcast.page().carry()
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)
    assert len(link.stats("plasma")["peers"]) == 64


def test_what_stands_still_comes_without_loss(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", StreamSettings(rate_fps=60.0, quality="exact"))
    page = broadcast.page().carry()
    noise = np.random.default_rng(1).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    sink.put(to_block(noise))

    def has_it() -> bool:
        return bool(page.stills) and len(page.stills[-1][1]) == page.stills[-1][0]["bytes"]

    eventually(has_it, timeout_s=5)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(page.stills[-1][1])).convert("RGB")), noise)
    late = broadcast.page().carry()
    eventually(lambda: late.stills and len(late.stills[-1][1]) == late.stills[-1][0]["bytes"], timeout_s=5)
    assert len(page.stills) == 1


def test_a_model_that_says_more_than_jupyter_carries_keeps_its_picture(link: MediaLink, broadcast: Broadcast) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = broadcast.page().carry()
    for number in range(2000):
        link.send("plasma", None, {"type": "message", "data": number})
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1, timeout_s=5)
    said = [each for each in broadcast.heard if each["type"] == "message"]
    assert len(said) < 900
    assert link.stats("plasma")["unsent"] > 1000
