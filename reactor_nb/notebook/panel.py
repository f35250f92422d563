"""The Panel of a model: what the notebook shows of it. Viewer, Controls and posters, across sessions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import ipywidgets

from reactor_nb.core.session import Session, SessionEvent
from reactor_nb.core.still import Still
from reactor_nb.notebook.controls import SOURCE, Controls, close_widgets
from reactor_nb.notebook.page_log import PageLog
from reactor_nb.notebook.poster import Poster, Publish
from reactor_nb.notebook.signalling import Signalling
from reactor_nb.notebook.subshell import keep_subshell
from reactor_nb.notebook.viewer import Viewer
from reactor_nb.runtime.base import Runtime

_MANY_POSTERS = 16


class Panel:
    """Belongs to a model's name: each new session of that name is followed by all its Views.

    Threads: `follow` and `display` on the thread that runs the model; session events on whichever
    thread caused them. Posters are encoded on the panel's own thread `reactor-panel-<name>`, so no
    model waits for one.
    """

    def __init__(self, name: str, runtime: Runtime, publish: Publish, heard: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self._runtime = runtime
        self._publish = publish
        self._slow = ThreadPoolExecutor(1, thread_name_prefix=f"reactor-panel-{name}")
        # Its thread begins here: one that the model's thread began would count as the author's (ipykernel 6 notes
        # who began whom), and posters would go to the log.
        self._slow.submit(int)
        self._signalling = Signalling(name, runtime, self._tell, heard)
        self.viewer = Viewer(name, self._signalling.receive)
        self._controls: Controls | None = None
        self._layout = ipywidgets.VBox([self.viewer])
        self._layout.add_class("reactor-panel")
        keep_subshell(self._layout)
        self._page_log = PageLog(lambda text: self.viewer.show(log=text))
        self._session: Session | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._end_controls: Callable[[], None] = lambda: None
        self._posters: list[Poster] = []
        self._is_closed = False

    def follow(self, session: Session) -> None:
        """Show this session from now on."""
        self._unsubscribe()
        previous, self._session = self._session, session
        if self._controls is None or previous is None or session.loaded is not previous.loaded:
            self._draw_controls(session)
        else:
            self._controls.forget_refused()
        self._unsubscribe = session.subscribe(self._on_event)
        self._page_log.follow(session.log)
        self._show_state(session)

    def display(self, session: Session, *, has_poster: bool = True) -> None:
        """Show the View in the cell that runs now; a session that is not the newest shows its poster and says so."""
        if session is not self._session:
            self._display_past(session)
            return
        self.viewer.show(has_poster=has_poster)
        bundle = self._layout._repr_mimebundle_()
        # What a console shows of it, and a site that draws saved notebooks.
        bundle["text/plain"] = (
            f"{_title(session)}: run this cell in a notebook to play it. "
            "Without widgets it plays unseen: session = %reactor session, then session.snapshot().save('frame.png')"
        )
        self._publish(bundle, {}, False)
        if has_poster:
            poster = Poster(_title(session), self._publish)
            # A cell that is run again leaves its old poster behind; only so many can still be on a page.
            self._posters = [*self._posters[1 - _MANY_POSTERS :], poster]
            poster.display(lambda: _still_of(session))

    def _display_past(self, session: Session) -> None:
        Poster(_title(session), self._publish).display(lambda: _still_of(session))
        why = f": {session.error}" if session.error else ""
        again = f"Type: %reactor run {session.name}"
        self._publish({"text/plain": f"{_title(session)} has {session.state}{why}. {again}"}, {}, False)

    def reconnect(self) -> None:
        """Tell every View to connect anew at once: the media process that held its peer is gone."""
        self._tell({"type": "reconnect"})

    def close(self, *, has_successor: bool = False) -> None:
        """End what this panel owns, on both sides. The session is not touched.

        `has_successor`: another panel shows this name from now on, so that only the Views of this one end, and not
        the stream.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._unsubscribe()
        self._end_controls()
        self._page_log.close()
        self._slow.shutdown(wait=True, cancel_futures=True)
        if has_successor:
            self._signalling.leave()
        else:
            self._signalling.close()
        close_widgets(self._layout)
        self._session = None

    def _draw_controls(self, session: Session) -> None:
        old = self._controls
        self._controls = drawn = Controls(session.commands, self._submit)
        self._end_controls = self._runtime.on_control(self.name, drawn.moved)
        self._layout.children = (self.viewer, drawn.widget)
        self.viewer.show(controls=drawn.addresses())
        if old is not None:
            old.close()

    def _submit(self, command: str, params: Mapping[str, Any]) -> Future[Any]:
        return self._runtime.session(self.name).submit(command, params, source=SOURCE)

    def _on_event(self, event: SessionEvent) -> None:
        session = self._session
        if session is None:
            return
        if event.kind == "state":
            self._show_state(session)
            if session.is_over:
                self._update_posters(session, _still_of(session))
        elif event.kind == "first_frame":
            self._update_posters(session, _still_of(session))
        elif event.kind == "snapshot":
            self._update_posters(session, event.data["still"])
        elif event.kind == "call" and not event.data["is_error"] and self._controls is not None:
            self._controls.applied(event.data["name"], event.data["params"], event.data["source"])

    def _show_state(self, session: Session) -> None:
        # Read and shown under one lock: events of two threads must not leave the older state behind.
        with self.viewer.writing:
            state = session.state
            self.viewer.show(
                state=state,
                carrier=self._runtime.carrier(self.name),
                session_id=session.id,
                error=_error_of(session),
                loading_since_ms=(time.time() - session.loading_s()) * 1000 if state == "loading" else 0.0,
            )

    def _update_posters(self, session: Session, still: Still | None) -> None:
        """On the panel's own thread: a PNG takes the time of a frame."""
        posters = self._posters
        if still is None or self._is_closed:
            return

        def write() -> None:
            for poster in posters:
                poster.show(still)

        def written(done: Future[None]) -> None:
            error = None if done.cancelled() else done.exception()
            if error is not None:
                session.log.note(f"the poster was not written: {type(error).__name__}: {error}")

        try:
            self._slow.submit(write).add_done_callback(written)
        except RuntimeError:  # the kernel ends, and with it every executor; this is the last frame
            write()

    def _tell(self, message: dict[str, Any], payload: bytes = b"") -> None:
        self.viewer.tell(message, payload)


def _title(session: Session) -> str:
    return f"{session.name}, session {session.id}"


def _still_of(session: Session) -> Still | None:
    pixels = session.frame()
    return None if pixels is None else Still(pixels, 0)


def _error_of(session: Session) -> dict[str, Any] | None:
    if session.error is None:
        return None
    return {"title": type(session.error).__name__, "traceback": "", **session.error.to_wire()}
