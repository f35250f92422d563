"""A model without a runtime: emits numbered pictures into a sink until it is ended."""

from __future__ import annotations

import threading
import time

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.frames import to_block
from tests.loopback.conftest import picture


class CountingModel:
    """`number` is the newest that was emitted, `held_s` the longest that an emission took."""

    def __init__(self, sink: FrameSink) -> None:
        self.sink = sink
        self.number = 0
        self.held_s = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Idempotent."""
        self._ended.set()
        self._thread.join(5.0)
        assert not self._thread.is_alive(), "the model is held"

    def _run(self) -> None:
        while not self._ended.is_set():
            pixels = picture(self.number + 1)
            began_s = time.monotonic()
            self.sink.put(to_block(pixels, reserve=self.sink.reserve))
            self.held_s = max(self.held_s, time.monotonic() - began_s)
            self.number += 1
