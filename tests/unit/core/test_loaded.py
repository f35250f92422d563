"""The thread that owns an instance, and what is left of it afterwards: nothing."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from reactor_nb import VideoModel, get_ctx, model
from reactor_nb.core.loaded import LoadedModel
from reactor_nb.core.log import Log, log_of_thread
from reactor_nb.core.memory import held_bytes, in_words
from reactor_nb.errors import (
    ClosedError,
    ContextError,
    ModelDefinitionError,
    ModelFailedError,
    ModelLoadError,
    ModelStuckError,
    SessionStopped,
)
from tests.support.eventually import eventually
from tests.unit.core.stage import config_of, staged

Load = Callable[[type[VideoModel]], LoadedModel]


class _Weights(np.ndarray[Any, Any]):
    """An array that can be referenced weakly."""


def _weights() -> _Weights:
    return np.zeros(1_000_000).view(_Weights)


@pytest.fixture
def load() -> Iterator[Load]:
    loaded: list[LoadedModel] = []

    def make(cls: type[VideoModel]) -> LoadedModel:
        loaded.append(LoadedModel(cls, config_of(cls), Log()))
        return loaded[-1]

    yield make
    for each in loaded:
        each.unload(5.0)


@model(name="still-life")
class _Quiet(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.thread = threading.current_thread().name
        self.log = log_of_thread(threading.get_ident())
        self.weights_array = _weights()

    def start_session(self) -> None: ...


def test_init_and_every_body_run_on_the_one_thread_of_the_model(load: Load) -> None:
    loaded = load(_Quiet)
    names: list[str] = []

    def body(instance: VideoModel) -> None:
        names.append(threading.current_thread().name)

    for _ in range(2):
        loaded.run(body).result(5)
    assert [_attribute(loaded, "thread"), *names] == ["reactor-model-still-life"] * 3
    assert _attribute(loaded, "log") is loaded.log


def _attribute(loaded: LoadedModel, name: str) -> Any:
    return getattr(loaded.instance, name)


def test_a_class_without_its_own_model_decoration_is_refused() -> None:
    class Plain(VideoModel):
        def start_session(self) -> None: ...

    with pytest.raises(ModelDefinitionError, match="@model"):
        LoadedModel(Plain, config_of(_Quiet), Log())


def test_unload_frees_the_instance_though_everyone_still_holds_the_loaded_model(load: Load) -> None:
    loaded = load(_Quiet)
    loaded.ready.result(5)
    instance, array = weakref.ref(loaded.instance), weakref.ref(_attribute(loaded, "weights_array"))
    loaded.unload(5.0)
    loaded.unload(5.0)
    assert instance() is None
    assert array() is None
    assert loaded.is_gone
    with pytest.raises(ClosedError):
        _ = loaded.instance


_partial: list[weakref.ref[Any]] = []


@model(name="broken")
class _BrokenInit(VideoModel):
    def __init__(self, config: Any = None) -> None:
        self.weights_array = _weights()
        self.me = self
        _partial[:] = [weakref.ref(self), weakref.ref(self.weights_array)]
        self.prepare()

    def prepare(self) -> None:
        local = self.weights_array
        try:
            raise KeyError("layer.3")
        except KeyError as missing:
            raise ValueError(f"no weights for {len(local)} values") from missing

    def start_session(self) -> None: ...


def test_a_failed_init_is_told_whole_and_leaves_nothing_behind(load: Load) -> None:
    loaded = load(_BrokenInit)
    run = loaded.run(lambda instance: None)
    error = run.exception(5)
    assert isinstance(error, ModelLoadError)
    assert "ValueError: no weights for 1000000 values" in str(error)
    assert "%reactor run broken" in str(error)
    first_frame = error.traceback_text.split("File ")[1]
    assert "test_loaded.py" in first_frame
    assert "KeyError: 'layer.3'" in error.traceback_text
    assert "loaded.py" not in error.traceback_text.replace("test_loaded.py", "")
    gc.collect()
    assert [reference() for reference in _partial] == [None, None]
    assert isinstance(loaded.ready.exception(5), ModelLoadError)
    assert isinstance(loaded.run(lambda instance: None).exception(5), ModelLoadError)


@pytest.mark.parametrize("raised", [MemoryError("CUDA out of memory"), SystemExit(3), KeyboardInterrupt()])
def test_nothing_that_init_raises_escapes_the_thread(load: Load, raised: BaseException) -> None:
    @model(name="exits")
    class Exits(VideoModel):
        def __init__(self, config: Any = None) -> None:
            raise raised

        def start_session(self) -> None: ...

    error = load(Exits).ready.exception(5)
    assert isinstance(error, ModelLoadError)
    assert type(raised).__name__ in str(error)
    assert ("%reactor unload" in str(error)) == isinstance(raised, MemoryError)


def test_a_body_that_raises_leaves_the_instance_loaded_and_no_frame_alive(load: Load) -> None:
    loaded = load(_Quiet)
    alive: list[weakref.ref[Any]] = []

    def body(instance: VideoModel) -> None:
        local = _weights()
        alive.append(weakref.ref(local))
        raise RuntimeError(f"{len(local)} is too much")

    error = loaded.run(body).exception(5)
    assert isinstance(error, ModelFailedError)
    assert "RuntimeError: 1000000 is too much" in error.traceback_text
    gc.collect()
    assert alive[0]() is None
    assert loaded.run(lambda instance: None).exception(5) is None


def test_an_attribute_error_keeps_the_instance_that_it_was_about_no_longer(load: Load) -> None:
    loaded = load(_Quiet)
    held: list[BaseException] = []

    def body(instance: VideoModel) -> None:
        try:
            instance.missing  # type: ignore[attr-defined]  # noqa: B018
        except AttributeError as error:
            held.append(error)
            raise

    loaded.run(body).exception(5)
    instance = weakref.ref(loaded.instance)
    loaded.unload(5.0)
    assert held
    assert instance() is None


def test_session_stopped_is_a_normal_end(load: Load) -> None:
    def body(instance: VideoModel) -> None:
        raise SessionStopped

    assert load(_Quiet).run(body).exception(5) is None


def test_init_has_no_context(load: Load) -> None:
    @model(name="eager")
    class Eager(VideoModel):
        def __init__(self, config: Any = None) -> None:
            get_ctx()

        def start_session(self) -> None: ...

    error = load(Eager).ready.exception(5)
    assert ContextError.__name__ in str(error)


def _make(seed: int, slots: bool = False) -> type[VideoModel]:
    if slots:

        @model(name="twice")
        class Twice(VideoModel):
            __slots__ = ("seed",)

            def start_session(self) -> None: ...

        return Twice
    if seed:

        @model(name="twice")
        class Twice(VideoModel):  # type: ignore[no-redef]
            def start_session(self) -> None:
                raise AssertionError("another source")

        return Twice

    @model(name="twice")
    class Twice(VideoModel):  # type: ignore[no-redef]
        def start_session(self) -> None: ...

    return Twice


def test_a_class_of_equal_source_matches_and_takes_the_instance_over(load: Load) -> None:
    old, same, other = _make(0), _make(0), _make(1)
    loaded = load(old)
    loaded.ready.result(5)
    assert loaded.matches(same, config_of(same))
    assert not loaded.matches(other, config_of(other))
    assert not loaded.matches(same, config_of(same, {"steps": 3}))
    loaded.rebind(same)
    assert type(loaded.instance) is same
    loaded.unload(5.0)
    assert not loaded.matches(same, config_of(same))


def test_a_class_made_anew_while_init_runs_takes_the_instance_over(load: Load) -> None:
    go = threading.Event()

    @model(name="slow")
    class Slow(VideoModel):
        def __init__(self, config: Any = None) -> None:
            go.wait(5)

        def start_session(self) -> None: ...

    first = Slow
    loaded = load(first)
    second = type("Slow", (first,), {})
    loaded.rebind(second)
    go.set()
    loaded.ready.result(5)
    assert type(loaded.instance) is second


def test_unloading_a_busy_model_gives_up_with_its_stack_and_frees_it_when_it_returns(load: Load) -> None:
    loaded = load(_Quiet)
    go = threading.Event()
    began = threading.Event()

    def body(instance: VideoModel) -> None:
        began.set()
        wait_for_a_person(go)

    running = loaded.run(body)
    waiting = loaded.run(lambda instance: None)
    began.wait(5)
    with pytest.raises(ModelStuckError, match="8 MB in arrays") as caught:
        loaded.unload(0.05)
    assert "wait_for_a_person" in caught.value.traceback_text
    assert loaded.is_stuck
    assert isinstance(waiting.exception(5), ClosedError)
    instance = weakref.ref(loaded.instance)
    go.set()
    running.result(5)
    eventually(lambda: loaded.is_gone)
    assert instance() is None


def wait_for_a_person(go: threading.Event) -> None:
    go.wait(10)


def test_what_an_object_holds_is_counted_once_through_containers_and_views() -> None:
    array = np.zeros(1000, np.float64)
    assert held_bytes({"a": array, "view": array[:10], "again": [array]}) == 8000
    assert [in_words(count) for count in (1_500, 2_000_000, 3_500_000_000)] == ["1.5 kB", "2 MB", "3.5 GB"]


def test_an_init_without_config_is_told_the_line_to_write() -> None:
    @model(name="bare")
    class Bare(VideoModel):
        def __init__(self) -> None: ...

        def start_session(self) -> None: ...

    with staged(Bare) as stage, pytest.raises(ModelLoadError, match=r"def __init__\(self, config\)"):
        stage.play().result(5)
