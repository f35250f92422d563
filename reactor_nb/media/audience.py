"""The views that watch one codec of a stream, and which of them take its next frame."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from reactor_nb.media.encoders import EncodedFrame

Deliver = Callable[[EncodedFrame], None]

Ready = Callable[[], bool]
"""Whether a view's road has room for one more frame; must not wait, and changes nothing. On the encoder's thread."""


class Takers(NamedTuple):
    """Who would take a frame now. `inter`: somebody who has all the frames before it. `keyframe`: somebody who can
    only begin with a keyframe."""

    inter: bool
    keyframe: bool


@dataclass(slots=True, eq=False)
class _Watcher:
    deliver: Deliver
    ready: Ready | None
    is_behind: bool
    """Whether it missed a frame on which the next ones rest."""
    is_chosen: bool = False


class Audience:
    """Chooses before each frame who takes it: a view that is not ready then misses it.

    So what a road cannot carry is not encoded at all, no queue grows on it, and the frames that a view does get are
    an unbroken chain. A view that missed one that another view took gets none until the next keyframe.

    Args:
        is_chained: frames of the codec rest on those before them.
        failed: called with the key of a view that could not be asked or told, within the `except` of its error, after
            it was taken out.

    Threads: `choose` and `hand_out` on the encoder's; the others from any. No view is called under the lock.
    """

    def __init__(self, is_chained: bool, failed: Callable[[str], None]) -> None:
        self._is_chained = is_chained
        self._failed = failed
        self._lock = threading.Lock()
        self._watchers: dict[str, _Watcher] = {}

    def attach(self, key: str, deliver: Deliver, ready: Ready | None) -> None:
        """A view comes, or comes back. One without `ready` takes every frame, and sorts out itself where it begins."""
        with self._lock:
            self._watchers[key] = _Watcher(deliver, ready, is_behind=self._is_chained and ready is not None)

    def detach(self, key: str) -> None:
        with self._lock:
            self._watchers.pop(key, None)

    def has(self, key: str) -> bool:
        with self._lock:
            return key in self._watchers

    def choose(self) -> Takers:
        """Ask every view whether it takes the next frame; who says so is handed it."""
        with self._lock:
            watchers = list(self._watchers.items())
        for key, watcher in watchers:
            try:
                watcher.is_chosen = watcher.ready is None or watcher.ready()
            except Exception:
                watcher.is_chosen = False
                self._drop(key, watcher)
        chosen = [watcher for _, watcher in watchers if watcher.is_chosen]
        return Takers(
            inter=any(not watcher.is_behind for watcher in chosen),
            keyframe=any(watcher.is_behind for watcher in chosen),
        )

    def hand_out(self, frame: EncodedFrame) -> int:
        """Give a frame to those who were chosen; how many missed it."""
        with self._lock:
            watchers = list(self._watchers.items())
        missed = 0
        for key, watcher in watchers:
            # A view that came since the choice was not asked: one without `ready` takes what there is.
            if not (watcher.is_chosen or watcher.ready is None) or (watcher.is_behind and not frame.is_keyframe):
                watcher.is_behind = self._is_chained
                missed += 1
                continue
            watcher.is_behind = watcher.is_chosen = False
            try:
                watcher.deliver(frame)
            except Exception:
                self._drop(key, watcher)
        return missed

    def _drop(self, key: str, watcher: _Watcher) -> None:
        with self._lock:
            if self._watchers.get(key) is not watcher:
                return  # It has left, or attached once more meanwhile.
            del self._watchers[key]
        self._failed(key)
