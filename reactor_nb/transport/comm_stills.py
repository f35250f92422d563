"""Exact stills on their way by comm: in pieces that the road has room for, so that a new frame waits for none."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from reactor_nb.errors import CarrierError
from reactor_nb.media.exact_still import ExactStill
from reactor_nb.media.link import PacketListener
from reactor_nb.transport.comm_road import CommRoad

LEAST_PIECE_BYTES: Final = 32_000
MOST_PIECE_BYTES: Final = 1_000_000
PIECE_S: Final = 0.15
"""A piece is what the road carries in this time, as far as it was tried."""


class CommStills:
    """Sends one still at a time, the newest, to the views that do not have it.

    A view gets `still` with the number of bytes, then these in `still_piece` messages, each of which goes out when
    every page has heard enough of what went before. A still that the view has is only named again, with `bytes` 0.

    Args:
        lock: guards the road and everything here.
        listener: where messages go; None while nobody listens.
        wake: called when there is something for `pump`.

    Threads: `show` on any, `pump` and `forget` on the loop.
    """

    def __init__(
        self,
        road: CommRoad,
        lock: threading.Lock,
        listener: Callable[[], PacketListener | None],
        wake: Callable[[], None],
    ) -> None:
        self._road = road
        self._lock = lock
        self._listener = listener
        self._wake = wake
        self._still_ids: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._still: ExactStill | None = None
        self._rtp_timestamp = 0
        self._offset = 0
        self._to: list[str] = []
        self._sequence = 0

    def show(self, view_ids: Sequence[str], still: ExactStill, rtp_timestamp: int) -> None:
        """Send a still to who has it not, and tell the others that the frame of this timestamp shows the same."""
        listener = self._listener()
        if listener is None or still.is_over:
            return
        stamp = rtp_timestamp & 0xFFFFFFFF
        with self._lock:
            has = [view_id for view_id in view_ids if self._still_ids.get(view_id) == still.still_id]
            has_not = [view_id for view_id in view_ids if view_id not in has]
            if has_not:
                going = self._to if self._still is still else []
                self._still, self._offset, self._rtp_timestamp = still, 0, stamp
                self._to = list(dict.fromkeys((*going, *has_not)))
                self._still_ids.update(dict.fromkeys(has_not, still.still_id))
        if has:
            # A kernel that does not read: they draw a frame over the still, and get the next one.
            with contextlib.suppress(CarrierError):
                listener({**_header(still, stamp), "bytes": 0, "to": has}, b"")
        if has_not:
            self._wake()

    def forget(self, view_id: str) -> None:
        """A view has gone, or begins anew and has no still."""
        with self._lock:
            self._still_ids.pop(view_id, None)
            self._sent.pop(view_id, None)
            self._to = [each for each in self._to if each != view_id]
            if not self._to:
                self._still = None

    def sent(self, view_id: str) -> int:
        """How many stills a view was sent whole. Under the lock."""
        return self._sent.get(view_id, 0)

    def pump(self, now_s: float) -> None:
        """Send what there is room for."""
        while True:
            with self._lock:
                listener, still = self._listener(), self._still
                if still is None or listener is None or not self._road.may_send(now_s):
                    return
                if still.is_over:
                    self._still = None
                    return
                start, to = self._offset, self._to
                size = int(self._road.throughput_bytes_per_s() * PIECE_S)
                end = start + min(max(size, LEAST_PIECE_BYTES), MOST_PIECE_BYTES)
                piece = still.png[start:end]
                self._offset = end
                self._sequence += 1
                sequence = self._sequence
                self._road.sent(sequence, len(piece), now_s)
                if end >= len(still.png):
                    self._still = None
                    self._sent.update({view_id: self._sent.get(view_id, 0) + 1 for view_id in to})
                stamp = self._rtp_timestamp
            try:
                if start == 0:
                    listener({**_header(still, stamp), "bytes": len(still.png), "to": to}, b"")
                said = {"type": "still_piece", "to": to, "still_id": still.still_id}
                listener({**said, "sequence": sequence, "ack_every": 1}, piece)
            except CarrierError:  # a kernel that does not read: they get it when it is shown once more, or the next one
                with self._lock:
                    self._still = None
                    for view_id in to:
                        self._still_ids.pop(view_id, None)
                return


def _header(still: ExactStill, stamp: int) -> dict[str, Any]:
    return {
        "type": "still",
        "still_id": still.still_id,
        "width_px": still.width_px,
        "height_px": still.height_px,
        "rtp_timestamp": stamp,
    }
