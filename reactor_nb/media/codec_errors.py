"""Which codecs raised in a session, and for which frames that counts."""

from __future__ import annotations

from reactor_nb.core.buffer import BufferedFrame
from reactor_nb.core.frames import height_of

Size = tuple[int, int]
"""(width_px, height_px) of a frame."""


class CodecErrors:
    """Why codecs are not offered in this session.

    An error counts for frames of the size at which it happened: a frame that is too wide for a codec says nothing of
    the ones after it. It counts for all sizes when the codec took that size before, or could not be opened at all.

    Threads: one at a time.
    """

    def __init__(self) -> None:
        self._reasons: dict[str, dict[Size | None, str]] = {}
        self._taken: dict[str, set[Size]] = {}

    def clear(self) -> None:
        """A new session begins."""
        self._reasons.clear()
        self._taken.clear()

    def took(self, codec: str, size: Size) -> None:
        """A frame of this size was encoded."""
        self._taken.setdefault(codec, set()).add(size)

    def failed(self, codec: str, size: Size | None, reason: str) -> None:
        """The codec raised with a frame of this size; None: before it saw one."""
        if size in self._taken.get(codec, ()):
            size = None
        self._reasons.setdefault(codec, {})[size] = reason

    def at(self, size: Size | None) -> dict[str, str]:
        """codec -> why frames of this size are not given to it. None: no frame was played yet."""
        why: dict[str, str] = {}
        for codec, reasons in self._reasons.items():
            reason = reasons.get(None) or reasons.get(size)
            if reason is not None:
                why[codec] = reason
        return why


def size_of(frame: BufferedFrame) -> Size:
    """Of the picture, whether it comes as RGB or as planes."""
    return frame.pixels.shape[1], height_of(frame.pixels)
