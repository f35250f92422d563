"""Hosted: what the runtime keeps of one model name, across its sessions."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reactor_nb.core.config import ModelConfig
from reactor_nb.core.loaded import LoadedModel
from reactor_nb.core.log import Log
from reactor_nb.core.model import ModelSpec, VideoModel, spec_of
from reactor_nb.core.session import STOP_TIMEOUT_S, Session
from reactor_nb.errors import ModelDefinitionError, ModelStuckError

# For an abandoned model that is just returning.
_GRACE_S = 0.5


def demand_spec(cls: object) -> ModelSpec:
    """What @model says of a class.

    Raises:
        ModelDefinitionError: it says nothing.
    """
    spec = spec_of(cls)
    if spec is None:
        label = getattr(cls, "__name__", None) or repr(cls)
        raise ModelDefinitionError(
            f"run got {label}, which is no class decorated with @model. "
            f'Write @model(name="my-model") above class {label}(VideoModel):'
            if isinstance(cls, type)
            else f"run got {type(cls).__name__} {str(label)[:80]}; it needs the class: reactor_nb.run(MyModel)"
        )
    return spec


class Hosted:
    """The loaded instance and the newest session of a name, and the instances that were abandoned.

    Threads: any; whoever starts or stops holds `one_at_a_time`.
    """

    def __init__(self, name: str, stop_timeout_s: float = STOP_TIMEOUT_S) -> None:
        self.name = name
        self._stop_timeout_s = stop_timeout_s
        self.one_at_a_time = threading.RLock()
        self.session: Session | None = None
        self.again: Callable[[], Session] | None = None
        self.carrier = "auto"
        self._loaded: LoadedModel | None = None
        self._abandoned: list[LoadedModel] = []

    def stop(self, timeout_s: float | None = None) -> bool:
        """End the session; whether there was one to end.

        Raises:
            ModelStuckError: it did not return; the instance is abandoned.
        """
        with self.one_at_a_time:
            session = self.session
            if session is None or session.is_over:
                return False
            session.stop(self._stop_timeout_s if timeout_s is None else timeout_s)
            return True

    def stop_for_next(self) -> None:
        """End the session; one that does not return must not keep the next from starting."""
        try:
            self.stop()
        except ModelStuckError as stuck:
            if self.session is not None:
                self.session.log.note(str(stuck))

    def unload(self, timeout_s: float | None = None) -> bool:
        """End the session and free the instance; whether there was one.

        Raises:
            ModelStuckError: it, or one that was abandoned before, is still in the author's code.
        """
        with self.one_at_a_time:
            try:
                self.stop(timeout_s)
            finally:
                was_loaded = self._free(timeout_s)
            held = self._held_by_abandoned(_GRACE_S)
            if held:
                raise ModelStuckError(f"{self.name} is not free yet: " + " ".join(held))
            return was_loaded

    def take(self, cls: type[VideoModel], config: ModelConfig) -> LoadedModel:
        """The instance for the next session: the kept one if nothing changed, else a new one, the old freed first."""
        loaded = self._loaded
        if loaded is not None and loaded.matches(cls, config):
            try:
                loaded.rebind(cls)
                return loaded
            except TypeError as error:
                loaded.log.note(f"the instance cannot become one of the new class ({error}); it is loaded anew")
        log = Log()
        try:
            self._free()
        except ModelStuckError as stuck:
            log.note(str(stuck))
        for held in self._held_by_abandoned():
            log.note(held)
        self._loaded = LoadedModel(cls, config, log)
        return self._loaded

    def _held_by_abandoned(self, grace_s: float = 0.0) -> list[str]:
        self._abandoned = [old for old in self._abandoned if not old.join(grace_s)]
        return [
            f"an abandoned instance of {self.name} still runs and holds {old.held_words()}. "
            "It is freed when its code returns; to free it now, restart the kernel."
            for old in self._abandoned
        ]

    def _free(self, timeout_s: float | None = None) -> bool:
        loaded, self._loaded = self._loaded, None
        if loaded is None:
            return False
        if loaded.is_stuck:
            self._abandoned.append(loaded)
            return True
        try:
            loaded.unload(self._stop_timeout_s if timeout_s is None else timeout_s)
        except ModelStuckError:
            self._abandoned.append(loaded)
            raise
        return True
