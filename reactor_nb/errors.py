"""Every exception of reactor_nb, as one tree. This module imports nothing.

    ReactorError                      base of all; `code` is stable and crosses the wire
    ├── ModelDefinitionError          TypeError    what @model or @command was put on, or with what arguments
    ├── ModelNotFoundError            LookupError  no @model class, or none of that name
    ├── SeveralModelsError            LookupError  more than one candidate and no name given
    ├── ConfigError                   ValueError   a configuration file or an override
    ├── WeightsError                  ValueError   a weight folder that is undeclared, misnamed or missing
    ├── FrameError                    ValueError   something emitted that is no frame
    │   ├── FrameShapeError
    │   └── FrameTypeError            TypeError
    ├── CallError                                  one use of a command
    │   ├── UnknownCommandError       ValueError
    │   ├── ParameterError            ValueError   missing, extra or refused parameters; `fields` names each
    │   ├── CommandFailedError        RuntimeError the author's method raised; its error is the cause
    │   ├── ResultError               TypeError    what the method returned cannot be sent as JSON
    │   ├── CallQueueFullError        RuntimeError
    │   ├── CallTimeoutError          TimeoutError
    │   └── NotStreamingError         RuntimeError a call while the model loads, or after the end
    ├── ContextError                  RuntimeError get_ctx() outside a session, or ambiguous
    ├── ModelLoadError                RuntimeError `__init__` raised
    ├── ModelFailedError              RuntimeError `start_session` raised
    ├── ModelStuckError               RuntimeError `start_session` did not return after a stop
    ├── WrongThreadError              RuntimeError a call from a thread that does not own the object
    ├── ClosedError                   RuntimeError a call after close()
    ├── CarrierError                  RuntimeError a road to the page that could not be built
    ├── MediaFileError                OSError      a video or picture that cannot be read or written
    ├── MessageError                  ValueError   a message that the wire protocol does not know or cannot carry
    └── UsageError                    ValueError   a magic, a command line or arguments that cannot be read

    SessionStopped                    BaseException: ends a model loop that never asks should_stop()

A message says what came, what is needed and the line to type; docs/errors.md shows one of each.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ReactorError(Exception):
    """Base of every error of this package.

    `code` is a stable word for programs: it crosses the wire and is never renamed. The message is for
    people: what came, what is needed, and the line to type.
    """

    code: ClassVar[str] = "reactor_error"

    def to_wire(self) -> dict[str, Any]:
        """What a page or a caller over the network receives. Plain JSON values."""
        return {"code": self.code, "message": str(self)}

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: in a cell the author's own traceback and the sentence, without our frames."""
        author = getattr(self, "traceback_text", "").rstrip()
        sentence = f"{type(self).__name__}: {self}"
        return [*author.splitlines(), "", sentence] if author else [sentence]


class ModelDefinitionError(ReactorError, TypeError):
    code = "model_definition"


class ModelNotFoundError(ReactorError, LookupError):
    code = "model_not_found"


class SeveralModelsError(ReactorError, LookupError):
    code = "several_models"


class ConfigError(ReactorError, ValueError):
    code = "config"


class WeightsError(ReactorError, ValueError):
    code = "weights"


class FrameError(ReactorError, ValueError):
    code = "frame"


class FrameShapeError(FrameError):
    code = "frame_shape"


class FrameTypeError(FrameError, TypeError):
    code = "frame_type"


class CallError(ReactorError):
    code = "call"


class UnknownCommandError(CallError, ValueError):
    code = "unknown_command"


class ParameterError(CallError, ValueError):
    """Parameters that the command's schema refuses. `fields`: parameter name -> reason."""

    code = "bad_parameters"

    def __init__(self, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields: dict[str, str] = dict(fields or {})

    def to_wire(self) -> dict[str, Any]:
        return {**super().to_wire(), "fields": self.fields}


class CommandFailedError(CallError, RuntimeError):
    """The author's method raised. `traceback_text` is the author's own traceback, as text."""

    code = "command_failed"

    def __init__(self, message: str, traceback_text: str = "") -> None:
        super().__init__(message)
        self.traceback_text = traceback_text

    def to_wire(self) -> dict[str, Any]:
        return {**super().to_wire(), "traceback": self.traceback_text}


class ResultError(CallError, TypeError):
    code = "bad_result"


class CallQueueFullError(CallError, RuntimeError):
    code = "queue_full"


class CallTimeoutError(CallError, TimeoutError):
    code = "call_timeout"


class NotStreamingError(CallError, RuntimeError):
    code = "not_streaming"


class ContextError(ReactorError, RuntimeError):
    code = "no_context"


class _ModelError(ReactorError, RuntimeError):
    """`traceback_text` is the author's own traceback, as text; no frame of it is kept alive."""

    def __init__(self, message: str, traceback_text: str = "") -> None:
        super().__init__(message)
        self.traceback_text = traceback_text

    def to_wire(self) -> dict[str, Any]:
        return {**super().to_wire(), "traceback": self.traceback_text}


class ModelLoadError(_ModelError):
    code = "model_load"


class ModelFailedError(_ModelError):
    code = "model_failed"


class ModelStuckError(_ModelError):
    code = "model_stuck"


class WrongThreadError(ReactorError, RuntimeError):
    code = "wrong_thread"


class ClosedError(ReactorError, RuntimeError):
    code = "closed"


class CarrierError(ReactorError, RuntimeError):
    code = "carrier"


class MediaFileError(ReactorError, OSError):
    code = "media_file"


class MessageError(ReactorError, ValueError):
    """A message that protocol.json does not describe. `call_id`: the call to answer, if it could be read."""

    code = "bad_message"

    def __init__(self, message: str, call_id: str | None = None) -> None:
        super().__init__(message)
        self.call_id = call_id


class UsageError(ReactorError, ValueError):
    code = "usage"


class SessionStopped(BaseException):
    """Raised by the second `emit_block` after a stop that the loop did not ask about; let it pass.

    A BaseException, as asyncio.CancelledError is, so that `except Exception` in a model's loop does
    not catch it. It counts as a normal end.
    """
