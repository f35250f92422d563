"""A view that nobody can see is sent nothing, and shows the newest frame as soon as it is seen."""

from __future__ import annotations

import pytest

from reactor_nb.core.frames import to_block
from reactor_nb.media.link import MediaLink, StreamSettings
from tests.loopback.conftest import OpenPage, picture
from tests.loopback.page import Page
from tests.loopback.patches import FAILING_WIDTH_PX
from tests.support import barcode
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

SETTINGS = StreamSettings(rate_fps=60.0)


def newest_number(page: Page) -> int | None:
    return barcode.read(page.frames[-1]) if page.frames else None


def look(link: MediaLink, page: Page, is_watching: bool) -> None:
    page.say({"type": "watching", "is_watching": is_watching})
    eventually(lambda: link.stats("plasma")["peers"][page.view_id]["is_watching"] is is_watching)


def test_what_nobody_sees_is_not_encoded(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page()
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)
    look(link, page, False)
    assert link.stats("plasma")["encoders"] == {}
    assert link.stats("plasma")["views"] == 0


def test_a_view_that_is_seen_again_shows_the_newest_frame_of_a_paused_model(
    link: MediaLink, open_page: OpenPage
) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page()
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)
    look(link, page, False)
    for number in range(2, 9):
        sink.put(to_block(picture(number)))
    eventually(lambda: link.stats("plasma")["frames"]["shown"] == 8)
    look(link, page, True)
    eventually(lambda: newest_number(page) == 8)
    sink.put(to_block(picture(9)))
    eventually(lambda: newest_number(page) == 9)
    assert not {2, 3, 4, 5, 6, 7} & {barcode.read(frame) for frame in page.frames}


def test_a_picture_that_has_not_changed_meanwhile_moves_on_from_there(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page()
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)
    for number in range(2, 5):
        look(link, page, False)
        look(link, page, True)
        sink.put(to_block(picture(number)))
        eventually(lambda: newest_number(page) == number)  # noqa: B023


@pytest.mark.parametrize("patch", ["failing_h264"], indirect=True)
def test_a_view_that_is_seen_again_when_its_codec_does_not_take_the_newest_frame_connects_again(
    link: MediaLink, open_page: OpenPage
) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    open_page()
    sink.put(to_block(picture(1, width_px=FAILING_WIDTH_PX)))
    eventually(lambda: link.stats("plasma")["peers"] == {})
    sink.put(to_block(picture(2)))
    eventually(lambda: link.stats("plasma")["errors"] == {})
    page = open_page()
    eventually(lambda: newest_number(page) == 2)
    assert page.next_message("stream")["codec"] == "H264"
    look(link, page, False)
    sink.put(to_block(picture(3, width_px=FAILING_WIDTH_PX)))
    eventually(lambda: link.stats("plasma")["frames"]["shown"] == 3)
    page.say({"type": "watching", "is_watching": True})
    eventually(lambda: link.stats("plasma")["peers"] == {})


def test_the_other_views_of_a_hidden_one_play_on(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    hidden, seen = open_page(), open_page()
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(hidden) == newest_number(seen) == 1)
    look(link, hidden, False)
    for number in range(2, 6):
        sink.put(to_block(picture(number)))
        eventually(lambda: newest_number(seen) == number)  # noqa: B023
    assert newest_number(hidden) == 1
    look(link, hidden, True)
    eventually(lambda: newest_number(hidden) == 5)
