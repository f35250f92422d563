"""LoadedModel: an instance of a model, and the one thread on which it loads and plays."""

from __future__ import annotations

import copy
import inspect
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from reactor_nb.core.config import ModelConfig
from reactor_nb.core.context import bind_context
from reactor_nb.core.failure import author_traceback, fresh, in_a_line, stack_of, strip
from reactor_nb.core.log import Log, bind_log
from reactor_nb.core.memory import free_unreferenced, held_bytes, in_words
from reactor_nb.core.model import VideoModel, loading, spec_of
from reactor_nb.core.source import fingerprint
from reactor_nb.errors import (
    ClosedError,
    ModelDefinitionError,
    ModelFailedError,
    ModelLoadError,
    ModelStuckError,
    SessionStopped,
)

Body = Callable[[VideoModel], None]


class LoadedModel:
    """Owns one instance. `__init__` begins at once; each `run` is one session of it.

    The instance is referenced from here alone, and errors are kept as text, so that `unload` frees it
    whoever still holds a session, its error or this object.

    Args:
        cls: decorated with @model.
        config: what `__init__` receives, as a copy.
        log: where the prints of the model's thread go.
    Raises:
        ModelDefinitionError: the class has no @model of its own.
    Threads: made on any; `__init__` and every body run on `reactor-model-<name>`, where the instance is
        dropped as well. The other methods on any but that thread.
    """

    def __init__(self, cls: type[VideoModel], config: ModelConfig, log: Log) -> None:
        spec = spec_of(cls)
        if spec is None:
            raise ModelDefinitionError(
                f'{cls.__name__} has no @model of its own. Write @model(name="my-model") above class {cls.__name__}.'
            )
        self.name = spec.name
        self.config = config
        self.log = log
        self.ready: Future[None] = Future()
        """Done when `__init__` has returned; its exception is a ModelLoadError."""
        self.one_command = threading.Lock()
        """Held while a command runs: one of an ended session may still be at work."""
        self._fingerprint = fingerprint(cls)
        self._wake = threading.Condition()  # guards everything below
        self._cls = cls
        self._instance: VideoModel | None = None
        self._bodies: deque[tuple[Body, Future[None]]] = deque()
        self._load_error: ModelLoadError | None = None
        self._is_closed = False
        self._is_stuck = False
        self._thread = threading.Thread(target=self._main, name=f"reactor-model-{self.name}", daemon=True)
        self._thread.start()

    @property
    def cls(self) -> type[VideoModel]:
        """The class of the instance, after `rebind` the newest."""
        with self._wake:
            return self._cls

    @property
    def instance(self) -> VideoModel:
        """The instance; keep no reference to it.

        Raises:
            ClosedError: not loaded yet, or freed.
        """
        with self._wake:
            if self._instance is None:
                raise ClosedError(f"No instance of {self.name} is loaded. Type: %reactor run {self.name}")
            return self._instance

    @property
    def is_stuck(self) -> bool:
        """Abandoned: its thread did not come back. The instance is dropped if it ever does."""
        with self._wake:
            return self._is_stuck

    @property
    def is_gone(self) -> bool:
        """The thread has ended and the instance is dropped."""
        return not self._thread.is_alive()

    def matches(self, cls: type[VideoModel], config: ModelConfig) -> bool:
        """Whether a run of `cls` with `config` may use this instance: equal source, equal configuration."""
        with self._wake:
            if self._is_closed or self._is_stuck or self._load_error is not None:
                return False
        return self._fingerprint == fingerprint(cls) and self.config.fingerprint == config.fingerprint

    def rebind(self, cls: type[VideoModel]) -> None:
        """Make the instance one of `cls`, a class of the same source that a cell has made anew.

        Raises:
            TypeError: Python cannot change its class (different `__slots__`); load it anew then.
        """
        with self._wake:
            if self._instance is not None:
                self._instance.__class__ = cls
            self._cls = cls

    def run(self, body: Body) -> Future[None]:
        """Call `body(instance)` on the model's thread, after `__init__` and the bodies before it.

        The future's exception is a ModelLoadError, ModelFailedError or ClosedError without frames; a
        SessionStopped that body raises is a normal end. Its callbacks run on the model's thread.
        """
        done: Future[None] = Future()
        with self._wake:
            error = fresh(self._load_error) if self._load_error is not None else None
            if error is None and not self._is_closed:
                self._bodies.append((body, done))
                self._wake.notify_all()
                return done
        done.set_exception(error if error is not None else self._closed_error())
        return done

    def is_current(self) -> bool:
        """Whether the caller is on the model's thread."""
        return threading.current_thread() is self._thread

    def stack(self) -> str:
        """Where the model's thread is now, as the author's frames."""
        return stack_of(self._thread)

    def abandon(self) -> None:
        """Give up waiting for the thread: no body runs any more, and the instance goes when it returns."""
        with self._wake:
            self._is_stuck = True
        self._refuse()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread of an unloaded or abandoned model to end; whether it has."""
        self._thread.join(timeout_s)
        return self.is_gone

    def held_words(self) -> str:
        """What the instance keeps in arrays and tensors, in words: `1.5 GB in arrays and tensors`."""
        with self._wake:
            instance = self._instance
        if instance is None:
            return "memory that is being freed" if self.ready.done() else "what its __init__ has loaded so far"
        return f"{in_words(held_bytes(instance))} in arrays and tensors"

    def unload(self, timeout_s: float) -> None:
        """Drop the instance on its own thread, free what it held, and join the thread. Idempotent.

        Raises:
            ModelStuckError: the thread is still in the author's code; the instance is dropped when it returns.
        """
        self._refuse()
        if self.is_current():
            return
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            stack = self.stack()
            self.abandon()
            what = "__init__" if not self.ready.done() else "start_session"
            raise ModelStuckError(
                f"{self.name} did not let go within {timeout_s:g} s: its {what} has not returned. It is abandoned, and "
                f"holds {self.held_words()} until it returns. To free it now, restart the kernel.",
                stack,
            )

    def _refuse(self) -> None:
        with self._wake:
            self._is_closed = True
            left = list(self._bodies)
            self._bodies.clear()
            self._wake.notify_all()
        for _, done in left:
            done.set_exception(self._closed_error())

    def _closed_error(self) -> ClosedError:
        return ClosedError(f"This instance of {self.name} is unloaded. Type: %reactor run {self.name}")

    # What follows runs on the model's thread.

    def _main(self) -> None:
        # In __init__ there is no session, whichever others may play.
        with bind_context(None), bind_log(self.log):
            self._load()
            while self._perform_next():
                pass
            with self._wake:
                self._instance = None
            self._free()

    def _load(self) -> None:
        started_s = time.monotonic()
        failure: ModelLoadError | None = None
        try:
            instance = self._make()
            with self._wake:
                # The class may have been made anew by its cell meanwhile.
                if type(instance) is not self._cls:
                    instance.__class__ = self._cls
                self._instance = instance
            del instance
        except BaseException as error:
            failure = self._load_failed(error)
        if failure is None:
            self.log.note(f"{self.name} loaded in {time.monotonic() - started_s:.1f} s")
            self.ready.set_result(None)
            return
        with self._wake:
            self._load_error = failure
        self._free()
        self.ready.set_exception(fresh(failure))
        with self._wake:
            self._is_closed = True
            left = list(self._bodies)
            self._bodies.clear()
        for _, done in left:
            done.set_exception(fresh(failure))

    def _make(self) -> VideoModel:
        cls = self.cls
        with loading(cls):
            return cls(copy.deepcopy(self.config.values))

    def _perform_next(self) -> bool:
        with self._wake:
            self._wake.wait_for(lambda: self._is_closed or self._bodies)
            if self._is_closed:
                return False
            body, done = self._bodies.popleft()
        failure: ModelFailedError | None = None
        try:
            with loading(self.cls):
                body(self.instance)
        except SessionStopped as end:
            strip(end)
        except BaseException as error:
            failure = self._run_failed(error)
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)
        return True

    def _load_failed(self, error: BaseException) -> ModelLoadError:
        text, line = author_traceback(error), in_a_line(error)
        is_memory = isinstance(error, MemoryError) or "out of memory" in line.lower()
        strip(error)
        mend = f"Mend the class, run its cell again, then type: %reactor run {self.name}"
        if is_memory:
            mend = "What it had loaded is freed. Load less, or free other models: %reactor unload"
        elif isinstance(error, TypeError) and not _takes_config(self.cls):
            mend = f"It is called with the configuration. Write: def __init__(self, config): and run {self.name} again"
        return ModelLoadError(f"__init__ of {self.name} raised {line}. {mend}", text)

    def _run_failed(self, error: BaseException) -> ModelFailedError:
        text, line = author_traceback(error), in_a_line(error)
        strip(error)
        return ModelFailedError(
            f"start_session of {self.name} raised {line}. The model stays loaded; mend the class and run its cell "
            f"again, or just type: %reactor run {self.name}",
            text,
        )

    def _free(self) -> None:
        try:
            free_unreferenced()
        except RuntimeError as error:
            # A CUDA device that has failed refuses this too; the next model says so in its own words.
            self.log.note(f"the GPU's cached memory could not be given back: {in_a_line(error)}")
            strip(error)


def _takes_config(cls: type[VideoModel]) -> bool:
    try:
        inspect.signature(cls.__init__).bind(None, None)
    except TypeError:
        return False
    return True
