"""What a group of views sends by comm, and what becomes of it where that fails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.stream import Stream
from reactor_nb.transport.comm import CommCarrier, CommGroup
from reactor_nb.transport.comm_road import CommRoad
from reactor_nb.transport.comm_stills import CommStills


@pytest.fixture
def stream() -> Iterator[Stream]:
    stream = Stream("plasma", lambda codec: None)
    yield stream
    assert stream.close() == []


def frame(rtp_timestamp: int, *, is_keyframe: bool) -> EncodedFrame:
    return EncodedFrame("VP8", b"frame", rtp_timestamp, is_keyframe, 64, 48, 30.0)


def test_a_listener_that_fails_once_has_the_picture_again_with_the_next_keyframe(
    stream: Stream, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[dict[str, Any]] = []
    fails = [True, True]

    def listen(message: dict[str, Any], payload: bytes) -> None:
        if fails:
            fails.pop()
            raise RuntimeError("the socket is closed")
        taken.append(message)

    road, lock = CommRoad(), threading.Lock()
    stills = CommStills(road, lock, lambda: listen, lambda: None)
    group = CommGroup("VP8", 1, stream, road, lock, lambda: listen, stills, lambda: None)
    road.join("view", time.monotonic())
    group.join(CommCarrier("view", lambda text: True, lambda view_id: None, road, stills))
    with caplog.at_level(logging.ERROR):
        for number, is_keyframe in enumerate((True, True, False, True, False)):
            group.deliver(frame(3000 * number, is_keyframe=is_keyframe))
    assert [message["rtp_timestamp"] for message in taken] == [9000, 12000]
    assert len(caplog.records) == 1
