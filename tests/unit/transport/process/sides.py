"""Both sides of the frame socket in one process: a SharedSink, and the receiver that plays it."""

from __future__ import annotations

import socket

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.frame_queue import BufferedFrame, FrameQueue
from reactor_nb.core.frames import to_block
from reactor_nb.transport.process.receiver import CountedQueue, FrameReceiver
from reactor_nb.transport.process.road import FrameRoad
from reactor_nb.transport.process.segments import DEFAULT_CAP_BYTES
from reactor_nb.transport.process.shared_sink import SharedSink

RATE_FPS = 20_000.0
STREAM, SESSION = 0, 1


def sockets() -> tuple[socket.socket, socket.socket]:
    """The ends of the kernel and of the media process."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def picture(value: int, height_px: int = 24, width_px: int = 32) -> NDArray[np.uint8]:
    """A frame that is one colour, and so shows when two are mixed."""
    return np.full((height_px, width_px, 3), value % 256, np.uint8)


class Media:
    """The media process's part: reads a socket, and plays one session; without haste unless it `skips`."""

    def __init__(self, end: socket.socket, *, skips: bool = False) -> None:
        self.receiver = FrameReceiver(end)
        self.source: CountedQueue = self.receiver.add(STREAM, SESSION, FrameQueue(RATE_FPS, keeps_late=not skips))

    def take(self, timeout_s: float = 5.0) -> BufferedFrame:
        frame = self.source.take(timeout_s)
        assert frame is not None, f"no frame came within {timeout_s:g} s"
        return frame

    def close(self) -> None:
        """As a process ends: nothing is said."""
        self.source.close()
        assert self.receiver.close()


class Sides:
    """A sink, its road, and the media process that is there at the moment."""

    def __init__(self, rate_fps: float = RATE_FPS, cap_bytes: int = DEFAULT_CAP_BYTES, *, skips: bool = False) -> None:
        self.skips = skips
        self.notes: list[str] = []
        self.road = FrameRoad()
        self.sink = SharedSink(self.road, STREAM, SESSION, rate_fps, cap_bytes=cap_bytes, note=self.notes.append)
        self.media: Media | None = None
        self.unread: list[socket.socket] = []

    def __enter__(self) -> Sides:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Media:
        """A media process comes up and has the session open."""
        ours, theirs = sockets()
        self.road.connect(ours)
        self.media = Media(theirs, skips=self.skips)
        self.sink.attach()
        return self.media

    def stall(self) -> socket.socket:
        """A media process comes up, and never reads."""
        ours, theirs = sockets()
        self.road.connect(ours)
        self.unread.append(theirs)
        self.sink.attach()
        return theirs

    def crash(self) -> None:
        """The media process ends; the road learns it with the next notice, or from the supervisor."""
        assert self.media is not None
        self.media.close()
        self.media = None

    def emit(self, *values: int, height_px: int = 24, width_px: int = 32) -> None:
        """One block with a frame for each value."""
        frames = np.stack([picture(value, height_px, width_px) for value in values])
        self.sink.put(to_block(frames, reserve=self.sink.reserve))

    def close(self) -> None:
        self.sink.close()
        self.sink.release()
        if self.media is not None:
            self.media.close()
        self.road.close()
        for end in self.unread:
            end.close()
