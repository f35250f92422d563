"""Recording: the frames of a session as a video file or a folder of PNG pictures."""

from __future__ import annotations

import os
import re
import threading
from collections import deque
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.still import Still
from reactor_nb.errors import MediaFileError

MOST_WAITING_BYTES = 256_000_000
"""How much may wait to be written; then the model is held. At 720p 3 s of 30 fps."""

_NUMBERED = re.compile(r"frame_(\d{6,})\.png")


class FrameWriter(Protocol):
    """Where a recording writes. Threads: one at a time."""

    def write(self, pixels: NDArray[np.uint8], at_s: float | None = None) -> None: ...
    def close(self) -> Path | None:
        """Finish; where it is, or None if no frame was written."""


class PngFolder:
    """A FrameWriter of `frame_000000.png` and so on: exact pixels. What an earlier run left beyond them is removed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.frames = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def write(self, pixels: NDArray[np.uint8], at_s: float | None = None) -> None:
        path = self.folder / f"frame_{self.frames:06d}.png"
        try:
            path.write_bytes(Still(pixels, self.frames).png(level=1))
        except OSError as error:
            raise _unwritable(path, error) from error
        self.frames += 1

    def close(self) -> Path | None:
        if not self.frames:
            return None
        try:
            for path in self.folder.iterdir():
                numbered = _NUMBERED.fullmatch(path.name)
                if numbered and int(numbered[1]) >= self.frames:
                    path.unlink()
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return self.folder


class Recording:
    """Frames in, a file or a folder out, written on the thread `reactor-recording`.

    Args:
        out: a video file by its suffix (.mp4, .m4v, .mov, .mkv), else a folder of PNG pictures.
        rate_fps: what a steady stream has in the file.
    Raises:
        MediaFileError: `out` cannot be written.
    Threads: `add` on one; `close` on any.
    """

    def __init__(self, out: str | os.PathLike[str], rate_fps: float) -> None:
        self._writer = _writer(out, rate_fps)
        self._changed = threading.Condition()  # guards everything below
        self._waiting: deque[tuple[NDArray[np.uint8], float | None]] = deque()
        self._waiting_bytes = 0
        self._is_closed = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._main, name="reactor-recording", daemon=True)
        self._thread.start()

    def add(self, pixels: NDArray[np.uint8], at_s: float | None = None) -> None:
        """Write a frame, shown from `at_s` seconds on; waits while more than 256 MB wait. It must not change any more.

        Raises:
            MediaFileError: it, or one before, cannot be written.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or self._is_closed or self._waiting_bytes <= MOST_WAITING_BYTES)
            if self._error is not None:
                raise self._error
            if self._is_closed:
                return
            self._waiting.append((pixels, at_s))
            self._waiting_bytes += pixels.nbytes
            self._changed.notify_all()

    def close(self) -> Path | None:
        """Write what waits, and finish; where it is, or None if there was no frame. Idempotent.

        Raises:
            MediaFileError: a frame could not be written; what was written before is kept where it can be played.
        """
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()
        try:
            path = self._writer.close()
        except MediaFileError:
            if self._error is None:
                raise
        if self._error is not None:
            raise self._error
        return path

    def _main(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or self._waiting)
                if not self._waiting:
                    return
                pixels, at_s = self._waiting.popleft()
            try:
                self._writer.write(pixels, at_s)
            except Exception as error:
                with self._changed:
                    self._error = error
                    self._waiting.clear()
                    self._changed.notify_all()
                return
            with self._changed:
                self._waiting_bytes -= pixels.nbytes
                self._changed.notify_all()


def check_out(out: str | os.PathLike[str]) -> None:
    """Refuse early what no recording can be written to.

    Raises:
        MediaFileError: neither a video that can be written nor a folder.
    """
    path = Path(out).expanduser()
    if not _names_a_folder(out):
        from reactor_nb.media.video_file import FORMATS

        if path.suffix.lower() not in FORMATS:
            raise MediaFileError(
                f"{path.name} cannot be written: frames go to a video ({', '.join(FORMATS)}) or to a folder of PNG "
                f"pictures. Type: --out {path.stem}.mp4"
            )
    elif path.exists() and not path.is_dir():
        raise MediaFileError(f"{path} is a file. Name a folder, or a video: --out {path.name}.mp4")


def _names_a_folder(out: str | os.PathLike[str]) -> bool:
    path = Path(out).expanduser()
    return not path.suffix or path.is_dir() or os.fspath(out).endswith(("/", os.sep))


def _writer(out: str | os.PathLike[str], rate_fps: float) -> FrameWriter:
    check_out(out)
    path = Path(out).expanduser()
    if _names_a_folder(out):
        return PngFolder(path)
    from reactor_nb.media.video_file import VideoWriter

    return VideoWriter(path, rate_fps)


def _unwritable(path: Path, error: OSError) -> MediaFileError:
    return MediaFileError(f"{path} cannot be written: {error.strerror or error}. Name another folder: --out frames/")
