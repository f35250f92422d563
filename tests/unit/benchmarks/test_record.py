"""What a model notes of its frames, and the model's schedule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import model_loop
from tests.benchmarks.model_loop import Frame, Job, Player, slow_period_s
from tests.benchmarks.record import FrameRecord
from tests.support import barcode


def test_what_one_writes_another_reads(tmp_path: Path) -> None:
    path = tmp_path / "frames.bin"
    reader, writer = FrameRecord(path, is_new=True), FrameRecord(path)
    for number in range(10):
        writer.emit(number, 100.0 + number, 0.25)
        writer.held(number, 1.5)
    emitted = reader.between(102.0, 104.0)
    assert emitted.number.tolist() == [2, 3, 4]
    assert emitted.at_ms() == {2: 102_000.0, 3: 103_000.0, 4: 104_000.0}
    assert emitted.held_ms.tolist() == [1.5] * 3
    assert emitted.cpu_s.tolist() == [0.25] * 3


def test_a_frame_that_was_not_emitted_is_in_no_window(tmp_path: Path) -> None:
    record = FrameRecord(tmp_path / "frames.bin", is_new=True)
    assert record.between(0.0, 1e12).number.size == 0


def test_a_job_survives_its_text() -> None:
    job = Job(640, 480, "/tmp/a b.bin", rate_fps=60, burn_ms=25, has_patches=True)
    assert Job.from_text(job.as_text()) == job


@pytest.mark.parametrize("rate_fps", [30, 60])
def test_the_schedule_slips_by_one_frame_of_the_display_in_20_seconds(rate_fps: int) -> None:
    slipped_s = 20 * rate_fps * (slow_period_s(rate_fps) - 1 / rate_fps)
    assert slipped_s == pytest.approx(1 / 60)


class ManualTime:
    """Stands for the time module: sleeping is what moves it on."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s

    def time(self) -> float:
        return self.now_s

    perf_counter = thread_time = time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualTime:
    clock = ManualTime()
    monkeypatch.setattr(model_loop, "time", clock)
    return clock


def player_of(tmp_path: Path, rate_fps: float) -> tuple[Player, FrameRecord]:
    record = FrameRecord(tmp_path / "frames.bin", is_new=True)
    return Player(Job(96, 96, str(record.path), rate_fps=rate_fps)), record


def test_the_model_keeps_its_schedule_whatever_an_emission_takes(tmp_path: Path, clock: ManualTime) -> None:
    player, record = player_of(tmp_path, 30)
    shown: list[int | None] = []

    def emit(frame: Frame) -> None:
        shown.append(barcode.read(frame))
        clock.sleep(0.005 if len(shown) % 2 else 0.0)

    player.play(emit, lambda: len(shown) >= 60)
    emitted = record.between(0, clock.now_s)
    assert shown == emitted.number.tolist() == list(range(60))
    assert np.diff(emitted.at_s) == pytest.approx(np.full(59, slow_period_s(30)))
    assert emitted.held_ms == pytest.approx(np.array([5.0, 0.0] * 30))


def test_a_late_model_does_not_make_up_for_it_by_a_burst(tmp_path: Path, clock: ManualTime) -> None:
    player, record = player_of(tmp_path, 30)
    shown: list[int] = []

    def emit(_: Frame) -> None:
        shown.append(len(shown))
        clock.sleep(0.5 if len(shown) == 5 else 0.0)

    player.play(emit, lambda: len(shown) >= 20)
    gaps_s = np.diff(record.between(0, clock.now_s).at_s)
    assert gaps_s[4] == pytest.approx(0.5)
    # What the peer has held is not made up for: after it the schedule is a new one.
    assert gaps_s[5] == pytest.approx(slow_period_s(30) / 2, abs=1e-6)
    assert gaps_s[6:] == pytest.approx(np.full(13, slow_period_s(30)))
