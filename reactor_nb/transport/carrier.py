"""What a carrier is: one way of bringing the picture to one view, and messages with it."""

from __future__ import annotations

from typing import Any, Literal, Protocol

CarrierKind = Literal["webrtc", "comm"]


class Carrier(Protocol):
    """A view has up to two of them: `webrtc` (webrtc.py) and, by the notebook's own connection, `comm` (comm.py).

    Threads: made, used and closed on the loop; the attributes from any.
    """

    view_id: str
    codec: str
    """What the view is sent; empty while that is not agreed."""

    page_report: dict[str, Any]
    """What the page said of itself last."""

    @property
    def kind(self) -> CarrierKind: ...

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""

    @property
    def is_watching(self) -> bool:
        """Whether frames are sent."""

    def send_text(self, text: str) -> bool:
        """Send one message that protocol.encode has made text of; whether it was taken. Never waits."""

    async def close(self) -> None:
        """End it. Idempotent."""

    def stats(self) -> dict[str, Any]:
        """Plain values: codec, state, is_open, is_watching, road, skipped, unsent, stills, page."""
