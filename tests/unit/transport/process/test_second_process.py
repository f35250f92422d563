"""Shared memory with a real second process: exact while it stalls, dies and holds frames; nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from reactor_nb.core.frames import to_block
from reactor_nb.transport.process.road import FrameRoad
from reactor_nb.transport.process.shared_sink import SharedSink
from tests.support.eventually import eventually
from tests.unit.transport.process.sides import SESSION, STREAM, sockets

_ROOT = Path(__file__).resolve().parents[4]
_READER = (sys.executable, "-m", "tests.unit.transport.process.reading_process")
_RATE_FPS = 1000.0


class _Reader:
    """reading_process.py at the other end of a road."""

    def __init__(self, road: FrameRoad, hold: int = 2) -> None:
        ours, theirs = sockets()
        with theirs:
            self.process = subprocess.Popen(
                [*_READER, str(theirs.fileno()), str(_RATE_FPS), str(hold)],
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                stdout=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                text=True,
            )
        assert self.process.stdout is not None
        self._out = self.process.stdout
        assert json.loads(self._out.readline()) == "open"
        road.connect(ours)

    def rest(self) -> list[list[int]]:
        """What it said of each frame, up to its end."""
        with self._out:
            lines = [json.loads(line) for line in self._out]
        assert self.process.wait(10.0) == 0
        return lines

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10.0)
        self._out.close()


@contextmanager
def _sink(rate_fps: float = _RATE_FPS) -> Iterator[tuple[FrameRoad, SharedSink]]:
    road = FrameRoad()
    sink = SharedSink(road, STREAM, SESSION, rate_fps)
    try:
        yield road, sink
    finally:
        sink.close()
        sink.release()
        road.close()


def _emit(sink: SharedSink, buffer: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], value: int) -> None:
    """As an author who has one buffer: it is written to again at once."""
    buffer[...] = value % 251
    sink.put(to_block(buffer, reserve=sink.reserve))
    buffer[...] = 255


def test_no_frame_is_ever_torn_however_fast_the_author_reuses_the_buffer() -> None:
    buffer = np.zeros((360, 480, 3), np.uint8)
    with _sink() as (road, sink):
        reader = _Reader(road, hold=3)
        sink.attach()
        for value in range(400):
            _emit(sink, buffer, value)
        sink.finish()
        eventually(lambda: sink.counts().played + sink.counts().skipped == 400, timeout_s=10.0)
        road.disconnect()
        seen = reader.rest()
    assert seen[-1][0] == 399
    for number, height_px, width_px, *values in seen:
        assert (height_px, width_px) == (360, 480)
        assert values == [number % 251] * 4, "frame, then least and greatest value at two times"


def test_sizes_that_change_with_every_frame_are_exact_in_the_other_process() -> None:
    generator = np.random.default_rng(8)
    sizes = [(int(height), int(width)) for height, width in generator.integers(1, 400, (150, 2))]
    with _sink() as (road, sink):
        reader = _Reader(road)
        sink.attach()
        for number, (height_px, width_px) in enumerate(sizes):
            sink.put(to_block(np.full((height_px, width_px, 3), number, np.uint8), reserve=sink.reserve))
        sink.finish()
        eventually(lambda: sink.counts().played + sink.counts().skipped == len(sizes), timeout_s=10.0)
        road.disconnect()
        seen = reader.rest()
    assert len(seen) >= 1
    for number, height_px, width_px, *values in seen:
        assert (height_px, width_px) == sizes[number]
        assert values == [number] * 4


def test_a_stopped_process_holds_nobody_and_shows_the_newest_when_it_goes_on() -> None:
    buffer = np.zeros((720, 1280, 3), np.uint8)
    with _sink(rate_fps=100_000.0) as (road, sink):
        reader = _Reader(road)
        sink.attach()
        _emit(sink, buffer, 0)
        eventually(lambda: sink.counts().played == 1)
        reader.process.send_signal(signal.SIGSTOP)
        longest_s = 0.0
        for value in range(1, 120):
            began_s = time.monotonic()
            _emit(sink, buffer, value)
            longest_s = max(longest_s, time.monotonic() - began_s)
        assert longest_s < 1.0
        drops = sink.drops()
        assert sum(drops.values()) > 0
        reader.process.send_signal(signal.SIGCONT)
        eventually(lambda: sink.counts().played + sink.counts().skipped + sink.counts().dropped == 120, 10.0)
        _emit(sink, buffer, 120)
        eventually(lambda: sink.counts().played + sink.counts().skipped + sink.counts().dropped == 121, 10.0)
        assert sink.drops() == drops
        sink.finish()
        road.disconnect()
        seen = reader.rest()
    assert seen[-1][0] == 120
    assert all(values == [number % 251] * 4 for number, _, _, *values in seen)


@pytest.mark.parametrize("seed", range(3))
def test_a_process_killed_at_any_moment_loses_only_what_was_on_the_way(seed: int) -> None:
    generator = np.random.default_rng(seed)
    buffer = np.zeros((120, 160, 3), np.uint8)
    with _sink(rate_fps=2000.0) as (road, sink):
        emitted = 0
        for _ in range(3):
            reader = _Reader(road, hold=1)
            sink.attach()
            for _ in range(int(generator.integers(1, 200))):
                _emit(sink, buffer, emitted)
                emitted += 1
            reader.kill()
            for _ in range(int(generator.integers(0, 20))):
                _emit(sink, buffer, emitted)
                emitted += 1
        reader = _Reader(road, hold=0)
        sink.attach()
        eventually(lambda: sink.counts().played + sink.counts().skipped + sink.counts().dropped == emitted, 10.0)
        assert sink.counts().produced == emitted
        sink.finish()
        road.disconnect()
        seen = reader.rest()
    assert seen[-1][0] == emitted - 1
    assert all(values == [number % 251] * 4 for number, _, _, *values in seen)


def test_nothing_is_left_when_this_side_is_killed() -> None:
    """The script that emits is killed with a frame on the way: the reader ends, and no name stays anywhere."""
    shm_before = set(os.listdir("/dev/shm"))
    script = (
        "import numpy as np, socket, sys, os, signal\n"
        "from reactor_nb.core.frames import to_block\n"
        "from reactor_nb.transport.process.road import FrameRoad\n"
        "from reactor_nb.transport.process.shared_sink import SharedSink\n"
        "road = FrameRoad()\n"
        "road.connect(socket.socket(fileno=int(sys.argv[1])))\n"
        "sink = SharedSink(road, 0, 1, 1000.0)\n"
        "sink.attach()\n"
        "for value in range(20):\n"
        "    sink.put(to_block(np.full((480, 640, 3), value, np.uint8), reserve=sink.reserve))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ours, theirs = sockets()
    with ours, theirs:
        reader = subprocess.Popen(
            [*_READER, str(theirs.fileno()), str(_RATE_FPS), "0"],
            cwd=_ROOT,
            pass_fds=[theirs.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert reader.stdout is not None
        assert json.loads(reader.stdout.readline()) == "open"
        kernel = subprocess.Popen(
            [sys.executable, "-c", script, str(ours.fileno())], cwd=_ROOT, pass_fds=[ours.fileno()]
        )
    assert kernel.wait(15.0) == -signal.SIGKILL
    first = json.loads(reader.stdout.readline())
    assert first[3:] == [first[0]] * 4
    assert set(os.listdir("/dev/shm")) == shm_before
    reader.kill()
    reader.wait(10.0)
    reader.stdout.close()
