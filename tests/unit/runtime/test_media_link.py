"""Where the media runs is chosen by the machine and the environment, and told."""

from __future__ import annotations

import os
import sys

import pytest

from reactor_nb.errors import ConfigError
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.media_link import media_link
from reactor_nb.transport.process.link import ProcessLink
from reactor_nb.transport.process.spawn import MediaProcess
from tests.support.eventually import eventually


def test_by_default_it_runs_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REACTOR_NB_MEDIA", raising=False)
    link = media_link()
    try:
        pid = eventually(lambda: link.where()["pid"], timeout_s=5)
        assert link.where() == {"media": "process", "pid": pid, "why": "", "restarts": 0}
        assert pid != os.getpid()
    finally:
        link.close()


def test_the_author_may_ask_for_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REACTOR_NB_MEDIA", " Threads ")
    link = media_link()
    try:
        where = {"media": "threads", "pid": os.getpid(), "why": "REACTOR_NB_MEDIA=threads", "restarts": 0}
        assert link.where() == where
    finally:
        link.close()


def test_another_word_is_refused_when_a_model_runs_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REACTOR_NB_MEDIA", "thread")
    runtime = Runtime()
    runtime.prepare()
    with pytest.raises(ConfigError, match=r"REACTOR_NB_MEDIA is 'thread'.*%env REACTOR_NB_MEDIA=process"):
        runtime.link  # noqa: B018
    runtime.close()


@pytest.mark.parametrize("name", ["memfd_create", "posix_fallocate"])
def test_a_system_without_shared_memory_of_that_kind_gets_threads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REACTOR_NB_MEDIA", raising=False)
    monkeypatch.delattr(os, name)
    link = media_link()
    try:
        assert (link.where()["media"], link.where()["why"]) == ("threads", f"{sys.platform} has no {name}")
    finally:
        link.close()


@pytest.mark.parametrize("most", [0, 1, 2])
def test_a_machine_that_has_no_descriptor_left_gets_threads(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    create = os.memfd_create

    def refuse(name: str, flags: int) -> int:
        if len(made) >= most:
            raise OSError(24, "Too many open files")
        made.append(create(name, flags))
        return made[-1]

    monkeypatch.delenv("REACTOR_NB_MEDIA", raising=False)
    monkeypatch.setattr(os, "memfd_create", refuse)
    link = media_link()
    try:
        assert link.where()["media"] == ("threads" if most < 2 else "process")
        assert most == 2 or "Too many open files" in link.where()["why"]
    finally:
        link.close()


def test_a_python_that_cannot_be_started_leaves_the_media_to_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    link = ProcessLink(make=MediaProcess)
    try:
        eventually(lambda: link.where()["media"] == "threads")
        assert "could not be started" in link.where()["why"]
    finally:
        link.close()
