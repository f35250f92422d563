"""Mistakes while a model plays: frames, calls, threads, stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from reactor_nb import VideoModel, command, get_ctx, model
from reactor_nb.core.calls import MOST_WAITING
from reactor_nb.core.frames import to_block
from reactor_nb.core.session import Session
from reactor_nb.errors import (
    CallQueueFullError,
    CallTimeoutError,
    CarrierError,
    ClosedError,
    CommandFailedError,
    ContextError,
    FrameError,
    FrameShapeError,
    FrameTypeError,
    MessageError,
    ModelFailedError,
    ModelLoadError,
    ModelStuckError,
    NotStreamingError,
    SessionStopped,
    UsageError,
    WrongThreadError,
)
from reactor_nb.media.link import PeerSettings
from reactor_nb.notebook import arguments
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.pageless import PagelessLink
from reactor_nb.transport import protocol
from reactor_nb.transport.addresses import offered_addresses
from tests.contract.messages.case import Cases
from tests.support.eventually import eventually
from tests.unit.core.stage import Stage, staged
from tests.unit.runtime.links import MemoryLink

CASES = Cases()
answered = CASES.answered

FRAME = np.zeros((4, 6, 3), np.uint8)


@model("plasma")
class Plasma(VideoModel):
    """Plays until it is told to stop; `hold` keeps the command thread until `gate` is set."""

    gate = threading.Event()
    session: Session | None = None
    stopped: list[BaseException] = []  # noqa: RUF012

    @command("hold")
    def hold(self) -> None:
        self.gate.wait(10)

    @command("fail")
    def fail(self) -> None:
        raise LookupError("no such prompt")

    @command("ask_itself")
    def ask_itself(self) -> None:
        assert self.session is not None
        self.session.send("hold")

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(FRAME)


class NeverAsks(Plasma):
    def start_session(self) -> None:
        try:
            while True:
                get_ctx().emit_block(FRAME)
        except SessionStopped as end:
            self.stopped.append(end)
            raise


class NeverReturns(Plasma):
    def start_session(self) -> None:
        get_ctx().emit_block(FRAME)
        self.gate.wait(10)


class Fails(Plasma):
    def start_session(self) -> None:
        raise OSError("no disk")


class CannotLoad(Plasma):
    def __init__(self, config: Any) -> None:
        raise OSError("no disk")


def playing(cls: type[Plasma], act: Callable[[Stage, Session], object]) -> object:
    cls.gate = threading.Event()
    with staged(model("plasma")(cls)) as stage:
        stage.free.append(cls.gate.set)
        session = stage.play()
        assert session.wait(5, frames=1), session.error
        cls.session = session
        return act(stage, session)


@answered(
    FrameShapeError,
    "emit_block got shape (8, 64, 64); it needs (H, W, 3) or (N, H, W, 3). Gray frames? Emit "
    "np.repeat(frames[..., None], 3, axis=-1).",
)
def gray_frames(folder: Path) -> object:
    return to_block(np.zeros((8, 64, 64), np.uint8))


@answered(
    FrameShapeError,
    "emit_block got shape (64, 64, 4); it needs (H, W, 3) or (N, H, W, 3). RGBA frames? Emit frames[..., :3].",
)
def a_frame_with_an_alpha_channel(folder: Path) -> object:
    return to_block(np.zeros((64, 64, 4), np.uint8))


@answered(
    FrameTypeError,
    "emit_block got a str; it needs an array or tensor (H, W, 3) or (N, H, W, 3), uint8 or float. Emit "
    "np.asarray(frames) if it is an image of another library.",
)
def a_frame_that_is_text(folder: Path) -> object:
    return to_block("frame")


@answered(
    FrameTypeError,
    "emit_block got dtype int64; it needs uint8, or float in value_range. Values from 0 to 255? Emit "
    "np.clip(frames, 0, 255).astype(np.uint8).",
)
def a_frame_of_int64(folder: Path) -> object:
    return to_block(np.zeros((4, 4, 3), np.int64))


@answered(
    ContextError,
    "Global context not set. This should only be called during an active session. Call get_ctx() inside "
    "start_session or a @command method, while %reactor run plays the model.",
)
def get_ctx_outside_a_session(folder: Path) -> object:
    return get_ctx()


@answered(
    ContextError,
    "2 sessions are active (plasma, plasma), and the thread 'author_0' belongs to none of them. Call ctx = "
    "get_ctx() in start_session, and hand ctx to the thread.",
)
def get_ctx_on_a_thread_beside_two_sessions(folder: Path) -> object:
    def second(stage: Stage, session: Session) -> object:
        def on_a_thread(other: Stage, _: Session) -> object:
            with ThreadPoolExecutor(1, "author") as pool:
                return pool.submit(get_ctx).result(5)

        return playing(NeverAsks, on_a_thread)

    return playing(Plasma, second)


@answered(CommandFailedError, "fail raised LookupError: no such prompt")
def a_command_that_raises(folder: Path) -> object:
    return playing(Plasma, lambda stage, session: session.send("fail", 5))


@answered(
    CallTimeoutError,
    "hold has not returned within 0.01 s; it goes on in the model. To wait longer: session.send('hold', 60, ...)",
)
def a_command_that_takes_longer_than_the_caller_waits(folder: Path) -> object:
    return playing(Plasma, lambda stage, session: session.send("hold", 0.01))


@answered(CallTimeoutError, "<Session 1 of plasma: streaming> has not ended within 0.01 s. To end it: session.stop()")
def waiting_for_a_result_that_does_not_come(folder: Path) -> object:
    def act(stage: Stage, session: Session) -> object:
        session.id = 1
        session.result(0.01)
        return None

    return playing(Plasma, act)


@answered(
    CallQueueFullError,
    "hold was refused: 64 calls to plasma wait already. hold is running. Wait for an answer before you send "
    "more: session.send(...)",
)
def more_calls_than_can_wait(folder: Path) -> object:
    def act(stage: Stage, session: Session) -> object:
        session.submit("hold")
        eventually(lambda: session.stats()["waiting_calls"] == 0)
        return [session.submit("hold") for _ in range(MOST_WAITING + 1)]

    return playing(Plasma, act)


@answered(NotStreamingError, "hold was not run: the session of plasma has ended. Type: %reactor run plasma")
def a_call_after_the_end(folder: Path) -> object:
    def act(stage: Stage, session: Session) -> object:
        session.stop()
        return session.send("hold")

    return playing(Plasma, act)


@answered(NotStreamingError, "plasma has emitted no frame yet. Wait for one: session.wait(10, frames=1)")
def a_picture_before_the_first_frame(folder: Path) -> object:
    with staged(Plasma) as stage:
        return stage.session().snapshot()


@answered(
    WrongThreadError,
    "send('hold') was called on reactor-commands-plasma, by a command; it would wait for itself. Call the "
    "method: self.hold(...)",
)
def a_command_that_waits_for_a_command(folder: Path) -> object:
    def act(stage: Stage, session: Session) -> object:
        error = session.submit("ask_itself").exception(5)
        assert error is not None and isinstance(error.__cause__, WrongThreadError)
        raise error.__cause__

    return playing(Plasma, act)


@answered(
    ModelLoadError,
    "__init__ of plasma raised OSError: no disk. Mend the class, run its cell again, then type: %reactor run plasma",
)
def an_init_that_raises(folder: Path) -> object:
    with staged(model("plasma")(CannotLoad)) as stage:
        stage.play().result(5)
    return None


@answered(
    ModelFailedError,
    "start_session of plasma raised OSError: no disk. The model stays loaded; mend the class and run its cell "
    "again, or just type: %reactor run plasma",
)
def a_start_session_that_raises(folder: Path) -> object:
    with staged(model("plasma")(Fails)) as stage:
        stage.play().result(5)
    return None


@answered(
    ModelStuckError,
    "start_session of plasma has not returned 0.01 s after the stop. It is abandoned; the next %reactor run "
    "loads a new one. Let its loop ask: while not get_ctx().should_stop(): ...",
)
def a_loop_that_neither_asks_nor_emits(folder: Path) -> object:
    return playing(NeverReturns, lambda stage, session: session.stop(0.01))


@answered(SessionStopped, "the session of plasma was stopped")
def a_loop_that_never_asks(folder: Path) -> object:
    NeverAsks.stopped.clear()
    playing(NeverAsks, lambda stage, session: session.stop())
    raise NeverAsks.stopped[0]


@answered(ClosedError, "This runtime is closed. Type: %reload_ext reactor_nb, or call reactor_nb.run(Model)")
def a_run_after_close(folder: Path) -> object:
    runtime = Runtime(MemoryLink)
    runtime.close()
    return runtime.run(model("plasma")(Plasma))


@answered(
    MessageError, "A message that is no JSON came (Expecting value: line 1 column 1 (char 0)); send one JSON object."
)
def a_message_of_a_page_that_is_no_json(folder: Path) -> object:
    return protocol.parse("call")


@answered(MessageError, "A call message came without 'name'; it needs id, name, params.")
def a_message_of_a_page_without_its_name(folder: Path) -> object:
    return protocol.parse('{"type": "call", "id": "1"}')


@answered(
    MessageError,
    "A message message of 300028 bytes is too large; a page takes 250000. Send it in pieces, or pictures with "
    "emit_block.",
)
def a_message_that_is_too_large_for_a_page(folder: Path) -> object:
    return protocol.encode({"type": "message", "data": "x" * 300_000})


@answered(
    UsageError,
    "%reactor has no verb 'rum'; it has run, send, stop, status, schema, config, check, session, unload, profile, "
    "doctor, help. Type: %reactor run",
)
def a_verb_that_is_none(folder: Path) -> object:
    return arguments.split_verb("rum")


@answered(
    UsageError, "--for got 'soon'; it needs a time above zero such as 10s, 500ms or 2m. Type: %reactor run --for 10s"
)
def a_time_that_is_none(folder: Path) -> object:
    return arguments.parse_run("--for soon")


@answered(
    CarrierError,
    "The configured interface '192.0.2.1' is no address of this machine; give one that `hostname -I` lists.",
)
def a_page_at_an_address_that_is_not_offered(folder: Path) -> object:
    return asyncio.run(offered_addresses(PeerSettings("127.0.0.2.example", interfaces=("192.0.2.1",))))


@answered(CarrierError, "plasma plays headless, without pages. Type: %reactor run plasma")
def a_page_for_a_model_that_plays_headless(folder: Path) -> object:
    link = PagelessLink()
    try:
        return link.offer("plasma", "view", "", PeerSettings("localhost")).result(5)
    finally:
        link.close()


@answered(
    FrameError,
    "emit_block got value_range=(1.0, 0.0); it needs two finite numbers, of black and of white. Type "
    "emit_block(frames, value_range=(-1, 1)) for frames from -1 to 1.",
)
def a_range_that_ends_below_its_start(folder: Path) -> object:
    return to_block(np.zeros((4, 4, 3), np.float32), (1.0, 0.0))
