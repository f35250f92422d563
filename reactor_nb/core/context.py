"""get_ctx(): how the author's code reaches the session that it runs in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from reactor_nb.errors import ContextError, SessionStopped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reactor_nb.core.device_frames import PendingBlock
    from reactor_nb.core.frames import Block, DeviceLayout

_OUTSIDE = "Global context not set. This should only be called during an active session."
_MEND = "Call get_ctx() inside start_session or a @command method, while %reactor run plays the model."


class ContextPort(Protocol):
    """What a Context needs of its session."""

    @property
    def name(self) -> str: ...
    @property
    def is_stopping(self) -> bool: ...
    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width of the newest frame, or of a frame before the first."""

    def reserve(self, shape: tuple[int, int, int, int]) -> NDArray[np.uint8] | None:
        """Memory for a block of (N, H, W, 3) where its pixels travel without another copy, or None."""

    @property
    def device_layout(self) -> DeviceLayout | None:
        """How frames of a device are wanted; None: before emit_block returns."""

    def accept(self, block: Block) -> None: ...
    def accept_pending(self, block: PendingBlock) -> None: ...
    def deliver(self, message: dict[str, Any]) -> None: ...
    def set_monitoring(self, is_on: bool) -> None: ...


class Boundary(Protocol):
    """Told where the frames of a session begin and end. Threads: the one that emits, or asks."""

    def reached(self) -> None:
        """An emission is complete, or start_session is about to begin. emit_block returns when this has."""

    def asked(self) -> None:
        """The author's code asks should_stop(), and is answered when this has returned."""


class Context:
    """What `get_ctx()` returns. May be kept and handed to the author's own threads.

    Threads: `emit_block` on any that holds the Context, one at a time (others wait); the rest on any.
    """

    def __init__(self, session: ContextPort, boundary: Boundary | None = None) -> None:
        self._session = session
        self._boundary = boundary
        self._one_emission = threading.Lock()
        self._emitted_unasked = False

    def should_stop(self) -> bool:
        """Whether the session is to end. Ask in every turn of the loop."""
        if self._boundary is not None:
            self._boundary.asked()
        is_stopping = self._session.is_stopping
        if is_stopping:
            self._emitted_unasked = False
        return is_stopping

    def emit_block(self, frames: Any, *, value_range: tuple[float, float] = (0.0, 1.0)) -> None:
        """Send finished frames to every viewer.

        Returns at once while the buffer has room, else when the clock has played enough: a fast model is
        held to `rate_fps`, and gets control back just in time to make its next frame. Never waits for a
        browser; a viewer that cannot keep up skips frames.

        A tensor on a CUDA device is converted there, on the current stream of the calling thread, and copied
        aside: neither that stream nor this call waits for the copy. A model that is slower than `rate_fps` may
        so be two blocks ahead of its device before emit_block waits for the older one; a faster one gets control
        back when its own frame is there. What fails on the device is raised by the next call, or at the end.

        Args:
            frames: (H, W, 3), (N, H, W, 3) or channels-first, RGB, rows top to bottom; uint8, or float in
                value_range. Arrays and tensors on any device. Copied, so the buffer may be reused. None paints
                black. An empty block is counted and does nothing.
            value_range: what black and white are in float input. Values outside are clipped and NaN is
                black; both are counted in `session.stats()` and warned of once in the log.
        Raises:
            FrameShapeError, FrameTypeError: anything else; the message names the line that mends it.
            SessionStopped: the second call after a stop that was not asked about; let it pass.
        Threads: any that holds the Context, one at a time.
        Source: seed 001, "Thread Safety"; docs/design.md has the measured cost of the copy.
        """
        # Here, for numpy takes as long to load as pydantic, and a schema is told without it.
        from reactor_nb.core.device_frames import start_copy
        from reactor_nb.core.frames import black_block, to_block

        with self._one_emission:
            if self._session.is_stopping:
                if self._emitted_unasked:
                    raise SessionStopped(f"the session of {self._session.name} was stopped")
                self._emitted_unasked = True
            reserve, layout = self._session.reserve, self._session.device_layout
            pending = start_copy(frames, value_range, layout) if layout is not None else None
            if pending is not None:
                self._session.accept_pending(pending)
            elif frames is None:
                self._session.accept(black_block(*self._session.size_px, reserve))
            else:
                self._session.accept(to_block(frames, value_range, reserve=reserve))
        # Outside of the lock: a command that runs at the boundary may emit as well.
        if self._boundary is not None:
            self._boundary.reached()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to every page that shows the session, and to `session.messages()`. Never waits.

        Raises:
            ResultError: the message is no dict, or holds what JSON cannot.
            ContextError: the session has ended.
        """
        self._session.deliver(message)

    def enable_monitoring(self) -> None:
        """Start the estimate of the frame rate in `stats()` anew."""
        self._session.set_monitoring(True)

    def disable_monitoring(self) -> None:
        """Freeze the estimate of the frame rate in `stats()`, as while the model waits for a person."""
        self._session.set_monitoring(False)


_lock = threading.Lock()
_of_thread: dict[int, Context | None] = {}
_live: list[Context] = []


def get_ctx() -> Context:
    """The Context of the session that the calling thread works for.

    The model's thread and the command thread know theirs. A thread that the author started finds the one
    live session.

    Raises:
        ContextError: no session is active here, or several are and this thread belongs to none of them.
    """
    ident = threading.get_ident()
    with _lock:
        if ident in _of_thread:
            context = _of_thread[ident]
            if context is None:
                raise ContextError(f"{_OUTSIDE} {_MEND}")
            return context
        live = tuple(_live)
    if not live or threading.current_thread() is threading.main_thread():
        raise ContextError(f"{_OUTSIDE} {_MEND}")
    if len(live) > 1:
        names = ", ".join(context._session.name for context in live)
        raise ContextError(
            f"{len(live)} sessions are active ({names}), and the thread {threading.current_thread().name!r} belongs to "
            "none of them. Call ctx = get_ctx() in start_session, and hand ctx to the thread."
        )
    return live[0]


@contextmanager
def bind_context(context: Context | None) -> Iterator[None]:
    """While this is open, get_ctx() on the current thread means `context`; with None it raises."""
    ident = threading.get_ident()
    with _lock:
        had, before = ident in _of_thread, _of_thread.get(ident)
        _of_thread[ident] = context
    try:
        yield
    finally:
        with _lock:
            if had:
                _of_thread[ident] = before
            else:
                del _of_thread[ident]


@contextmanager
def live_context(context: Context) -> Iterator[None]:
    """As bind_context, and threads of the author may find it."""
    with _lock:
        _live.append(context)
    try:
        with bind_context(context):
            yield
    finally:
        with _lock:
            _live.remove(context)
