"""A Session in a marimo notebook: its Viewer, which marimo draws as it draws any anywidget.

marimo draws no ipywidgets, so there are no Controls; docs/environments.md has its own in their place.
"""

from __future__ import annotations

from typing import Any

from reactor_nb.core.session import Session
from reactor_nb.notebook.panel import Panel
from reactor_nb.runtime.base import Runtime


class MarimoPanels:
    """The Panels of a marimo notebook, by model name.

    marimo closes the widgets of a cell when that runs again, so each run makes its Panel anew. A session that the
    start button of a View began is shown by the Panel that is there.

    Threads: the one that runs the cell; `reconnect` on any.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._panels: dict[str, tuple[Panel, Session]] = {}
        self._unsubscribe = (runtime.on_session(self._begun), runtime.on_reconnect(self.reconnect))

    def follow(self, session: Session) -> None:
        """Let this session be shown by the cell that runs now."""
        if (old := self._panels.pop(session.name, None)) is not None:
            old[0].close(has_successor=True)  # the session plays already, on the stream of its name
        panel = Panel(session.name, self.runtime, lambda bundle, transient, is_update: None)
        panel.follow(session)
        self._panels[session.name] = (panel, session)

    def shown(self, session: Session) -> Any:
        """What marimo draws of it: the Viewer, or a sentence on a session that is not the newest of its name."""
        panel, followed = self._panels.get(session.name, (None, None))
        if panel is None or followed is not session:
            return f"{session!r} Run its cell again to play it."
        return panel.viewer

    def reconnect(self) -> None:
        """Tell every View to connect anew at once: the media process that held its peer is gone."""
        for panel, _ in tuple(self._panels.values()):
            panel.reconnect()

    def close(self) -> None:
        """End every panel; the sessions are not touched."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        while self._panels:
            self._panels.popitem()[1][0].close()

    def _begun(self, name: str, session: Session) -> None:
        if (known := self._panels.get(name)) is not None:
            self._panels[name] = (known[0], session)
            known[0].follow(session)


_panels: MarimoPanels | None = None


def follow(session: Session, runtime: Runtime) -> None:
    """Show a session that was just started as the result of its marimo cell."""
    global _panels
    if _panels is None or _panels.runtime is not runtime:
        if _panels is not None:
            _panels.close()
        _panels = panels = MarimoPanels(runtime)
        # marimo asks what a cell returns for this method, before all that it knows by itself.
        setattr(Session, "_display_", lambda shown: panels.shown(shown))  # noqa: B010  Session itself knows no front end
    _panels.follow(session)
