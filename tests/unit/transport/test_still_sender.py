"""A still on a data channel that takes what it can."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from reactor_nb.media.exact_still import ExactStill
from reactor_nb.transport.still_sender import PIECE_BYTES, StillSender


class SlowChannel:
    """An RTCDataChannel whose road takes a piece only when it is told to."""

    def __init__(self) -> None:
        self.readyState = "open"
        self.bufferedAmountLowThreshold = 0
        self.bufferedAmount = 0
        self.sent: list[str | bytes] = []
        self._low: list[Callable[[], Any]] = []

    def send(self, data: str | bytes) -> None:
        self.sent.append(data)
        self.bufferedAmount += len(data)

    def on(self, event: str, listener: Callable[..., Any]) -> None:
        assert event == "bufferedamountlow"
        self._low.append(listener)

    def take_all(self) -> None:
        self.bufferedAmount = 0
        for listener in self._low:
            listener()

    @property
    def headers(self) -> list[dict[str, Any]]:
        return [json.loads(data) for data in self.sent if isinstance(data, str)]

    @property
    def png(self) -> bytes:
        return b"".join(data for data in self.sent if isinstance(data, bytes))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def still(still_id: int = 1, length: int = 5 * PIECE_BYTES + 7) -> ExactStill:
    return ExactStill(still_id, 1280, 720, bytes(at % 251 for at in range(length)))


def test_a_still_goes_out_in_pieces_and_no_faster_than_the_road_takes_them() -> None:
    async def sends() -> None:
        channel = SlowChannel()
        sender = StillSender(channel)
        picture = still()
        sender.show(picture, 900)
        for turn in range(20):
            await settle()
            assert channel.bufferedAmount <= 2 * PIECE_BYTES + 200, turn
            channel.take_all()
        assert channel.png == picture.png
        assert channel.headers == [
            {
                "type": "still",
                "still_id": 1,
                "width_px": 1280,
                "height_px": 720,
                "bytes": len(picture.png),
                "rtp_timestamp": 900,
            }
        ]
        assert sender.sent == 1

    asyncio.run(sends())


def test_a_still_that_the_page_has_is_only_named_again() -> None:
    async def sends() -> None:
        channel = SlowChannel()
        sender = StillSender(channel)
        picture = still(length=100)
        sender.show(picture, 900)
        await settle()
        sender.show(picture, 1800)
        await settle()
        assert channel.png == picture.png
        assert [(header["bytes"], header["rtp_timestamp"]) for header in channel.headers] == [(100, 900), (0, 1800)]

    asyncio.run(sends())


def test_the_rest_of_a_still_that_is_over_is_not_sent() -> None:
    async def sends() -> None:
        channel = SlowChannel()
        sender = StillSender(channel)
        picture = still()
        sender.show(picture, 900)
        await settle()
        picture.is_over = True
        channel.take_all()
        await settle()
        assert len(channel.png) <= 3 * PIECE_BYTES
        assert sender.sent == 0

    asyncio.run(sends())


def test_no_piece_of_the_old_still_follows_the_header_of_the_new_one() -> None:
    async def sends() -> None:
        channel = SlowChannel()
        sender = StillSender(channel)
        sender.show(still(1), 900)
        await settle()
        new = ExactStill(2, 1280, 720, b"new")
        sender.show(new, None)
        channel.take_all()
        await settle()
        after = channel.sent[channel.sent.index(next(d for d in channel.sent if '"still_id":2' in str(d))) + 1 :]
        assert after == [b"new"]
        assert channel.headers[-1]["rtp_timestamp"] is None

    asyncio.run(sends())


def test_a_closed_road_gets_nothing() -> None:
    async def sends() -> None:
        channel = SlowChannel()
        sender = StillSender(channel)
        channel.readyState = "closing"
        sender.show(still(), 900)
        channel.readyState = "open"
        over = still()
        over.is_over = True
        sender.show(over, 900)
        await settle()
        assert channel.sent == []
        sender.show(still(), 900)
        sender.close()
        sender.close()
        await settle()
        assert channel.png == b""

    asyncio.run(sends())
