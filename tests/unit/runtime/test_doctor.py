from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reactor_nb import VideoModel, get_ctx, model
from reactor_nb.cli.console import in_shell
from reactor_nb.core.buffer import BufferCounts, FrameBuffer
from reactor_nb.core.frames import Block
from reactor_nb.errors import ConfigError
from reactor_nb.media.link import MediaLink, StreamSettings
from reactor_nb.runtime import doctor, doctor_sessions
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.doctor import MISSING, NOTE, OK, DoctorLine, examine
from reactor_nb.runtime.media_link import MEDIA, media_link
from reactor_nb.transport.process.spawn import missing
from reactor_nb.transport.thread_link import ThreadLink
from tests.unit.runtime.links import MemoryLink

FRAME = np.zeros((48, 64, 3), np.uint8)


@model(name="plasma")
class Plasma(VideoModel):
    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().emit_block(FRAME)


@pytest.fixture
def playing() -> Iterator[Runtime]:
    with closing(Runtime(threads)) as runtime:
        yield runtime


def threads() -> MediaLink:
    return ThreadLink(f"{MEDIA}=threads")


def lines_of(make_link: Callable[[], MediaLink] = threads) -> dict[str, DoctorLine]:
    """Part -> its line; "" is the last."""
    with closing(Runtime(make_link)) as runtime:
        return {line.part: line for line in examine(runtime)}


def test_a_sound_machine_lacks_nothing() -> None:
    lines = lines_of()
    assert list(lines)[:2] == ["python", "packages"]
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in lines["python"].text
    assert "aiortc" in lines["packages"].text
    assert lines["codecs"].verdict == OK
    assert lines["codecs"].text.startswith("H264, VP8")
    assert "avcodec" not in lines["codecs"].text
    assert lines[""].verdict == OK


def test_media_on_threads_is_a_note_with_the_reason_and_the_line_to_type() -> None:
    line = lines_of()["media"]
    assert line.verdict == NOTE
    assert "on threads of this process; a frame was played after" in line.text
    assert "REACTOR_NB_MEDIA=threads" in line.text
    assert "Type: %env REACTOR_NB_MEDIA=process" in line.text


@pytest.mark.skipif(bool(missing()), reason="this system has no media process")
def test_the_media_process_is_tried_with_a_frame() -> None:
    with closing(Runtime()) as runtime:
        line = next(line for line in examine(runtime) if line.part == "media")
    assert line.verdict == OK
    assert "in a process of its own, pid " in line.text
    assert str(os.getpid()) not in line.text


@pytest.mark.skipif(bool(missing()), reason="this system has no media process")
def test_media_that_crashed_too_often_are_told_with_the_way_back() -> None:
    class GivenUp(ThreadLink):
        def where(self) -> dict[str, Any]:
            return {**super().where(), "restarts": 2}

    line = lines_of(lambda: GivenUp("The media process 4711 ended by signal 9."))["media"]
    assert line.verdict == NOTE
    first, *rest = line.text.splitlines()
    assert first.startswith("on threads of this process; a frame was played after")
    assert rest == [
        "a cell that spins slows the picture. "
        "Why no process of its own: one was started again 2 times after a crash, and then given up.",
        "The media process 4711 ended by signal 9.",
        "Type: %reload_ext reactor_nb  and then run the cells again",
    ]


def test_a_reason_that_names_its_own_mend_gets_no_other() -> None:
    why = "reactor_nb 2.0 was installed while this kernel runs 1.0. Restart the kernel."
    assert lines_of(lambda: ThreadLink(why))["media"].text.endswith(why)


def test_a_package_that_is_missing_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known = metadata.version

    def version(name: str) -> str:
        if name in ("anywidget", "ipywidgets"):
            raise metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(metadata, "version", version)
    lines = lines_of()
    assert lines["packages"].verdict == MISSING
    assert "Type: pip install ipywidgets anywidget" in lines["packages"].text
    assert lines[""].verdict == MISSING


@pytest.mark.parametrize(("version", "verdict"), [("6.31.0", NOTE), ("7.0.1", MISSING), ("7.4.0", None)])
def test_a_kernel_that_holds_widgets_up_is_told(
    version: str, verdict: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: version if name == "ipykernel" else known(name))
    line = lines_of().get("ipykernel")
    assert (line.verdict if line is not None else None) == verdict
    assert line is None or "Type: pip install --upgrade ipykernel" in line.text


