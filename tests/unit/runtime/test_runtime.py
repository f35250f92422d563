"""The live models of a process: which instance is kept, which is freed, and in what order."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reactor_nb import VideoModel, command, get_ctx, model
from reactor_nb.core.session import Session
from reactor_nb.errors import (
    ClosedError,
    ConfigError,
    ModelDefinitionError,
    ModelLoadError,
    ModelNotFoundError,
    ModelStuckError,
    SeveralModelsError,
)
from reactor_nb.media.link import MediaLink
from reactor_nb.runtime.base import Runtime, get_runtime
from reactor_nb.runtime.media_link import media_link, thread_link
from reactor_nb.runtime.settings import StreamChoice
from tests.support.eventually import eventually
from tests.unit.runtime.links import MemoryLink

_FRAME = np.zeros((4, 6, 3), np.uint8)
_made: list[str] = []


def _plasma() -> type[VideoModel]:
    """The same source each time, as a cell that is run again."""

    @model(name="plasma")
    class Plasma(VideoModel):
        def __init__(self, config: Any = None) -> None:
            _made.append("plasma")
            self.steps: int = config.get("steps", 1)

        @command("add")
        def add(self, number: int) -> int:
            return number + self.steps

        @command("odd")
        def odd(self) -> object:
            return object()

        def start_session(self) -> None:
            get_ctx().send({"hello": self.steps})
            while not get_ctx().should_stop():
                get_ctx().emit_block(_FRAME)

    return Plasma


def _other_plasma() -> type[VideoModel]:
    @model(name="plasma")
    class Plasma(VideoModel):
        def start_session(self) -> None:
            while not get_ctx().should_stop():
                get_ctx().emit_block(_FRAME)

    return Plasma


@model(name="waves")
class Waves(VideoModel):
    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(_FRAME)


@pytest.fixture(autouse=True)
def nothing_was_made() -> None:
    _made.clear()


@pytest.fixture
def link() -> MemoryLink:
    return MemoryLink()


@pytest.fixture
def runtime(link: MemoryLink) -> Iterator[Runtime]:
    runtime = Runtime(lambda: link, stop_timeout_s=2.0)
    yield runtime
    runtime.close()


def _playing(session: Session) -> Session:
    assert session.wait(5, frames=1), session.error
    return session


@pytest.mark.parametrize("make_link", [MemoryLink, thread_link, media_link])
def test_a_model_plays_stops_and_plays_again_over_any_link(make_link: Callable[[], MediaLink]) -> None:
    runtime = Runtime(make_link)
    try:
        first = _playing(runtime.run(_plasma()))
        assert runtime.stop() == ["plasma"]
        assert runtime.stop("plasma") == []
        assert first.state == "ended"
        second = _playing(runtime.run(_plasma()))
        assert second.send("add", 5.0, number=2) == 3
        assert second.stats()["views"] == 0
        assert _made == ["plasma"]
    finally:
        runtime.close()
        runtime.close()
    assert second.is_over


def test_running_again_stops_the_old_session_first_and_keeps_the_instance(runtime: Runtime) -> None:
    first = _playing(runtime.run(_plasma()))
    again = _plasma()
    second = _playing(runtime.run(again))
    assert first.state == "ended"
    assert _made == ["plasma"]
    assert type(second.loaded.instance) is again


def test_changed_source_frees_the_old_instance_before_the_new_one_loads(runtime: Runtime) -> None:
    first = _playing(runtime.run(_plasma()))
    old = weakref.ref(first.loaded.instance)
    was_free: list[bool] = []

    @model(name="plasma")
    class Plasma(VideoModel):
        def __init__(self, config: Any = None) -> None:
            gc.collect()
            was_free.append(old() is None)

        def start_session(self) -> None:
            get_ctx().emit_block(_FRAME)

    runtime.run(Plasma).result(5)
    assert was_free == [True]


def test_changed_configuration_loads_anew(runtime: Runtime) -> None:
    _playing(runtime.run(_plasma()))
    session = _playing(runtime.run(_plasma(), overrides={"steps": 10}))
    assert session.send("add", 5.0, number=1) == 11
    assert _made == ["plasma", "plasma"]
    assert session.config.values.steps == 10


def test_a_bad_configuration_leaves_the_old_session_playing(runtime: Runtime) -> None:
    session = _playing(runtime.run(_plasma()))
    with pytest.raises(ConfigError, match="fps"):
        runtime.run(_plasma(), overrides=["fps=0"])
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        runtime.run(_plasma(), "nowhere.yaml")
    assert session.state == "streaming"


def test_the_rate_and_the_bitrate_come_from_configuration_and_environment(
    runtime: Runtime, link: MemoryLink, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "fast.yaml"
    file.write_text("fps: 60\nsteps: 2\n")
    monkeypatch.setenv("REACTOR_NB_MAX_BITRATE", "2.5")
    session = runtime.run(_plasma(), str(file))
    assert session.max_fps == 60
    assert (link.settings["plasma"].rate_fps, link.settings["plasma"].max_bitrate_bps) == (60, 2_500_000)
    monkeypatch.setenv("REACTOR_NB_MAX_BITRATE", "lots")
    with pytest.raises(ConfigError, match="%env REACTOR_NB_MAX_BITRATE=16"):
        runtime.run(_plasma())


def test_what_is_said_of_the_stream_reaches_it_and_stays_for_the_start_button(
    runtime: Runtime, link: MemoryLink
) -> None:
    session = _playing(runtime.run(_plasma(), stream=StreamChoice("low", "800k", 0.9)))
    settings = link.settings["plasma"]
    assert (settings.quality, settings.max_bitrate_bps, settings.smoothness) == ("low", 800_000, 0.9)
    with pytest.raises(ConfigError, match="quality is 'best'"):
        runtime.run(_plasma(), stream=StreamChoice("best"))
    assert session.state == "streaming"
    link.settings.clear()
    runtime.again("plasma")
    assert link.settings["plasma"] == settings


def test_a_class_that_is_no_model_is_refused(runtime: Runtime) -> None:
    class Plain(VideoModel):
        def start_session(self) -> None: ...

    with pytest.raises(ModelDefinitionError, match=r'@model\(name="my-model"\) above class Plain'):
        runtime.run(Plain)
    with pytest.raises(TypeError, match="needs the class"):
        runtime.run(Waves())  # type: ignore[arg-type]


def test_after_a_failed_load_the_next_run_works(runtime: Runtime) -> None:
    @model(name="plasma")
    class Broken(VideoModel):
        def __init__(self, config: Any = None) -> None:
            raise MemoryError

        def start_session(self) -> None: ...

    with pytest.raises(ModelLoadError):
        runtime.run(Broken).result(5)
    _playing(runtime.run(_plasma()))


def test_several_models_play_side_by_side_and_must_be_named(runtime: Runtime) -> None:
    with pytest.raises(ModelNotFoundError, match="%reactor run"):
        runtime.session()
    plasma = _playing(runtime.run(_plasma()))
    assert runtime.session() is plasma
    waves = _playing(runtime.run(Waves))
    assert runtime.sessions() == {"plasma": plasma, "waves": waves}
    with pytest.raises(SeveralModelsError, match="plasma, waves"):
        runtime.session()
    assert runtime.session("waves") is waves
    with pytest.raises(ModelNotFoundError, match="Played here: plasma, waves"):
        runtime.session("clouds")
    with pytest.raises(ModelNotFoundError):
        runtime.stop("clouds")
    runtime.stop("plasma")
    assert runtime.session() is waves
    assert sorted(runtime.unload()) == ["plasma", "waves"]
    assert runtime.session() is waves
    assert waves.is_over


def test_unload_frees_the_instance_and_the_start_button_loads_it_again(runtime: Runtime) -> None:
    session = _playing(runtime.run(_plasma(), overrides={"steps": 4}))
    instance = weakref.ref(session.loaded.instance)
    assert runtime.unload("plasma") == ["plasma"]
    assert runtime.unload("plasma") == []
    assert instance() is None
    again = _playing(runtime.again("plasma"))
    assert again.send("add", 5.0, number=1) == 5
    with pytest.raises(ModelNotFoundError):
        runtime.again("clouds")


def test_who_shows_pages_is_told_when_they_should_connect_anew(link: MemoryLink, runtime: Runtime) -> None:
    told: list[str] = []
    runtime.on_reconnect(lambda: told.append("one"))
    unsubscribe = runtime.on_reconnect(lambda: told.append("other"))
    runtime.prepare()
    assert runtime.link is link
    (restarted,) = link.restart_listeners
    restarted()
    assert told == ["one", "other"]
    unsubscribe()
    restarted()
    assert told == ["one", "other", "one"]


def test_what_the_link_notes_stands_in_the_log_of_live_sessions(link: MemoryLink, runtime: Runtime) -> None:
    session = _playing(runtime.run(_plasma()))
    (note,) = link.note_listeners
    note("The media process ended by signal 9.")
    runtime.stop()
    note("The media process ended by signal 11.")
    assert "reactor: The media process ended by signal 9." in session.log.text()
    assert "signal 11" not in session.log.text()


def test_listeners_meet_each_session_before_it_starts(runtime: Runtime) -> None:
    met: list[tuple[str, int, str]] = []
    leave = runtime.on_session(lambda name, session: met.append((name, session.id, session.state)))
    first = runtime.run(_plasma())
    second = runtime.run(_plasma())
    leave()
    runtime.run(Waves)
    assert met == [("plasma", first.id, "loading"), ("plasma", second.id, "loading")]


def test_a_stuck_model_is_abandoned_and_the_next_run_says_what_it_holds(link: MemoryLink) -> None:
    go = threading.Event()

    @model(name="plasma")
    class Deaf(VideoModel):
        def __init__(self, config: Any = None) -> None:
            self.weights_array = np.zeros(250_000)

        def start_session(self) -> None:
            get_ctx().emit_block(_FRAME)
            go.wait(15)

    runtime = Runtime(lambda: link, stop_timeout_s=0.5)
    try:
        stuck = _playing(runtime.run(Deaf))
        session = _playing(runtime.run(_plasma()))
        assert isinstance(stuck.error, ModelStuckError)
        assert "still runs and holds 2 MB in arrays and tensors" in session.log.text()
        assert "restart the kernel" in session.log.text()
        with pytest.raises(ModelStuckError, match="not free yet"):
            runtime.unload("plasma")
        go.set()
        eventually(lambda: stuck.loaded.is_gone)
        assert runtime.unload("plasma") == []
        assert "abandoned" not in _playing(runtime.run(_plasma())).log.text()
    finally:
        go.set()
        runtime.close(5.0)


def test_a_call_of_a_page_is_answered_once(runtime: Runtime) -> None:
    _playing(runtime.run(_plasma()))
    replies: list[dict[str, Any]] = []

    def call(call_id: int, name: str, **params: Any) -> dict[str, Any]:
        message = {"type": "call", "id": str(call_id), "name": name, "params": params}
        runtime.handle_page_message("plasma", message, replies.append)
        return eventually(lambda: next((reply for reply in replies if reply["id"] == str(call_id)), None)) or {}

    assert call(1, "add", number=2) == {"type": "reply", "id": "1", "result": 3}
    assert call(2, "add", number="x")["error"]["code"] == "bad_parameters"
    assert "number" in call(3, "add")["error"]["fields"]
    assert call(4, "nope")["error"]["code"] == "unknown_command"
    assert call(5, "odd")["error"]["code"] == "bad_result"
    runtime.stop()
    assert call(6, "add", number=2)["error"]["code"] == "not_streaming"
    runtime.handle_page_message("plasma", {"type": "call", "id": "7"}, replies.append)
    runtime.handle_page_message("clouds", {"type": "call", "id": "8", "name": "x", "params": {}}, replies.append)
    assert [reply["error"]["code"] for reply in replies[-2:]] == ["bad_parameters", "model_not_found"]
    assert [reply["id"] for reply in replies] == [str(number) for number in range(1, 9)]


def test_pages_call_start_and_stop_over_the_link(runtime: Runtime, link: MemoryLink) -> None:
    first = _playing(runtime.run(_plasma()))
    listen = link.listeners["plasma"]
    listen("view", {"type": "call", "id": "1", "name": "add", "params": {"number": 1}})
    eventually(lambda: ("plasma", "view", {"type": "reply", "id": "1", "result": 2}) in link.sent)
    listen("view", {"type": "stop"})
    assert first.wait(5)
    listen("view", {"type": "start"})
    second = eventually(lambda: next((s for s in [runtime.session("plasma")] if s is not first), None))
    assert second is not None
    _playing(second)


def test_a_page_that_presses_start_many_times_starts_one_session(runtime: Runtime) -> None:
    runtime.run(_plasma())
    begin = threading.Event()
    started: list[int] = []

    def on_session(name: str, session: Session) -> None:
        started.append(session.id)
        assert begin.wait(5.0)

    runtime.on_session(on_session)
    for _ in range(50):
        runtime.handle_page_message("plasma", {"type": "start"}, lambda reply: None)
    assert sum(thread.name == "reactor-start-plasma" for thread in threading.enumerate()) == 1
    begin.set()
    eventually(lambda: all(thread.name != "reactor-start-plasma" for thread in threading.enumerate()))
    assert len(started) == 1


def test_messages_of_the_model_go_to_every_view(runtime: Runtime, link: MemoryLink) -> None:
    _playing(runtime.run(_plasma()))
    assert ("plasma", None, {"type": "message", "data": {"hello": 1}}) in link.sent


def test_a_closed_runtime_refuses_and_the_process_gets_a_new_one() -> None:
    runtime = get_runtime()
    assert get_runtime() is runtime
    runtime.close()
    with pytest.raises(ClosedError, match="reload_ext"):
        runtime.run(Waves)
    fresh = get_runtime()
    assert fresh is not runtime
    fresh.close()


def test_closing_ends_sessions_instances_and_the_link(link: MemoryLink) -> None:
    runtime = Runtime(lambda: link)
    session = _playing(runtime.run(_plasma()))
    runtime.close()
    runtime.close()
    assert session.state == "ended"
    assert session.loaded.is_gone
    assert link.is_closed


def test_a_session_tells_its_counts_when_its_runtime_is_closed(link: MemoryLink) -> None:
    runtime = Runtime(lambda: link)
    session = _playing(runtime.run(_plasma()))
    runtime.close()
    assert session.stats()["produced"] > 0
    assert session.timeline()
