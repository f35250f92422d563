"""The other side of a SharedSink in a process of its own: plays frames, and says what it saw.

`python -m tests.unit.transport.process.reading_process FD RATE_FPS HOLD` prints one JSON line for each frame that
was played, [number, height, width, least, greatest, second least], and keeps the newest HOLD frames alive, as
encoders do. The second look at a frame is taken just before it is let go: it tells whether its memory was written
to meanwhile. Streams 0 with session 1 are played.
"""

from __future__ import annotations

import json
import socket
import sys
from collections import deque

from reactor_nb.core.frame_queue import BufferedFrame, FrameQueue
from reactor_nb.transport.process.receiver import FrameReceiver


def main(fd: int, rate_fps: float, hold: int) -> None:
    receiver = FrameReceiver(socket.socket(fileno=fd))
    source = receiver.add(0, 1, FrameQueue(rate_fps))
    _say("open")
    held: deque[tuple[BufferedFrame, int, int]] = deque()
    while (frame := source.take()) is not None:
        held.append((frame, int(frame.pixels.min()), int(frame.pixels.max())))
        if len(held) > hold:
            _tell(*held.popleft())
        del frame  # or the newest would be held here as well
    while held:
        _tell(*held.popleft())
    receiver.wait(10.0)
    receiver.close()


def _tell(frame: BufferedFrame, least: int, greatest: int) -> None:
    height_px, width_px, _ = frame.pixels.shape
    again = [int(frame.pixels.min()), int(frame.pixels.max())]
    _say([frame.number, height_px, width_px, least, greatest, *again])


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
