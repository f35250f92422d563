"""A CPU-bound torch model: what it loses of its own frame rate to being watched."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import torch

from reactor_nb import VideoModel, get_ctx, model
from tests.benchmarks.picture import MovingPicture
from tests.benchmarks.record import FrameRecord

STEP_S = 0.02
"""50 steps a second where nothing disturbs it."""

_SIDE = 384
_settings: dict[str, Any] = {"emit_fps": 0.0}


def prepare(record: str, width_px: int, height_px: int, device: str) -> None:
    """Everything that takes time, before the first step. One thread, as the measured models have it."""
    torch.set_num_threads(1)
    _settings.update(
        record=FrameRecord(Path(record)),
        picture=MovingPicture(width_px, height_px),
        device=device,
        repeats=_repeats(torch.randn(_SIDE, _SIDE, device=device)),
    )


def emit_at(rate_fps: float) -> None:
    """From now on so many steps a second emit a frame, all of them above the model's own rate, none at 0."""
    _settings["emit_fps"] = rate_fps


@model(name="torch-bench")
class TorchBench(VideoModel):
    def __init__(self, config: Any) -> None:
        pass

    def start_session(self) -> None:
        ctx = get_ctx()
        record, picture, repeats = (_settings[name] for name in ("record", "picture", "repeats"))
        matrix = torch.randn(_SIDE, _SIDE, device=_settings["device"])
        due_s = time.perf_counter()
        number = 0
        while not ctx.should_stop():
            _work(matrix, repeats)
            now_s = time.perf_counter()
            record.emit(number, time.time(), 0.0)
            # Made in silent steps as well: the picture is the model's.
            frame = torch.from_numpy(picture.frame(number)).to(_settings["device"])
            rate_fps = _settings["emit_fps"]
            if rate_fps and now_s >= due_s:
                due_s = max(due_s + 1 / rate_fps, now_s - 1 / rate_fps)
                ctx.emit_block(frame)
                record.held(number, (time.perf_counter() - now_s) * 1000)
            number += 1


def _work(matrix: torch.Tensor, repeats: int) -> None:
    product = matrix
    for _ in range(repeats):
        product = torch.tanh(product @ matrix)
    if product.is_cuda:
        torch.cuda.synchronize()


def _repeats(matrix: torch.Tensor) -> int:
    """How often the work is done to fill one step."""
    took_s = []
    for _ in range(9):
        before_s = time.perf_counter()
        _work(matrix, 4)
        took_s.append((time.perf_counter() - before_s) / 4)
    return max(1, round(STEP_S / statistics.median(took_s)))
