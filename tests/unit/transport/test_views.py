"""What pages say, and what they are answered."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import Any

import pytest

from reactor_nb.errors import CarrierError
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
