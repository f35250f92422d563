"""Outlet: what the author's code gives out in a session, frames and messages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.emission import Emission
from reactor_nb.core.events import Listeners
from reactor_nb.core.frames import Block, DeviceLayout
from reactor_nb.core.life import Life
from reactor_nb.core.log import Log
from reactor_nb.core.messages import Messages
from reactor_nb.core.results import to_json
from reactor_nb.errors import ContextError, ResultError

if TYPE_CHECKING:
    from reactor_nb.core.device_frames import PendingBlock
    from reactor_nb.core.handover import Handover


class Outlet:
    """The side of a session that its Context sees (a ContextPort).

    Threads: any that holds the Context; `accept` one at a time, the Context sees to it.
    """

    def __init__(self, name: str, sink: FrameSink, life: Life, listeners: Listeners, log: Log) -> None:
        self.name = name
        self.emission = Emission()
        self.messages = Messages()
        self._sink = sink
        self._life = life
        self._listeners = listeners
        self._log = log
        self._handover: Handover | None = None

    @property
    def device_layout(self) -> DeviceLayout | None:
        """How the sink takes frames of a device."""
        return self._sink.device_layout

    @property
    def is_stopping(self) -> bool:
        return self._life.is_stopping

    @property
    def size_px(self) -> tuple[int, int]:
        return self.emission.size_px

    def reserve(self, shape: tuple[int, int, int, int]) -> NDArray[np.uint8] | None:
        """The sink's own memory for a block of (N, H, W, 3); None: the block lives on the heap."""
        return self._sink.reserve(shape)

    def accept(self, block: Block) -> None:
        """Hand a block to the sink, where a fast model is held; tell of the first frame and of a new size."""
        self.flush()
        self._take(block)

    def accept_pending(self, block: PendingBlock) -> None:
        """The same for a block that a device works at: it is waited for and handed on by another thread, in order.

        Raises:
            RuntimeError: torch's own; the device has failed, at this block or at one before.
        """
        if self._handover is None:
            from reactor_nb.core.handover import Handover

            self._handover = Handover(self.name, self._take)
        self._handover.put(block)

    def flush(self) -> None:
        """Wait until what a device works at was handed on.

        Raises:
            RuntimeError: torch's own; the device has failed.
        """
        if self._handover is not None:
            self._handover.flush()

    def settle(self, timeout_s: float) -> None:
        """Nothing will be emitted any more: hand on what a device still works at, unless it takes longer."""
        if self._handover is not None:
            self._handover.close(timeout_s)

    def _take(self, block: Block) -> None:
        if not len(block):
            self._note(self.emission.count_empty())
            return
        noticed = self.emission.begin(block)
        self._note(noticed.warning)
        if noticed.is_new_size:
            self._listeners.tell("frame_size", width_px=block.width_px, height_px=block.height_px)
        began_s = time.monotonic()
        self._sink.put(block)
        self.emission.handed_over(time.monotonic() - began_s)
        if noticed.is_first and not self._life.is_stopping:
            self._life.move("streaming")
            self._listeners.tell("first_frame")
        self._life.notify()

    def deliver(self, message: dict[str, Any]) -> None:
        """Check a message and tell of it.

        Raises:
            ResultError: no dict, or what JSON cannot hold.
            ContextError: the session has ended.
        """
        if self._life.is_over:
            raise ContextError(f"The session of {self.name} has ended; its message {str(message)[:80]!r} was not sent.")
        if not isinstance(message, dict):
            raise ResultError(f'send got {type(message).__name__}; it needs a dict: get_ctx().send({{"score": 3}})')
        plain: dict[str, Any] = to_json(message, name="message")
        self.messages.add(plain)
        self._listeners.tell("message", data=plain)

    def _note(self, text: str) -> None:
        if text:
            self._log.note(text)

    def set_monitoring(self, is_on: bool) -> None:
        self.emission.set_monitoring(is_on)

    def close(self) -> None:
        """No message will come any more; keep the newest frame alone."""
        self.emission.end()
        self.messages.close()
