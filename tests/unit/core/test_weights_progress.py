"""The line that tells how far a fetch is."""

from __future__ import annotations

import io
import sys

import pytest

from reactor_nb.core.weights_progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What `time.monotonic` says; its only item may be changed."""
    now_s = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now_s[0])
    return now_s


def test_it_is_rewritten_in_place_and_tells_what_is_left(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress("vae", 4_000_000)
    clock[0] += 0.1
    progress.add(500_000)
    assert capsys.readouterr().err == ""
    clock[0] += 0.9
    progress.add(500_000)
    assert capsys.readouterr().err == "reactor: vae 25 % (1 MB of 4 MB, 1 MB/s, 3 s left)"
    clock[0] += 1
    progress.add(2_000_000)
    assert capsys.readouterr().err == "\rreactor: vae 75 % (3 MB of 4 MB, 1.5 MB/s, 1 s left)"
    progress.note("done")
    assert capsys.readouterr().err.rstrip(" \n") == "\rreactor: vae: done"


def test_a_resumed_fetch_tells_at_once_what_it_begins_with(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    Progress("vae", 4_000_000, 1_000_000)
    assert capsys.readouterr().err == "reactor: vae 25 % (1 MB of 4 MB, 0 kB/s)"


def test_without_a_total_it_tells_what_has_come(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("vae", None)
    clock[0] += 2
    progress.add(3_000_000)
    assert capsys.readouterr().err == "reactor: vae 3 MB, 1.5 MB/s"


def test_in_a_file_it_is_a_line_every_ten_seconds(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "__stderr__", stream)
    reports: list[None] = []
    progress = Progress("vae", 2_000_000, on_report=lambda: reports.append(None))
    for _ in range(20):
        clock[0] += 1
        progress.add(100_000)
    assert stream.getvalue().splitlines() == [
        "reactor: vae 50 % (1 MB of 2 MB, 100 kB/s, 10 s left)",
        "reactor: vae 100 % (2 MB of 2 MB, 100 kB/s, 0 s left)",
    ]
    assert len(reports) == 20


def test_a_program_without_a_console_has_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "__stderr__", None)
    Progress("vae", None).note("done")
