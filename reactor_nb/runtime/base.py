"""Runtime: the live models of a process by name. Start and stop order, once for every host."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reactor_nb.core.config import Overrides, load_config, rate_of
from reactor_nb.core.context import Boundary
from reactor_nb.core.model import VideoModel
from reactor_nb.core.session import STOP_TIMEOUT_S, Session
from reactor_nb.core.source import folder_of
from reactor_nb.errors import (
    ClosedError,
    ConfigError,
    ModelNotFoundError,
    ModelStuckError,
    ReactorError,
    SeveralModelsError,
)
from reactor_nb.media.link import MediaLink
from reactor_nb.runtime.carriers import chosen_carrier
from reactor_nb.runtime.hosted import Hosted, demand_spec
from reactor_nb.runtime.media_link import media_link
from reactor_nb.runtime.page import ControlListener, PageMessages, Reply, forward_messages, reply_to_view
from reactor_nb.runtime.settings import StreamChoice, stream_settings

_log = logging.getLogger(__name__)

SessionListener = Callable[[str, Session], None]


class Runtime:
    """Hosts sessions: one live session and one loaded instance per model name.

    Args:
        make_link: makes the road to the pages, when it is first needed.
        stop_timeout_s: how long a model has to return after a stop before it is abandoned.
    Threads: any. Starts and stops of one name follow each other; several names do not wait for one another.
    """

    def __init__(
        self, make_link: Callable[[], MediaLink] = media_link, *, stop_timeout_s: float = STOP_TIMEOUT_S
    ) -> None:
        self._make_link = make_link
        self._stop_timeout_s = stop_timeout_s
        self._lock = threading.RLock()  # guards the fields below, and is never held while a model is waited for
        self._link: MediaLink | None = None
        self._hosted: dict[str, Hosted] = {}
        self._listeners: list[SessionListener] = []
        self._reconnect_listeners: list[Callable[[], None]] = []
        self.find_class: Callable[[str], type[VideoModel] | None] = lambda name: None
        """Where the start button finds the newest class of a name: a cell may have mended it since."""
        self._pages = PageMessages(self.session, lambda name: self.again(name), lambda name: self.stop(name))
        self._is_closed = False

    @property
    def link(self) -> MediaLink:
        """The road to the pages; made now if it is not there."""
        with self._lock:
            self._refuse_closed()
            return self._made_link()

    def prepare(self) -> None:
        """Make the road to the pages before it is needed: its process starts while the model loads.

        What is wrong with the environment is told when a model runs.
        """
        with self._lock, contextlib.suppress(ConfigError):
            if not self._is_closed:
                self._made_link()

    @property
    def is_closed(self) -> bool:
        with self._lock:
            return self._is_closed

    def run(
        self,
        cls: type[VideoModel],
        config: str | os.PathLike[str] | None = None,
        overrides: Overrides = (),
        *,
        folder: str | os.PathLike[str] | None = None,
        boundary: Boundary | None = None,
        stream: StreamChoice | None = None,
    ) -> Session:
        """Start a session of `cls` and return at once; the old one of that name is stopped first.

        An instance of equal source and configuration is kept and becomes one of `cls`; else it is freed
        before the new one loads. One that cannot be stopped is abandoned, and the new session's log says
        what it holds.

        Args:
            config: a YAML file instead of the one that @model names.
            overrides: {"a.b": value} or strings "a.b=value".
            folder: where the path in @model starts; by default the folder of the class.
            boundary: told where the session's frames begin and end.
            stream: how it is paced and encoded; by default as the environment says, see settings.py.
        Raises:
            ModelDefinitionError: the class has no @model.
            ConfigError: nothing was stopped or started.
        """
        spec = demand_spec(cls)
        base = Path(folder) if folder is not None else folder_of(cls)
        settings = load_config(spec, file=config, overrides=overrides, folder=base)
        chosen = stream_settings(rate_of(settings), stream)
        carrier = chosen_carrier(stream.carrier if stream is not None else None)
        hosted = self._of_name(spec.name)
        with hosted.one_at_a_time:
            hosted.stop_for_next()
            loaded = hosted.take(cls, settings)
            link = self.link
            sink = link.open_stream(spec.name, chosen)
            session = Session(
                loaded,
                sink,
                rate_fps=chosen.rate_fps,
                # Of the newest session alone: the media plays no other.
                media_stats=lambda: _answer(link.stats, spec.name) if hosted.session is session else {},
                media_timeline=lambda: _answer(link.timeline, spec.name) if hosted.session is session else {},
                boundary=boundary,
            )
            session.subscribe(lambda event: forward_messages(link, spec.name, event))
            with self._lock:
                self._refuse_closed()
                hosted.session, hosted.carrier = session, carrier
                hosted.again = lambda: self.run(
                    self.find_class(spec.name) or cls,
                    config,
                    overrides,
                    folder=folder,
                    boundary=boundary,
                    stream=stream,
                )
                listeners = tuple(self._listeners)
            link.listen(spec.name, lambda view_id, message: self._from_page(link, spec.name, view_id, message))
            for listener in listeners:
                listener(spec.name, session)
            session.start()
        return session

    def again(self, name: str) -> Session:
        """Run a model as it was run last, as the start button does.

        Raises:
            ModelNotFoundError: it was never run.
        """
        with self._lock:
            hosted = self._hosted.get(name)
            again = hosted.again if hosted is not None else None
        if again is None:
            raise self._not_found(name)
        return again()

    def session(self, name: str | None = None) -> Session:
        """The newest session of a name, or the only live one.

        Raises:
            ModelNotFoundError: no session of that name, or none at all.
            SeveralModelsError: several are live, and no name was given.
        """
        sessions = self.sessions()
        if name is not None:
            if name not in sessions:
                raise self._not_found(name)
            return sessions[name]
        live = [session for session in sessions.values() if not session.is_over]
        if len(live) > 1:
            names = [session.name for session in live]
            raise SeveralModelsError(
                f"{len(live)} models play: {', '.join(names)}. Say which: %reactor session {names[0]}, "
                f"or %reactor send --on {names[0]} ..."
            )
        if not live and not sessions:
            raise ModelNotFoundError("No model was run. Type: %reactor run")
        return live[0] if live else max(sessions.values(), key=lambda session: session.id)

    def sessions(self) -> dict[str, Session]:
        """Model name -> its newest session, ended ones included."""
        with self._lock:
            return {name: hosted.session for name, hosted in self._hosted.items() if hosted.session is not None}

    def carrier(self, name: str) -> str:
        """Which roads the pages of a name may take: what its newest session was run with."""
        with self._lock:
            hosted = self._hosted.get(name)
            return hosted.carrier if hosted is not None else chosen_carrier()

    def stop(self, name: str | None = None) -> list[str]:
        """End the session of a name, or every one; the models stay loaded. The names of those that played.

        Raises:
            ModelNotFoundError: that name was never run.
            ModelStuckError: one did not return; the others are stopped all the same.
        """
        return self._each(name, Hosted.stop)

    def unload(self, name: str | None = None) -> list[str]:
        """End the session of a name, or every one, and free the instance. The names of those that were loaded.

        Raises:
            ModelNotFoundError, ModelStuckError: as `stop`.
        """
        return self._each(name, Hosted.unload)

    def on_session(self, listener: SessionListener) -> Callable[[], None]:
        """Call `listener(name, session)` for each new session, before it starts, on the thread that runs it."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def on_reconnect(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener()` when the pages were lost and are answered again, on a thread of the link's."""
        with self._lock:
            self._reconnect_listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._reconnect_listeners:
                    self._reconnect_listeners.remove(listener)

        return unsubscribe

    def handle_page_message(self, name: str, message: dict[str, Any], reply: Reply) -> None:
        """Answer a message of a page: `call` and `control` with one `reply`, `start` and `stop` by doing so.

        Never waits. A call that came before, by another road, is answered from its first run. `reply` is called on
        this thread for a refusal, else on the command thread.
        """
        self._pages.handle(name, message, reply)

    def on_control(self, name: str, listener: ControlListener) -> Callable[[], None]:
        """Call `listener(message)` for each control that a page of `name` moves itself, on a thread of the link's.

        The newest listener of a name replaces; the returned function ends that.
        """
        return self._pages.on_control(name, listener)

    def close(self, timeout_s: float | None = None) -> None:
        """End every session, free every model, close the link. Idempotent.

        Raises:
            ReactorError: the first of those that did not stop; the rest is closed all the same.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            hosted, link, pressed = list(self._hosted.values()), self._link, self._pages.pressed()
            self._hosted, self._link = {}, None
        problems: list[ReactorError] = []
        patience_s = self._stop_timeout_s if timeout_s is None else timeout_s
        for thread in pressed:
            if thread is not threading.current_thread():
                thread.join(patience_s)
        for each in hosted:
            try:
                each.unload(patience_s)
            except ReactorError as problem:
                problems.append(problem)
        if link is not None:
            try:
                link.close(patience_s)
            except ReactorError as problem:
                problems.append(problem)
        if problems:
            raise problems[0]

    def _made_link(self) -> MediaLink:
        if self._link is None:
            self._link = self._make_link()
            self._link.on_restart(self._reconnect)
            self._link.on_note(self._note)
        return self._link

    def _reconnect(self) -> None:
        with self._lock:
            listeners = tuple(self._reconnect_listeners)
        for listener in listeners:
            listener()

    def _note(self, text: str) -> None:
        """Into the log of every live session: a print would land in whichever cell runs."""
        for session in self.sessions().values():
            if not session.is_over:
                session.log.note(text)

    def _of_name(self, name: str) -> Hosted:
        with self._lock:
            self._refuse_closed()
            return self._hosted.setdefault(name, Hosted(name, self._stop_timeout_s))

    def _each(self, name: str | None, act: Callable[[Hosted], bool]) -> list[str]:
        with self._lock:
            if name is not None and name not in self._hosted:
                raise self._not_found(name)
            chosen = [hosted for each, hosted in self._hosted.items() if name in (None, each)]
        done: list[str] = []
        stuck: ModelStuckError | None = None
        for hosted in chosen:
            try:
                if act(hosted):
                    done.append(hosted.name)
            except ModelStuckError as error:
                stuck = stuck or error
        if stuck is not None:
            raise stuck
        return done

    def _from_page(self, link: MediaLink, name: str, view_id: str, message: dict[str, Any]) -> None:
        self.handle_page_message(name, message, lambda answer: reply_to_view(link, name, view_id, answer))

    def _not_found(self, name: str) -> ModelNotFoundError:
        known = ", ".join(self._hosted)
        played = f" Played here: {known}." if known else ""
        return ModelNotFoundError(f"No model named {name!r} was run.{played} Type: %reactor run {name}")

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise ClosedError("This runtime is closed. Type: %reload_ext reactor_nb, or call reactor_nb.run(Model)")


def _answer(ask: Callable[[str], dict[str, Any]], name: str) -> dict[str, Any]:
    """What the link says; {} when it is closed: a session that has ended can be asked for its counts all the same."""
    try:
        return ask(name)
    except ClosedError:
        return {}


_process_lock = threading.Lock()
_process_runtime: Runtime | None = None


def get_runtime() -> Runtime:
    """The runtime of this process, made now if there is none or the last was closed; closed at exit."""
    global _process_runtime
    with _process_lock:
        if _process_runtime is None or _process_runtime.is_closed:
            if _process_runtime is None:
                atexit.register(_close_at_exit)
                os.register_at_fork(after_in_child=_forget_in_fork)
            _process_runtime = Runtime()
        return _process_runtime


def _forget_in_fork() -> None:
    """A fork of the author shares memory and sockets with the runtime, and must end none of it when it exits."""
    global _process_lock, _process_runtime
    _process_lock, _process_runtime = threading.Lock(), None


def _close_at_exit() -> None:
    runtime = _process_runtime
    if runtime is None:
        return
    try:
        runtime.close(timeout_s=2.0)
    except ReactorError as error:
        _log.warning("%s", error)
