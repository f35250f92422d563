"""A still on its way to one page: a header and binary pieces on the data channel, between the other messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from reactor_nb.media.exact_still import ExactStill
from reactor_nb.transport import protocol

PIECE_BYTES = 16_000
"""aiortc sends 16 to 50 MB/s on one machine in pieces of any size; small ones let a reply pass in between."""


class Channel(Protocol):
    """What is needed of an RTCDataChannel."""

    bufferedAmountLowThreshold: int

    @property
    def readyState(self) -> str: ...
    @property
    def bufferedAmount(self) -> int: ...
    def send(self, data: str | bytes) -> None: ...
    def on(self, event: str, listener: Callable[..., Any]) -> Any: ...


class StillSender:
    """Shows stills to one page, the newest one only.

    The page gets `still` with the number of bytes, then these in binary messages. A still that it has, or is being
    sent, is only named again, with `bytes` 0 and the new timestamp: "what was sent under this one shows the same".

    Threads: made and used on the loop.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._still: ExactStill | None = None
        self._task: asyncio.Task[None] | None = None
        self._has_room = asyncio.Event()
        self.sent = 0
        channel.bufferedAmountLowThreshold = PIECE_BYTES
        channel.on("bufferedamountlow", self._has_room.set)

    def show(self, still: ExactStill, rtp_timestamp: int | None) -> None:
        """Send a still, or say that the frame of this timestamp shows it as well. Never waits."""
        if still.is_over or self._channel.readyState != "open":
            return
        is_new = still is not self._still
        header = {
            "type": "still",
            "still_id": still.still_id,
            "width_px": still.width_px,
            "height_px": still.height_px,
            "bytes": len(still.png) if is_new else 0,
            "rtp_timestamp": rtp_timestamp,
        }
        self._channel.send(protocol.encode(header))
        if is_new:
            self.close()
            self._still = still
            self._task = asyncio.get_running_loop().create_task(self._send(still))

    def close(self) -> None:
        """Send nothing more. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._still = None

    async def _send(self, still: ExactStill) -> None:
        """The rest of a still that is over is not sent: the page drops what it has at the next header."""
        channel = self._channel
        for start in range(0, len(still.png), PIECE_BYTES):
            while channel.bufferedAmount > PIECE_BYTES:
                self._has_room.clear()
                await self._has_room.wait()
            if still.is_over or channel.readyState != "open":
                return
            channel.send(still.png[start : start + PIECE_BYTES])
        self.sent += 1
