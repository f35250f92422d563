"""What pages say, and what they are answered."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import Any

import pytest

from reactor_nb.errors import CarrierError
from reactor_nb.media.link import CommSettings
from reactor_nb.media.stream import Stream
from reactor_nb.transport.comm_views import CommViews
from reactor_nb.transport.loop import MediaLoop
from reactor_nb.transport.views import Views
from reactor_nb.transport.webrtc import Peer

CALL = {"type": "call", "id": "7", "name": "move", "params": {}}


def test_a_page_whose_call_finds_no_room_is_told_so_and_the_log_is_not_filled(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(Peer, "send_text", lambda peer, text: told.append(json.loads(text)))

    def listener(view_id: str, message: dict[str, Any]) -> None:
        raise CarrierError("The kernel does not read.")

    with contextlib.closing(MediaLoop()) as loop, caplog.at_level(logging.WARNING):
        views = Views("plasma", loop)
        views.listener = listener

        async def call() -> None:
            peer = Peer("view", views.peers)
            views.text_came(peer, json.dumps(CALL))
            await peer.close()

        loop.submit(call()).result(5.0)
        assert views.stream.close() == []
    error = {"code": "carrier", "message": "The kernel does not read."}
    assert told == [{"type": "reply", "id": "7", "error": error}]
    assert caplog.records == []


def test_a_peer_that_is_lost_ends_though_its_page_decodes_nothing_by_comm() -> None:
    told: list[dict[str, Any]] = []
    with contextlib.closing(MediaLoop()) as loop:
        views = Views("plasma", loop)
        views.listen_packets(lambda message, payload: told.append(message))
        views.carry("view", CommSettings((), False))

        async def lose() -> None:
            peer = Peer("view", views.peers)
            peer.was_lost = True
            views.peer_gone(peer)
            views.comm.drop("view")
            await peer.close()

        loop.submit(lose()).result(5.0)
        assert views.stream.close() == []
    assert [message["type"] for message in told] == ["error"]
    assert "decodes nothing" in told[0]["error"]["message"]


def test_the_stream_forgets_the_views_of_a_codec_that_failed_their_stills_as_well() -> None:
    left: list[str] = []

    class Telling(Stream):
        def detach(self, view_id: str) -> None:
            left.append(view_id)
            super().detach(view_id)

    with contextlib.closing(MediaLoop()) as loop:
        stream = Telling("plasma", lambda codec: None)
        comm = CommViews("plasma", stream, loop, lambda view_id: None)

        async def fail() -> list[str]:
            comm.listener = lambda message, payload: None
            comm.carry("view", CommSettings(("VP8",), True))
            comm.codecs_changed("VP8")
            before = list(left)
            comm.close()
            return before

        assert loop.submit(fail()).result(10.0) == ["comm VP8"]
        assert stream.close() == []