def test_a_card_is_named_when_torch_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = SimpleNamespace(is_available=lambda: True, get_device_name=lambda: "a fine card")
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert "a fine card" in lines_of()["torch"].text


def test_a_machine_that_shares_no_memory_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, offset: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    line = lines_of()["memory"]
    assert (line.verdict, "No space left on device" in line.text) == (NOTE, True)


def test_media_that_plays_nothing_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "MEDIA_TIMEOUT_S", 0.1)
    lines = lines_of(MemoryLink)
    assert lines["media"].verdict == MISSING
    assert "no frame was played" in lines["media"].text
    assert "Type: %reload_ext reactor_nb  and then run the cells again" in lines["media"].text
    assert in_shell(lines["media"].text).endswith("\nType: reactor doctor")
    assert "kernel" not in in_shell(lines["media"].text)
    assert "codecs" not in lines, "nobody knows, and no package need be installed again"
    assert lines[""].verdict == MISSING


def test_media_without_a_codec_are_missing_one() -> None:
    class Codeless(MemoryLink):
        def stats(self, name: str) -> dict[str, Any]:
            return {"frames": {"shown": 1}, "codecs": [], "errors": {"H264": "no libx264"}}

    line = lines_of(Codeless)["codecs"]
    assert line == DoctorLine("codecs", MISSING, "none\nnot H264: no libx264\nType: pip install --force-reinstall av")


def test_media_that_cannot_be_made_are_told_with_their_error() -> None:
    def refuse() -> MediaLink:
        raise ConfigError("REACTOR_NB_MEDIA is 'trheads'; it is process or threads.")

    line = lines_of(refuse)["media"]
    assert (line.verdict, line.text) == (MISSING, "REACTOR_NB_MEDIA is 'trheads'; it is process or threads.")


def test_settings_are_shown_and_credentials_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REACTOR_NB_ICE_SERVERS", '[{"urls": "turn:x", "username": "u", "credential": "secret"}]')
    monkeypatch.setenv("REACTOR_NB_MAX_BITRATE", "8")
    monkeypatch.setenv("REACTOR_NB_CARRIER", "comm")
    with closing(Runtime(threads)) as runtime:
        text = "\n".join(map(str, examine(runtime)))
    assert "REACTOR_NB_MAX_BITRATE=8" in text
    assert "REACTOR_NB_CARRIER=comm" in text
    assert "turn:x:3478 over udp, from REACTOR_NB_ICE_SERVERS" in text
    assert "secret" not in text


