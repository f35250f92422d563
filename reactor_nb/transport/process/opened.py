"""What the kernel knows of each model name, so that a new media process can go on where the one before ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from reactor_nb.media.link import CommSettings, MessageListener, PacketListener, StreamSettings
from reactor_nb.transport.process.shared_sink import SharedSink

MOST_VIEWS = 64


@dataclasses.dataclass
class OpenedName:
    """One model name. `stream` is its number on the wire, `session` counts the sessions of all names.

    `open_views` and `stats` are what the media process said last; `carried` are the views that asked to be brought the
    picture by comm, or stand by, the oldest first.
    """

    name: str
    stream: int
    session: int = 0
    settings: StreamSettings | None = None
    sink: SharedSink | None = None
    listener: MessageListener | None = None
    packet_listener: PacketListener | None = None
    carried: dict[str, CommSettings] = dataclasses.field(default_factory=dict)
    open_views: tuple[str, ...] = ()
    unsent: int = 0
    stats: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def reachable(self) -> frozenset[str]:
        """The views that can be sent messages, by one carrier or the other."""
        return frozenset((*self.open_views, *self.carried))

    def carry(self, view_id: str, settings: CommSettings) -> None:
        """A view asked for the comm. Of views that end without a word only so many are kept."""
        self.carried.pop(view_id, None)
        self.carried[view_id] = settings
        while len(self.carried) > MOST_VIEWS:
            del self.carried[next(iter(self.carried))]

    def lose_peers(self) -> None:
        """Every peer was lost at once: a view that stood by is brought the picture by comm, until it says otherwise."""
        for view_id in self.open_views:
            standing_by = self.carried.get(view_id)
            if standing_by is not None:
                self.carried[view_id] = dataclasses.replace(standing_by, is_watching=True)
        self.open_views = ()


class OpenedNames:
    """The names of a link. Threads: the owner's lock guards it."""

    def __init__(self) -> None:
        self._names: dict[str, OpenedName] = {}
        self._sessions = 0

    def __iter__(self) -> Iterator[OpenedName]:
        return iter(self._names.values())

    def get(self, name: str) -> OpenedName | None:
        return self._names.get(name)

    def add(self, name: str) -> OpenedName:
        """The name, new if it was not there. Numbers of names that were closed are used again."""
        known = self._names.get(name)
        if known is None:
            taken = {each.stream for each in self}
            known = OpenedName(name, next(number for number in range(len(taken) + 1) if number not in taken))
            self._names[name] = known
        return known

    def next_session(self) -> int:
        self._sessions += 1
        return self._sessions

    def pop(self, name: str) -> OpenedName | None:
        return self._names.pop(name, None)

    def take_all(self) -> list[OpenedName]:
        names, self._names = list(self._names.values()), {}
        return names
