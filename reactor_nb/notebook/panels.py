"""The Panels of a kernel, by model name."""

from __future__ import annotations

from typing import Any

from reactor_nb.core.session import Session
from reactor_nb.notebook.hearing import Hearing
from reactor_nb.notebook.panel import Panel
from reactor_nb.notebook.poster import Publish
from reactor_nb.runtime.base import Runtime


class Panels:
    """Makes a Panel when a model of a new name runs, and lets it follow each later session.

    Args:
        events: of the shell: tell when a cell runs.
    Threads: as Panel.
    """

    def __init__(self, runtime: Runtime, publish: Publish, events: Any) -> None:
        self._runtime = runtime
        self._publish = publish
        self.hearing = Hearing(events, self._deafen)
        self._panels: dict[str, Panel] = {}
        self._without_poster: set[int] = set()
        self._unsubscribe = (runtime.on_session(self._follow), runtime.on_reconnect(self._reconnect))
        for name, session in runtime.sessions().items():
            self._follow(name, session)

    def display(self, session: Session, *, first_frame_s: float = 0.0) -> None:
        """Show a session in the cell that runs now; wait so long for its first frame, so that the poster has one."""
        has_poster = session.id not in self._without_poster
        if has_poster and first_frame_s > 0:
            session.wait(first_frame_s, frames=1)
        self._panel(session.name).display(session, has_poster=has_poster)

    def without_poster(self, session: Session) -> None:
        """`--no-poster`: displays of this session leave no picture in the notebook."""
        self._without_poster.add(session.id)

    def close(self) -> None:
        self.hearing.close()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        while self._panels:
            self._panels.popitem()[1].close()

    def _panel(self, name: str) -> Panel:
        if name not in self._panels:
            self._panels[name] = Panel(name, self._runtime, self._publish, self.hearing.came)
        return self._panels[name]

    def _follow(self, name: str, session: Session) -> None:
        self._panel(name).follow(session)

    def _deafen(self, is_deaf: bool) -> None:
        self._runtime.link.deafen(is_deaf)

    def _reconnect(self) -> None:
        for panel in tuple(self._panels.values()):
            panel.reconnect()
