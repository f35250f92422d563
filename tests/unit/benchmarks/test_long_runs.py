"""What a model loses to streaming, and the slopes of memory."""

from __future__ import annotations

import pytest

from tests.benchmarks import slowdown, soak
from tests.benchmarks.slopes import slope
from tests.benchmarks.slowdown import Block


def test_a_block_is_compared_with_the_silent_ones_beside_it() -> None:
    """So a machine that becomes slower all the time takes nothing from the model."""
    alone = [50.0 - index for index in range(7)]
    blocks: list[Block] = []
    for index in range(6):
        blocks.append(Block(0, alone[index]))
        blocks.append(Block(30, 0.98 * (alone[index] + alone[index + 1]) / 2, 29.9))
    blocks.append(Block(0, alone[6]))
    (loss,) = slowdown.losses(blocks, has_page=True)
    assert (loss.median, loss.low, loss.high) == pytest.approx((2.0, 2.0, 2.0))
    assert loss.emitted_fps == 29.9
    assert loss.has_page


def test_each_rate_has_its_own_loss_and_verdict() -> None:
    blocks = [Block(0, 50.0), Block(30, 49.5, 30.0), Block(50, 45.0, 45.0), Block(0, 50.0)]
    found = slowdown.losses(blocks, has_page=False)
    assert {loss.emit_fps: loss.median for loss in found} == pytest.approx({30: 1.0, 50: 10.0})
    text = slowdown.table(found)
    assert "1.0 % ✓" in text
    assert "10.0 % ✗" in text
    assert "no page" in text


def test_a_steady_growth_is_told_per_hour() -> None:
    at_s = [10.0 * index for index in range(181)]
    found = slope("kernel, MB", at_s, [100 + 12 * each / 3600 for each in at_s])
    assert found.per_hour == pytest.approx(12.0)
    assert "✗" in soak.table([found], minutes=30)


def test_what_grows_while_caches_fill_is_no_slope() -> None:
    at_s = [10.0 * index for index in range(181)]
    found = slope("kernel, MB", at_s, [min(100 + each, 300) for each in at_s])
    assert found.per_hour == pytest.approx(0.0, abs=1e-6)
    assert (found.began, found.ended) == (300, 300)
    assert "✓" in soak.table([found], minutes=30)