def test_ice_servers_that_cannot_be_used_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REACTOR_NB_ICE_SERVERS", '[{"urls": "turn:x", "credential": "secret"}]')
    line = lines_of()["ice"]
    assert line.verdict == MISSING
    assert "turn:x needs `username`" in line.text
    assert "secret" not in line.text


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("REACTOR_NB_MAX_BITRATE", "foo", "REACTOR_NB_MAX_BITRATE is 'foo'; it is the most that is sent, in Mbit/s"),
        ("REACTOR_NB_NVENC", "maybe", "REACTOR_NB_NVENC is 'maybe'; it is on or off. Type: %env"),
        ("REACTOR_NB_MEDIA", "trheads", "REACTOR_NB_MEDIA is 'trheads'; it is process or threads. Type: %env"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_once_with_what_a_run_would_say(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    make_link = media_link if name == MEDIA else threads
    with closing(Runtime(make_link)) as runtime:
        lines = [line for line in examine(runtime) if line.verdict == MISSING]
    assert [line.part for line in lines] == ["setting", ""]
    assert lines[0].text.startswith(told)


def test_what_plays_is_told_and_goes_on_playing(playing: Runtime) -> None:
    session = playing.run(Plasma)
    assert session.wait(5, frames=3)
    line = next(line for line in examine(playing) if line.part == "plasma")
    assert line.verdict == NOTE
    assert "streaming" in line.text
    assert "no page watches. Show it: %reactor session plasma" in line.text
    assert session.wait(5, frames=session.stats()["produced"] + 3)
    assert playing.sessions() == {"plasma": session}


class Lost(FrameBuffer):
    """Plays `plays` frames and then none; the others are dropped for a reason, or are in no count."""

    def __init__(self, plays: int, why: str) -> None:
        super().__init__(30.0)
        self._plays, self._why, self._made = plays, why, 0

    def put(self, block: Block) -> None:
        self._made += len(block)
        time.sleep(0.02)

    def counts(self) -> BufferCounts:
        played = min(self._plays, self._made)
        return BufferCounts(self._made, played, self._made - played if self._why else 0)

    def drops(self) -> dict[str, int]:
        return {self._why: self.counts().dropped}


class LostLink(MemoryLink):
    def __init__(self, plays: int = 2, why: str = "") -> None:
        super().__init__()
        self._lost = plays, why

    def open_stream(self, name: str, settings: StreamSettings) -> FrameBuffer:
        return super().open_stream(name, settings) if name == doctor.TRIAL else Lost(*self._lost)

    def stats(self, name: str) -> dict[str, Any]:
        return {"views": 1, "frames": {"shown": 1}}


@pytest.mark.parametrize(
    ("why", "told"), [("", r"\d+ are in no count"), ("no shared memory", r"\d+ dropped: no shared memory")]
)
def test_frames_that_are_made_and_not_played_are_missing(why: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_sessions, "PATIENCE_S", 0.3)
    with closing(Runtime(lambda: LostLink(why=why))) as runtime:
        assert runtime.run(Plasma).wait(5, frames=20)
        line = next(line for line in examine(runtime) if line.part == "plasma")
    assert line.verdict == MISSING
    assert "streaming, and nothing is played: " in line.text
    assert re.search(told, line.text)
    assert line.text.endswith("\nType: %reload_ext reactor_nb  and then run the cells again")


def test_frames_that_are_in_no_count_are_told_when_the_model_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    @model(name="plasma")
    class Pausing(VideoModel):
        def start_session(self) -> None:
            for _ in range(20):
                get_ctx().emit_block(FRAME)
            while not get_ctx().should_stop():
                time.sleep(0.01)

    monkeypatch.setattr(doctor_sessions, "PATIENCE_S", 0.3)
    with closing(Runtime(LostLink)) as runtime:
        assert runtime.run(Pausing).wait(5, frames=20)
        line = next(line for line in examine(runtime) if line.part == "plasma")
    assert line.verdict == NOTE
    assert line.text.endswith("; 18 frames are in no count. Begin anew: %reactor run plasma")


def test_a_block_that_waits_for_its_time_is_no_trouble(playing: Runtime) -> None:
    @model(name="plasma")
    class Blocks(VideoModel):
        def start_session(self) -> None:
            while not get_ctx().should_stop():
                get_ctx().emit_block(np.stack([FRAME] * 24))

    assert playing.run(Blocks).wait(5, frames=48)
    line = next(line for line in examine(playing) if line.part == "plasma")
    assert line.verdict == NOTE
    assert "no page watches" in line.text


def test_a_page_that_is_connected_and_out_of_sight_is_not_called_none() -> None:
    class HiddenLink(MemoryLink):
        """Its one page is scrolled away."""

        def stats(self, name: str) -> dict[str, Any]:
            return {"views": 0, "frames": {"shown": 1}, "peers": {"a": {"is_open": True, "is_watching": False}}}

    with closing(Runtime(HiddenLink)) as runtime:
        assert runtime.run(Plasma).wait(5, frames=3)
        lines = list(examine(runtime))
    line = next(line for line in lines if line.part == "plasma")
    assert line.verdict == OK
    assert "no page watches" not in line.text
    assert line.text.endswith("; its page is connected, and scrolled away or hidden: nothing is encoded")
    assert [line.part for line in lines].count("  page") == 1


def test_a_session_that_has_ended_is_no_trouble(playing: Runtime) -> None:
    session = playing.run(Plasma)
    assert session.wait(5, frames=3)
    session.stop()
    assert DoctorLine("plasma", OK, "ended") in examine(playing)


def test_a_line_reads_as_a_table() -> None:
    assert str(DoctorLine("media", NOTE, "one\ntwo")).splitlines() == [
        "note     media       one",
        "                     two",
    ]
