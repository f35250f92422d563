"""SharedSink: a session's frames go to the media process by shared memory, each with the time when it is due."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.frame_queue import ENDED, BufferCounts
from reactor_nb.core.frames import Block, DeviceLayout
from reactor_nb.core.pace import Pace
from reactor_nb.core.pacing import DEFAULT_SMOOTHNESS, Plan
from reactor_nb.transport.process.board import Tally
from reactor_nb.transport.process.delivery import Delivery
from reactor_nb.transport.process.road import GONE, FrameRoad
from reactor_nb.transport.process.segments import DEFAULT_CAP_BYTES

_log = logging.getLogger(__name__)

LOST = "the media process ended with them"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A block that waits for a media process. `uncounted`: how many of its frames are counted nowhere yet."""

    block: Block
    first_number: int
    plan: Plan
    uncounted: int

    @property
    def over_s(self) -> float:
        """When its last frame is due."""
        return self.plan.due_s(len(self.block) - 1)

    def last_frame(self) -> _Waiting:
        """Its last frame as a block of one."""
        skipped = len(self.block) - 1
        last = replace(self.block, frames=self.block.frames[-1:], exact=None)
        return _Waiting(last, self.first_number + skipped, Plan(self.over_s, 0.0), 1)


class SharedSink:
    """A FrameSink that hands frames to the media process.

    All pacing is done here: each frame's due time goes along with it, and a fast model is held by the time
    alone. A media process that is slow, stopped or gone never holds the model. While there is none, the blocks
    that are not overdue wait for it, and the newest in any case; where one is slow, frames are counted as dropped.

    Args:
        stream_id: below board.SLOTS; one for each model name that is open.
        session_no: above 0, and no other session's on that stream.
        note: told in a sentence why frames are dropped, once for each reason; on the thread that emits.
    Threads: reserve and put on the thread that emits, one at a time; everything else on any. One lock guards
        every field; it is not held while the model waits.
    """

    def __init__(
        self,
        road: FrameRoad,
        stream_id: int,
        session_no: int,
        rate_fps: float,
        smoothness: float = DEFAULT_SMOOTHNESS,
        *,
        cap_bytes: int = DEFAULT_CAP_BYTES,
        device_layout: DeviceLayout | None = None,
        note: Callable[[str], None] = _log.warning,
    ) -> None:
        self._note = note
        self.device_layout = device_layout
        self._pace = Pace(rate_fps, smoothness)
        self._lock = threading.Lock()
        self._delivery = Delivery(road, stream_id, session_no, cap_bytes)
        self._waiting: deque[_Waiting] = deque()
        self._newest: _Waiting | None = None
        self._newest_dropped_for = ""
        self._other: FrameSink | None = None
        self._produced = 0
        self._dropped: Counter[str] = Counter()
        self._noted: set[str] = set()
        self._tally = Tally()
        self._is_finished = False
        self._is_closed = False

    def reserve(self, shape: tuple[int, int, int, int]) -> NDArray[np.uint8] | None:
        """Shared memory to convert a block of (N, H, W, 3) into; None: there is none."""
        with self._lock:
            other, is_over = self._other, self._is_over
        if other is not None:
            return other.reserve(shape)
        return None if is_over else self._delivery.reserve(shape)

    def put(self, block: Block) -> None:
        """Tell the media process of a block, and hold a fast model until it is time to make its next one.

        A block that does not lie in reserved memory is copied there. Waits for the time alone.
        """
        count = len(block)
        if not count:
            return
        plan = self._pace.plan(count)
        with self._lock:
            other = self._other
            note = "" if other is not None else self._accept(block, plan)
        if other is not None:
            other.put(block)
            return
        if note:
            self._note(note)
        self._pace.hold()

    def finish(self) -> None:
        """No more puts; what is queued is still played. Idempotent."""
        self._end(is_dropping=False)

    def close(self) -> None:
        """Drop what is queued, counted, and wake everyone who waits. Idempotent."""
        self._end(is_dropping=True)

    def counts(self) -> BufferCounts:
        """Frames of the session so far. Never waits for the media process."""
        with self._lock:
            other = self._other
            self._read_board()
            played, skipped = self._tally.played, self._tally.skipped
            mine = BufferCounts(self._produced, played, self._drops().total(), skipped)
        if other is None:
            return mine
        more = other.counts()
        return BufferCounts(
            mine.produced + more.produced,
            mine.played + more.played,
            mine.dropped + more.dropped,
            mine.skipped + more.skipped,
        )

    def drops(self) -> dict[str, int]:
        """Why frames were dropped -> how many; their sum is the `dropped` of counts()."""
        with self._lock:
            other = self._other
            self._read_board()
            drops = self._drops()
        if other is not None:
            drops[ENDED] += other.counts().dropped
        return dict(+drops)

    def attach(self) -> None:
        """The media process that the road leads to has opened this session: send it the blocks.

        To be called after the first opening, and again when a new process has opened it: what was on the way to
        the one before is counted as dropped, and the newest frame is sent again. Idempotent.
        """
        with self._lock:
            if self._other is not None or self._delivery.is_joined:
                return
            if self._delivery.was_joined:
                self._part()
            self._delivery.join()
            while self._waiting:
                waiting = self._waiting.popleft()
                why, _ = self._delivery.send(waiting.block, waiting.first_number, waiting.plan)
                if why == GONE:  # gone already; the next one gets it
                    self._waiting.appendleft(waiting)
                    break
                if why:
                    self._dropped[why] += waiting.uncounted
            is_over = self._is_over
            if is_over:
                self._delivery.clear()
        if is_over:
            self._delivery.send_end(is_dropping=False)

    def divert(self, other: FrameSink) -> None:
        """There will be no media process any more: all goes to `other`, a new sink, the newest frame first."""
        with self._lock:
            if self._other is not None:
                return
            self._part()
            self._other = other
            for newest in self._waiting:  # at most one frame, which `other` counts from now on
                self._produced -= 1
                self._tally = replace(self._tally, played=self._tally.played - (not newest.uncounted))
                other.put(replace(newest.block, frames=newest.block.frames.copy()))
            self._waiting.clear()
            self._newest = None
            if self._is_over:
                other.finish()
        self._pace.close()

    def release(self) -> None:
        """The stream has a new session or is closed: counts are final, and the newest frame is let go. Idempotent."""
        self._pace.close()
        with self._lock:
            self._is_closed = True
            self._read_board()
            self._newest = None
            self._waiting.clear()
            self._delivery.clear()

    @property
    def _is_over(self) -> bool:
        return self._is_finished or self._is_closed

    def _end(self, *, is_dropping: bool) -> None:
        with self._lock:
            if self._is_closed or (self._is_finished and not is_dropping):
                return
            self._is_finished = True
            self._is_closed = is_dropping
            other = self._other
            if not is_dropping:
                self._send_dropped_newest()
            if self._newest is not None:  # memory of its own: an ended session holds no segment
                last = self._newest.last_frame()
                self._newest = replace(last, block=replace(last.block, frames=last.block.frames.copy()))
            if is_dropping and self._waiting:
                self._wait_with_newest()
            self._delivery.clear()
            is_joined = self._delivery.is_joined
        self._pace.close()
        if other is not None:
            if is_dropping:
                other.close()
            else:
                other.finish()
        elif is_joined:
            why = self._delivery.send_end(is_dropping=is_dropping)
            if why:  # the next session of this stream ends this one as well
                _log.debug("The end of a session was not told: %s.", why)

    # What follows is called with the lock held.

    def _accept(self, block: Block, plan: Plan) -> str:
        """Send a block, or let it wait; a sentence to be noted, or empty."""
        count, number = len(block), self._produced
        if self._is_over:
            self._produced += count
            self._dropped[ENDED] += count
            return ""
        why, detail = self._delivery.send(block, number, plan)
        if why == GONE and self._delivery.was_joined:
            self._part()  # before this block is counted, which was not on the way
        self._produced += count
        self._newest = _Waiting(block, number, plan, count)
        self._newest_dropped_for = "" if why == GONE else why
        if why == GONE:
            self._waiting.append(self._newest)
            now_s = time.monotonic()
            while len(self._waiting) > 1 and self._waiting[0].over_s < now_s:
                self._dropped[GONE] += self._waiting.popleft().uncounted
        elif why:
            self._dropped[why] += count
            if why not in self._noted:
                self._noted.add(why)
                return f"Frames are made and not shown: {detail}. session.frame() has the newest all the same."
        return ""

    def _send_dropped_newest(self) -> None:
        """The last frame of all stays on the page: it is worth another try."""
        if self._newest is None or not self._newest_dropped_for:
            return
        last = self._newest.last_frame()
        why, _ = self._delivery.send(last.block, last.first_number, Plan(time.monotonic(), 0.0))
        if not why:
            self._count_newest_again()

    def _count_newest_again(self) -> None:
        """The newest frame was dropped, and now it is not."""
        if self._newest_dropped_for:
            self._dropped[self._newest_dropped_for] -= 1
            self._newest_dropped_for = ""

    def _part(self) -> None:
        """The media process is gone, and with it what was on the way. The newest frame waits for the next one."""
        self._delivery.part()
        self._wait_with_newest()
        lost = self._unplayed() - sum(waiting.uncounted for waiting in self._waiting)
        if lost > 0:
            self._dropped[LOST] += lost

    def _wait_with_newest(self) -> None:
        self._read_board()
        self._waiting.clear()
        if self._newest is not None:
            self._count_newest_again()
            last = self._newest.last_frame()
            is_unplayed = last.first_number >= self._tally.next_number
            self._waiting.append(replace(last, uncounted=int(is_unplayed)))

    def _drops(self) -> Counter[str]:
        drops = +self._dropped
        if self._is_closed and self._unplayed():
            drops[ENDED] += self._unplayed()
        return drops

    def _unplayed(self) -> int:
        """Frames that are neither played nor skipped nor dropped."""
        return max(0, self._produced - self._dropped.total() - self._tally.played - self._tally.skipped)

    def _read_board(self) -> None:
        if self._other is None:
            self._tally = self._delivery.tally() or self._tally
