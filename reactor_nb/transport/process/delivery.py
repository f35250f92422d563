"""Delivery: brings the blocks of one session into shared memory, and tells the media process where they lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.frames import Block
from reactor_nb.core.pacing import Plan
from reactor_nb.core.pixel_copy import copy_pixels
from reactor_nb.transport.process.board import Tally
from reactor_nb.transport.process.notices import BlockNotice, EndNotice, Layout, NoticeError
from reactor_nb.transport.process.road import GONE, FrameRoad
from reactor_nb.transport.process.segments import FREE, WITH_MEDIA, SegmentPool

FULL = "no shared memory"
NO_FRAME = "too large to be sent"

_END_TIMEOUT_S = 0.5
_NO_CONNECTION = -1


class Delivery:
    """The road of one session.

    It is joined to one media process at a time: what was shared with the one before is let go, as nobody can
    say what a killed process still wrote.

    Args:
        stream_id, session_no: as the media process was told to open them.
        cap_bytes: of shared memory.
    Threads: `reserve` and `send_end` on any, the rest guarded by its owner.
    """

    def __init__(self, road: FrameRoad, stream_id: int, session_no: int, cap_bytes: int) -> None:
        self._road = road
        self._stream_id = stream_id
        self._session_no = session_no
        self._pool = SegmentPool(cap_bytes)
        self._connection = _NO_CONNECTION

    @property
    def is_joined(self) -> bool:
        """Whether the process that it was joined to is there, as far as is known."""
        return self._road.leads(self._connection)

    @property
    def was_joined(self) -> bool:
        """Whether it was joined to a process, there or gone, and did not part since."""
        return self._connection != _NO_CONNECTION

    def join(self) -> None:
        """The process that the road leads to knows the session."""
        self._connection = self._road.connection

    def part(self) -> None:
        """The process is gone."""
        self._connection = _NO_CONNECTION
        self._pool.clear()

    def reserve(self, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
        """Shared memory to convert a block into; None if there is none."""
        return self._pool.reserve(shape)

    def send(self, block: Block, first_number: int, plan: Plan) -> tuple[str, str]:
        """Never waits. Empty, or why it was not sent, and that in detail.

        Pixels that do not lie in memory of `reserve` are copied there.
        """
        if not self.is_joined:
            return GONE, GONE
        pixels = block.frames
        segment = self._pool.segment_of(pixels)
        if segment is None:
            room = self._pool.reserve(pixels.shape)
            if room is None:
                return FULL, self._pool.refusal
            copy_pixels(room, pixels)
            segment = self._pool.segment_of(room)
            if segment is None:  # cleared at this moment
                return GONE, GONE
        notice = BlockNotice(
            stream_id=self._stream_id,
            session_no=self._session_no,
            segment_id=segment.id,
            offset=0,
            count=len(block),
            height_px=block.height_px,
            width_px=block.width_px,
            layout=Layout.I420 if block.is_planar else Layout.RGB,
            first_number=first_number,
            emitted_s=block.emitted_s,
            converted_s=block.converted_s,
            first_due_s=plan.first_due_s,
            interval_s=plan.interval_s,
        )
        segment.mark(WITH_MEDIA)
        try:
            why = detail = self._road.send_segment(self._connection, segment) or self._road.send(
                self._connection, notice
            )
        except NoticeError as error:
            why, detail = NO_FRAME, str(error)
        if why:
            segment.mark(FREE)
        return why, detail

    def send_end(self, *, is_dropping: bool) -> str:
        """No more blocks: what waits is played, or dropped. Empty, or why it was not sent; tries for half a second."""
        end = EndNotice(self._stream_id, self._session_no, is_dropping)
        return self._road.send_patiently(self._connection, end, _END_TIMEOUT_S)

    def clear(self) -> None:
        """Give the shared memory back; what is on the way arrives all the same."""
        self._pool.clear()

    def tally(self) -> Tally | None:
        """What the media process has played; None if it has not begun, or plays another session."""
        return self._road.board.read(self._stream_id, self._session_no)
