"""The picture by comm: what comes, to whom, and at which pace."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from reactor_nb.core.frames import to_block
from reactor_nb.media.link import MediaLink, StreamSettings
from tests.loopback.comm_page import Broadcast, CommPage
from tests.loopback.conftest import picture
from tests.support import barcode
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

SETTINGS = StreamSettings(rate_fps=60.0)


@pytest.fixture
def broadcast(link: MediaLink) -> Iterator[Broadcast]:
    broadcast = Broadcast(link)
    yield broadcast
    broadcast.close()


def newest_number(page: CommPage) -> int | None:
    return barcode.read(page.frames[-1]) if page.frames else None


@pytest.mark.parametrize("codec", ["H264", "VP8"])
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


def test_a_page_that_comes_before_the_model_sees_its_first_frame(link: MediaLink, broadcast: Broadcast) -> None:
    page = broadcast.page().carry()
    sink = link.open_stream("plasma", SETTINGS)
    sink.put(to_block(picture(1)))
    eventually(lambda: newest_number(page) == 1)


def test_a_ping_is_answered_whether_the_view_is_carried_or_not(link: MediaLink, broadcast: Broadcast) -> None:
    page = broadcast.page()
    page.say("ping", sent_ms=17)
    pong = page.next_message("pong")
    assert (pong["sent_ms"], pong["view_id"]) == (17, page.view_id)
