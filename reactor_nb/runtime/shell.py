"""Shell: the headless prompt of one model. Each line is an order, and each is answered in lines."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reactor_nb.core.buffer import BufferedFrame
from reactor_nb.core.command import CommandSpec, commands_of, to_json
from reactor_nb.core.config import Overrides
from reactor_nb.core.model import VideoModel
from reactor_nb.core.session import Session, SessionEvent
from reactor_nb.core.typed import count, duration_s
from reactor_nb.errors import CallTimeoutError, NotStreamingError, ReactorError, UsageError
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.hosted import demand_spec
from reactor_nb.runtime.log_lines import LogLines
from reactor_nb.runtime.orders import ORDERS, read_call, read_order, template
from reactor_nb.runtime.pageless import PagelessLink
from reactor_nb.runtime.profile import profile_of
from reactor_nb.runtime.recording import Recording
from reactor_nb.runtime.settings import StreamChoice

OUTPUT = Path("output")
"""Where frames go that were given no other place: a folder of its own for each session."""
CALL_TIMEOUT_S = 30.0
WRITE_TIMEOUT_S = 600.0


class Shell:
    """Starts and stops sessions of a model and calls its commands, as it is told line by line.

    Lines begin with [OK], [RESULT], [ERROR], [WARN] or [MESSAGE]. The frames of each session go into a folder
    of their own, output/<seconds since 1970>/frame_%06d.png.

    Args:
        cls: decorated with @model.
        config, overrides: as in `reactor_nb.run`.
        say: shows a line; called on any thread, so it must be quick.
        output: where the sessions' folders are made.
        stream: as in `Runtime.run`.
    Threads: `perform` and `close` on one; `status` on any.
    """

    def __init__(
        self,
        cls: type[VideoModel],
        config: str | os.PathLike[str] | None = None,
        overrides: Overrides = (),
        *,
        say: Callable[[str], None],
        output: Path = OUTPUT,
        stream: StreamChoice | None = None,
    ) -> None:
        self.name = demand_spec(cls).name
        self.commands: dict[str, CommandSpec] = commands_of(cls)
        self.has_failed = False
        """Whether an order was refused, or a session has failed, so far."""
        self._cls = cls
        self._config = config
        self._overrides = overrides
        self.say = say
        self._output = output
        self._stream = stream
        self._link = PagelessLink(show=self._show)
        self._runtime = Runtime(lambda: self._link)
        self._session: Session | None = None
        self._folder = output
        self._recording: Recording | None = None
        self._is_finishing = False
        self._notes = LogLines(say)
        self._runtime.on_session(self._begin)

    def perform(self, line: str) -> bool:
        """Do what a line says and answer it; whether to read on. Empty lines and `#` comments are passed over."""
        if not line.strip() or line.lstrip().startswith("#"):
            return True
        try:
            order, rest = read_order(line)
            if order == "quit":
                return False
            getattr(self, f"_{order}")(rest)
        except ReactorError as error:
            self._fail(error)
        return True

    def status(self) -> str:
        """A live line: state, frames and rate."""
        session = self._session
        if session is None:
            return f"{self.name}  not started"
        stats = session.stats()
        if stats["state"] == "loading":
            return f"{self.name}  loading, {stats['loading_s']:.0f} s"
        size = f"  {stats['width_px']}x{stats['height_px']}" if stats["width_px"] else ""
        return f"{self.name}  {stats['state']}  {_frames(stats['produced'])}  {stats['rate_fps']:.1f} fps{size}"

    def close(self) -> None:
        """End the session, write what is left of it, free the model. Idempotent."""
        try:
            self._finish()
        except ReactorError as error:
            self._fail(error)
        try:
            self._runtime.close()
        except ReactorError as error:
            self._fail(error)

    def _start(self, rest: str) -> None:
        session = self._session
        if session is not None and not session.is_over:
            raise UsageError(f"{self.name} plays already, {self.status()}. Type: stop")
        self._finish()
        self.say(f"[OK] {self.name} is starting")
        session = self._runtime.run(self._cls, self._config, self._overrides, stream=self._stream)
        for warning in session.config.warnings:
            self.say(f"[WARN] {warning}")
        if session.wait_ready():
            self.say(f"[OK] {self.name} plays, loaded in {session.loading_s():.1f} s; its frames go to {self._folder}")
        else:
            self._finish()

    def _stop(self, rest: str) -> None:
        session = self._session
        if session is None:
            raise NotStreamingError(f"{self.name} does not play. Type: start")
        self._finish()

    def _cmd(self, rest: str) -> None:
        session = self._playing()
        name, params = read_call(rest, self.commands)
        with self._notes.held() as notes:
            answer = session.submit(name, params, source="python")
            try:
                result = answer.result(CALL_TIMEOUT_S)
            except TimeoutError as late:
                if answer.done():
                    raise
                raise CallTimeoutError(
                    f"{name} has not returned within {CALL_TIMEOUT_S:g} s; it goes on in the model."
                ) from late
            except ReactorError as error:
                notes.drop(str(error))  # the session's log tells of it as well
                raise
        self.say(f"[OK] {name}" if result is None else f"[RESULT] {json.dumps(to_json(result), ensure_ascii=False)}")

    def _status(self, rest: str) -> None:
        self.say(f"[OK] {self.status()}")

    def _profile(self, rest: str) -> None:
        if self._session is None:
            raise NotStreamingError(f"{self.name} does not play. Type: start")
        profile = profile_of(self._session)
        self.say(f"[OK] {profile.save(rest)}" if rest else repr(profile))

    def _wait(self, rest: str) -> None:
        session = self._playing()
        number, _, unit = rest.partition(" ")
        if unit.strip() in ("frames", "frame"):
            frames = int(session.stats()["produced"]) + count(number, "wait", "wait 90 frames")
            self.say(f"[OK] waiting for frame {frames}")
            session.wait(None, frames)
        else:
            time_s = duration_s(rest, "wait", "wait 2s")
            self.say(f"[OK] waiting for {time_s:g} s")
            session.wait(time_s)
        self.say(f"[OK] {self.status()}")

    def _help(self, rest: str) -> None:
        width = max(map(len, ORDERS))
        for order, text in ORDERS.items():
            self.say(f"  {order:<{width}}  {text}")
        self.say(f"Commands of {self.name}:" if self.commands else f"{self.name} has no commands.")
        for spec in self.commands.values():
            self.say(f"  {template(spec)}{f'    {spec.description}' if spec.description else ''}")

    def _playing(self) -> Session:
        session = self._session
        if session is None or session.is_over:
            raise NotStreamingError(f"{self.name} does not play. Type: start")
        return session

    def _begin(self, name: str, session: Session) -> None:
        """Before the session starts, so that nothing of it is missed."""
        self._folder = new_folder(self._output)
        self._recording = Recording(self._folder, session.max_fps)
        self._session = session
        self._is_finishing = False
        self._notes.follow(session.log)
        session.subscribe(lambda event: self._on_event(session, event))

    def _finish(self) -> None:
        """End the session if it still plays, write its last frames, and tell of both."""
        session, recording = self._session, self._recording
        if session is None or recording is None:
            return
        self._is_finishing = True
        try:
            self._runtime.stop(self.name)
            # What a model that returned by itself has emitted is still played, and belongs into the folder.
            self._link.wait_played(self.name, WRITE_TIMEOUT_S)
        finally:
            self._recording = None
            self._notes.close()
            folder = recording.close()
        stats = session.stats()
        where = f" of {stats['width_px']}x{stats['height_px']} in {folder}" if folder is not None else ""
        if session.error is None or folder is not None:
            self.say(f"[OK] {self.name} has ended: {_frames(stats['played'])}{where}")

    def _fail(self, error: ReactorError) -> None:
        self.has_failed = True
        traceback_text: Any = getattr(error, "traceback_text", "")
        if traceback_text:
            self.say(traceback_text.rstrip())
        self.say(f"[ERROR] {error}")

    # What follows runs on the threads of the session.

    def _show(self, frame: BufferedFrame) -> None:
        recording = self._recording
        if recording is not None:
            recording.add(frame.pixels, None)

    def _on_event(self, session: Session, event: SessionEvent) -> None:
        if event.kind == "message":
            self.say(f"[MESSAGE] {json.dumps(event.data['data'], ensure_ascii=False)}")
            return
        state = event.data.get("state")
        if state == "failed" and session.error is not None:
            self._fail(session.error)
        elif state == "ended" and not self._is_finishing:
            # It returned by itself; after a stop the order has its own answer.
            self.say(f"[OK] start_session of {self.name} has returned")


def new_folder(output: Path) -> Path:
    """A folder for one session in `output`, named by the seconds since 1970; not made yet."""
    stamp = str(int(time.time()))
    names = itertools.chain([stamp], (f"{stamp}-{number}" for number in itertools.count(2)))
    return next(output / name for name in names if not (output / name).exists())


def _frames(count: int) -> str:
    return f"{count} frame{'' if count == 1 else 's'}"
