"""Two real peers: what a model emits is what a page decodes."""

from __future__ import annotations

import numpy as np
import pytest

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.frames import to_block
from reactor_nb.media.link import MediaLink, StreamSettings
from tests.loopback.conftest import OpenPage, picture
from tests.loopback.page import Page
from tests.support import barcode
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

SETTINGS = StreamSettings(rate_fps=60.0)
PATCHES = ((200, 30, 90), (30, 200, 60), (20, 40, 220), (255, 255, 255), (0, 0, 0), (128, 128, 128), (250, 220, 10))


def emit(sink: FrameSink, *numbers: int, width_px: int = 320, height_px: int = 240) -> None:
    for number in numbers:
        sink.put(to_block(picture(number, width_px, height_px)))


def newest_number(page: Page) -> int | None:
    return barcode.read(page.frames[-1]) if page.frames else None


def test_a_page_decodes_the_frames_that_were_emitted(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page()
    emit(sink, *range(30))
    eventually(lambda: newest_number(page) == 29)
    numbers = [barcode.read(frame) for frame in page.frames]
    assert None not in numbers
    assert numbers == sorted(numbers, key=lambda number: number or 0)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_flat_patches_keep_their_colour_within_two_percent(codec: str, link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page(codecs=(codec, "rtx"))
    pixels = np.repeat(np.array([PATCHES], np.uint8), 48, axis=1).repeat(64, axis=0).copy()
    sink.put(to_block(pixels))
    eventually(lambda: len(page.frames) > 0)
    for index, patch in enumerate(PATCHES):
        middle = page.frames[-1][16:48, index * 48 + 16 : index * 48 + 32].mean(axis=(0, 1))
        assert np.abs(middle - patch).max() <= 0.02 * 255, (patch, middle)


def test_an_offer_without_h264_gets_vp8(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page(codecs=("VP8", "rtx"))
    emit(sink, 5)
    eventually(lambda: newest_number(page) == 5)
    assert page.next_message("stream")["codec"] == "VP8"


def test_a_late_view_sees_a_paused_model(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    first = open_page()
    emit(sink, 7)
    eventually(lambda: newest_number(first) == 7)
    late = open_page()
    eventually(lambda: newest_number(late) == 7)


def test_a_view_that_comes_after_the_end_of_the_session_sees_its_last_frame(
    link: MediaLink, open_page: OpenPage
) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    emit(sink, 9)
    sink.finish()
    late = open_page()
    eventually(lambda: newest_number(late) == 9)


def test_a_new_size_plays_on_and_is_announced(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page()
    emit(sink, 1)
    assert page.next_message("stream")["width_px"] == 320
    emit(sink, 2, width_px=640, height_px=360)
    eventually(lambda: newest_number(page) == 2)
    announced = page.next_message("stream")
    assert (announced["width_px"], announced["height_px"]) == (640, 360)


def test_odd_sizes_arrive_padded_and_are_announced_as_they_are(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page()
    emit(sink, 3, width_px=321, height_px=241)
    eventually(lambda: len(page.frames) > 0)
    assert page.frames[-1].shape == (242, 322, 3)
    announced = page.next_message("stream")
    assert (announced["width_px"], announced["height_px"]) == (321, 241)


def test_a_new_session_of_the_name_plays_on_the_same_peer(link: MediaLink, open_page: OpenPage) -> None:
    link.open_stream("plasma", SETTINGS)
    page = open_page()
    for number in (11, 22):
        emit(link.open_stream("plasma", StreamSettings(rate_fps=30.0 + number)), number)
        eventually(lambda number=number: newest_number(page) == number)  # type: ignore[misc]
        assert page.next_message("stream")["rate_fps"] == 30.0 + number
    assert list(link.stats("plasma")["peers"]) == [page.view_id]


def test_a_page_may_connect_before_the_first_session(link: MediaLink, open_page: OpenPage) -> None:
    page = open_page()
    emit(link.open_stream("plasma", SETTINGS), 4)
    eventually(lambda: newest_number(page) == 4)


def test_two_views_share_one_encoder(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    pages = [open_page(), open_page()]
    emit(sink, *range(10))
    for page in pages:
        eventually(lambda page=page: newest_number(page) == 9)  # type: ignore[misc]
    assert list(link.stats("plasma")["encoders"]) == ["H264"]


def test_names_do_not_mix(link: MediaLink, open_page: OpenPage) -> None:
    one, other = link.open_stream("one", SETTINGS), link.open_stream("other", SETTINGS)
    page_of_one, page_of_other = open_page("one"), open_page("other")
    emit(one, 1)
    emit(other, 2)
    eventually(lambda: newest_number(page_of_one) == 1)
    eventually(lambda: newest_number(page_of_other) == 2)


def test_with_no_view_nothing_is_encoded(link: MediaLink) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    eventually(lambda: link.stats("plasma")["rate_fps"] == SETTINGS.rate_fps)  # a process that still starts drops
    emit(sink, *range(5))
    eventually(lambda: sink.counts().played + sink.counts().skipped == 5)  # skipped: on a machine that is busy
    assert link.stats("plasma")["encoders"] == {}
