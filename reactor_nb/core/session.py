"""Session: one run of a model's start_session. Its states, its calls, its end. Knows no Jupyter."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.calls import CallQueue, new_call, refuse_value_as_timeout
from reactor_nb.core.camera import Camera
from reactor_nb.core.command import BUILT_IN, CommandCall, CommandSpec, commands_of, find_command, invoke, to_json
from reactor_nb.core.context import Boundary, Context, bind_context, live_context
from reactor_nb.core.events import Listener, Listeners, SessionEvent
from reactor_nb.core.failure import fresh
from reactor_nb.core.life import STATES, Life
from reactor_nb.core.loaded import LoadedModel
from reactor_nb.core.log import bind_log
from reactor_nb.core.model import VideoModel, loading
from reactor_nb.core.outlet import Outlet
from reactor_nb.core.session_stats import AskMedia, SessionStats
from reactor_nb.core.still import Still
from reactor_nb.errors import (
    CallTimeoutError,
    CommandFailedError,
    ModelStuckError,
    NotStreamingError,
    ReactorError,
    ResultError,
    WrongThreadError,
)

__all__ = ["STATES", "STOP_TIMEOUT_S", "Session", "SessionEvent"]

STOP_TIMEOUT_S = 5.0

_ids = itertools.count(1)


class Session:
    """One run of a loaded model. It ends once.

    loading -> ready -> streaming (the first frame) -> stopping -> ended | failed; it may end from any state.

    Args:
        loaded: the model; the session never holds its instance.
        sink: where the frames go; closed by a stop, finished by a normal end.
        rate_fps: what the sink plays at most.
        media_stats: counts of pages and encoders, shown by `stats()`.
        media_timeline: the media's times of the last frames, for `timeline()`.
        boundary: told where frames begin and end; how a run without a clock performs its calls.
    Threads: the author's code runs on `reactor-model-<name>` and `reactor-commands-<name>`; every method here on
        any thread. Those that wait raise on a thread that they would wait for.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        sink: FrameSink,
        *,
        rate_fps: float,
        media_stats: AskMedia | None = None,
        media_timeline: AskMedia | None = None,
        boundary: Boundary | None = None,
    ) -> None:
        self.id = next(_ids)
        self.name = loaded.name
        self.loaded = loaded
        self.config = loaded.config
        self.log = loaded.log
        self.max_fps = rate_fps
        self.commands: dict[str, CommandSpec] = commands_of(loaded.cls)
        self.last_params: dict[str, dict[str, Any]] = {}
        """Command -> the parameters last applied, whoever sent them; JSON values."""
        self._sink = sink
        self._listeners = Listeners(self.log)
        self._life = Life(self._listeners)
        self._outlet = Outlet(self.name, sink, self._life, self._listeners, self.log)
        self._boundary = boundary
        self._context = Context(self._outlet, boundary)
        self._calls = CallQueue(self.name, self._around_calls)
        self._camera = Camera(loaded, self._calls, lambda: self.is_over)
        self._stats = SessionStats(
            self._life, self._outlet, sink, self._calls, self._camera, media_stats, media_timeline
        )
        self._call_numbers = itertools.count(1)
        self._failed_calls = 0

    def start(self) -> None:
        """Ask the model's thread for this run, after `__init__`. Returns at once."""
        self._life.start()
        self.loaded.run(self._play).add_done_callback(self._run_is_over)

    @property
    def state(self) -> str:
        """One of STATES."""
        return self._life.state

    @property
    def error(self) -> ReactorError | None:
        """Why it failed: the author's traceback is `error.traceback_text`. No frame is kept alive."""
        return self._life.error

    @property
    def is_over(self) -> bool:
        """Ended or failed."""
        return self._life.is_over

    def loading_s(self) -> float:
        """Seconds that loading has taken, so far or in all."""
        return self._life.loading_s()

    def submit(self, name: str, params: Mapping[str, Any] | None = None, *, source: str = "python") -> Future[Any]:
        """Validate a call and hand it to the command thread. Never waits.

        Args:
            source: "python", "page" or "magic"; listeners are told.
        Returns:
            What the method returns. Its exception is a CommandFailedError with the author's own as cause, or
            NotStreamingError if the session ends before the call's turn.
        Raises:
            UnknownCommandError, ParameterError: nothing was queued.
            NotStreamingError: the model loads, or the session has ended.
            CallQueueFullError: 64 calls wait.
        """
        if name == BUILT_IN:
            answer: Future[Any] = Future()
            answer.set_result(self.capabilities())
            return answer
        spec = find_command(self.commands, name)
        validated = spec.validate({} if params is None else params)
        state = self.state
        if state == "loading":
            raise NotStreamingError(
                f"{name} was not run: {self.name} loads, for {self.loading_s():.0f} s so far. "
                "Send it again when it plays: session.wait_ready()"
            )
        call = new_call(next(self._call_numbers), name, params or {}, source)
        return self._calls.submit(
            name, lambda: self._perform(spec, validated), lambda failure: self._applied(call, validated, failure)
        )

    def send(self, name: str, timeout_s: float | None = None, /, **params: Any) -> Any:
        """Call a command and wait for what its method returns; while the model loads, wait for that first.

        Raises:
            WrongThreadError: on the command thread, which would wait for itself.
            CallTimeoutError: no answer within `timeout_s`; the command goes on.
            ParameterError: a value stands in the place of `timeout_s`. For the defaults alone with a time limit:
                session.submit(name).result(5).
            CallError: as `submit`, and what the method raised.
        """
        if self._calls.is_current():
            raise WrongThreadError(
                f"send({name!r}) was called on reactor-commands-{self.name}, by a command; it would wait for itself. "
                f"Call the method: self.{self.commands[name].method_name if name in self.commands else name}(...)"
            )
        refuse_value_as_timeout(self.commands.get(name), name, timeout_s, params)
        began_s = time.monotonic()
        if self.state == "loading":
            self.wait_ready(timeout_s)
        answer = self.submit(name, params)
        try:
            return answer.result(None if timeout_s is None else timeout_s - (time.monotonic() - began_s))
        except TimeoutError:
            if answer.done():
                raise
            raise CallTimeoutError(
                f"{name} has not returned within {timeout_s:g} s; it goes on in the model. "
                f"To wait longer: session.send({name!r}, 60, ...)"
            ) from None

    def show(self, frame: NDArray[np.uint8]) -> Future[Any]:
        """Give the model's on_frame a frame of a camera or a file, (H, W, 3) uint8 RGB; copied. Never waits.

        A frame that still waits is replaced, its future cancelled: a slow model gets the newest.

        Raises:
            UsageError: the model has no on_frame.
            FrameShapeError, FrameTypeError: it is no frame.
            NotStreamingError: the session has ended.
        """
        return self._camera.show(frame)

    def capabilities(self) -> dict[str, Any]:
        """The commands and their schemas, as JSON values."""
        return {"commands": {name: spec.schema() for name, spec in self.commands.items()}}

    def wait_ready(self, timeout_s: float | None = None) -> bool:
        """Wait until the model has loaded; False at the timeout or if the session is over without."""
        self._refuse_own_threads("wait_ready")
        # Not has_begun alone: between it and the state "ready" a call would still be refused.
        self._life.wait_for(lambda: self._life.is_told or self._life.state not in ("loading", "stopping"), timeout_s)
        return self._life.has_begun

    def wait(self, timeout_s: float | None = None, frames: int | None = None) -> bool:
        """Wait for the end, or until `frames` frames were emitted; whether that has happened."""
        self._refuse_own_threads("wait")
        if frames is None:
            return self._life.wait_for(lambda: self._life.is_told, timeout_s)
        emission = self._outlet.emission
        self._life.wait_for(lambda: self._life.is_told or emission.frames >= frames, timeout_s)
        return emission.frames >= frames

    def result(self, timeout_s: float | None = None) -> None:
        """Wait for the end; raise the model's error if it failed.

        Raises:
            ModelLoadError, ModelFailedError, ModelStuckError: with the author's traceback as text.
            CallTimeoutError: it still runs after `timeout_s`.
        """
        if not self.wait(timeout_s):
            raise CallTimeoutError(f"{self!r} has not ended within {timeout_s:g} s. To end it: session.stop()")
        error = self.error
        if error is not None:
            raise fresh(error)

    def messages(self, timeout_s: float | None = None) -> Iterator[dict[str, Any]]:
        """What the model sends, from the oldest kept message (of 1000) on.

        Ends with the session, or when nothing comes for `timeout_s`. Several may iterate, each sees all.
        """
        return self._outlet.messages.iterate(timeout_s)

    def frame(self) -> NDArray[np.uint8] | None:
        """A copy of the newest emitted frame, exact: (H, W, 3) uint8. None before the first."""
        newest = self._outlet.emission.newest()
        return None if newest is None else newest[0]

    def snapshot(self) -> Still:
        """The newest frame as a Still, which a cell shows; posters take it too.

        Raises:
            NotStreamingError: no frame was emitted.
        """
        newest = self._outlet.emission.newest()
        if newest is None:
            raise NotStreamingError(f"{self.name} has emitted no frame yet. Wait for one: session.wait(10, frames=1)")
        still = Still(*newest)
        self._listeners.tell("snapshot", still=still)
        return still

    def stats(self) -> dict[str, Any]:
        """Counts of now, JSON values; docs/statistics.md has each.

        `rate_fps` what the model emits, `max_fps` what is played at most; frames `produced`, `played`, `dropped`,
        `encoded`, `sent`, `painted`, `skipped` by reason; `bits_per_s`; of the last 300 frames `latency_ms` from
        emit_block to the picture and `stages`, as {"p50", "p95"}; and what the calls and the `media` count.
        """
        own = {"name": self.name, "id": self.id, "max_fps": self.max_fps, "failed_calls": self._failed_calls}
        return {**own, **self._stats.stats()}

    def timeline(self, view_id: str | None = None) -> list[dict[str, Any]]:
        """When each of the last 300 frames passed each stage, oldest first; JSON values, None is unknown.

        Keys: `number`; `emitted_s`, `converted_s`, `due_s`, `played_s`, `began_s` (of the encoding), `encoded_s`,
        `sent_s`, `received_s`, `decoded_s`, `painted_s`, all of time.monotonic(); `model_ms` that the model took and
        `held_ms` that emit_block kept it; `bytes`, `is_keyframe`; `skipped`: clock, encoder, view or page.

        Args:
            view_id: as this view saw it; by default the one that painted most.
        """
        return self._stats.timeline(view_id)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every SessionEvent from now on; the returned function ends that.

        Called on the thread that caused the event; must be quick. What it raises goes to the log.
        """
        return self._listeners.subscribe(listener)

    def request_stop(self) -> None:
        """Ask the session to end, and return at once. Idempotent."""
        if self._life.request_stop():
            self._calls.refuse()
            self._life.move("stopping")
            self._sink.close()
        if not self._life.has_begun:
            self._end(None)  # start_session will not begin any more

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End the session and wait for it; the model stays loaded. Idempotent.

        On the model's or the command thread it only asks, as it cannot wait for itself.

        Raises:
            ModelStuckError: start_session did not return within `timeout_s`; the model is abandoned.
        """
        deadline_s = time.monotonic() + timeout_s
        life = self._life
        if life.is_told:
            return
        self.request_stop()
        if self.loaded.is_current() or self._calls.is_current():
            return
        if not life.wait_for(lambda: life.has_returned, timeout_s):
            self._give_up(timeout_s)
        # From here the model's thread waits for a command that runs, and no longer than this.
        if not life.wait_for(lambda: life.is_told, max(0.0, deadline_s - time.monotonic()) + STOP_TIMEOUT_S + 1.0):
            raise WrongThreadError(f"a listener of {self!r} does not return, so its end cannot be told")

    def __repr__(self) -> str:
        return f"<Session {self.id} of {self.name}: {self.state}>"

    # What follows runs on the model's thread, unless it says otherwise.

    def _play(self, instance: VideoModel) -> None:
        if not self._life.begin():
            return
        self._calls.start()
        self._life.move("ready")
        with live_context(self._context):
            if self._boundary is not None:
                self._boundary.reached()
            instance.start_session()
            self._outlet.flush()

    def _run_is_over(self, run: Future[None]) -> None:
        error = run.exception()
        life = self._life
        if error is None and life.has_begun and not life.is_stop_requested and not self._outlet.emission.frames:
            self.log.note(
                f"start_session of {self.name} returned without emitting a frame. It needs a loop: "
                "while not get_ctx().should_stop(): get_ctx().emit_block(self.generate())"
            )
        life.returned()
        self._end(error if isinstance(error, ReactorError) else None)

    def _end(self, error: ReactorError | None) -> None:
        """Ends the session once. Threads: the model's; the stopping one if start_session never began or never ends."""
        if not self._life.claim_end():
            return
        self._calls.refuse()
        self._outlet.settle(0.0 if isinstance(error, ModelStuckError) else STOP_TIMEOUT_S)
        if not self._life.is_stop_requested:
            self._sink.finish()
        busy = self._calls.close(0.0 if isinstance(error, ModelStuckError) else STOP_TIMEOUT_S)
        if busy is not None:
            self.log.note(f"the command {busy} has not returned; commands of the next session wait for it")
        self._outlet.close()
        self._life.end(error)
        self._life.told()

    def _give_up(self, timeout_s: float) -> None:
        """Threads: the stopping one."""
        stack = self.loaded.stack()
        if self._life.has_returned:
            return
        error = ModelStuckError(
            f"start_session of {self.name} has not returned {timeout_s:g} s after the stop. It is abandoned; the next "
            f"%reactor run loads a new one. Let its loop ask: while not get_ctx().should_stop(): ...",
            stack,
        )
        self.loaded.abandon()
        self._end(error)
        if self.error is error:
            raise fresh(error)

    # What follows runs on the command thread.

    def _around_calls(self) -> AbstractContextManager[Any]:
        around = ExitStack()
        around.enter_context(bind_log(self.log))
        around.enter_context(bind_context(self._context))
        around.enter_context(loading(self.loaded.cls))
        return around

    def _perform(self, spec: CommandSpec, validated: Mapping[str, Any]) -> Any:
        with self.loaded.one_command:
            # A command of the session before may have kept this one waiting until its own session was over.
            if self.is_over:
                raise NotStreamingError(f"{spec.name} was not run: the session of {self.name} has ended.")
            return invoke(self.loaded.instance, spec, validated)

    def _applied(self, call: CommandCall, validated: Mapping[str, Any], failure: CommandFailedError | None) -> None:
        try:
            params: dict[str, Any] = to_json(dict(validated), name="params")
        except ResultError:
            params = call.params
        if failure is None:
            self.last_params[call.name] = params
        else:
            self._failed_calls += 1
            self.log.note(f"{failure}\n{failure.traceback_text.rstrip()}")
        self._listeners.tell("call", name=call.name, params=params, source=call.source, is_error=failure is not None)

    def _refuse_own_threads(self, method: str) -> None:
        if self.loaded.is_current() or self._calls.is_current():
            raise WrongThreadError(
                f"{method}() was called on {threading.current_thread().name}, which it would wait for. "
                "Call it from the notebook."
            )
