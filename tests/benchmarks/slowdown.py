"""What a CPU-bound torch model on one thread loses of its own frame rate to streaming 720p.

    python -m tests.benchmarks.slowdown [--blocks 10] [--seconds 10] [--quick] [--device cpu] [--doc FILE | --no-doc]

In turns: a block without emission, one with 30 frames a second emitted, one with every frame; then again. Each block
is compared with the mean of the two silent ones beside it, for the machine drifts. With a page that shows the picture,
and with none. The cap is 60 fps, so that the pace itself holds nobody: what is lost is lost to the work of streaming.
"""

from __future__ import annotations

import argparse
import importlib.util
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import machine, report
from tests.benchmarks.goals import Goal
from tests.benchmarks.notebooks import notebooks, tabs
from tests.benchmarks.record import FrameRecord
from tests.benchmarks.results import HD
from tests.benchmarks.table import markdown
from tests.benchmarks.timing import median_interval
from tests.support.lab import Lab

RATES_FPS = (30, 50)
GOALS = {30: Goal(2.0, digits=1), 50: Goal(8.0, digits=1)}
_SETTLE_S = 0.5


@dataclass(frozen=True)
class Block:
    """`emit_fps` 0: nothing was emitted. `steps_fps`: how fast the model was. `emitted_fps`: how much it showed."""

    emit_fps: int
    steps_fps: float
    emitted_fps: float = 0.0


@dataclass(frozen=True)
class Loss:
    """In % of the model's own rate; low and high are the 95 % interval of the median."""

    has_page: bool
    emit_fps: int
    median: float
    low: float
    high: float
    own_fps: float
    emitted_fps: float


def losses(blocks: Sequence[Block], has_page: bool) -> list[Loss]:
    """From blocks in the order in which they ran; the first and the last are silent."""
    found = []
    for rate in sorted({block.emit_fps for block in blocks if block.emit_fps}):
        shares, own, emitted = [], [], []
        for index, block in enumerate(blocks):
            if block.emit_fps != rate:
                continue
            before = next(each for each in reversed(blocks[:index]) if not each.emit_fps)
            after = next(each for each in blocks[index:] if not each.emit_fps)
            alone_fps = (before.steps_fps + after.steps_fps) / 2
            shares.append(100 * (1 - block.steps_fps / alone_fps))
            own.append(alone_fps)
            emitted.append(block.emitted_fps)
        middle, low, high = median_interval(shares)
        found.append(Loss(has_page, rate, middle, low, high, median_interval(own)[0], median_interval(emitted)[0]))
    return found


def table(found: Sequence[Loss]) -> str:
    body = []
    for loss in found:
        goal = GOALS[loss.emit_fps]
        verdict = "✓" if goal.is_met(loss.median) else "✗"
        body.append(
            [
                f"{loss.emit_fps} fps emitted, {'a page looks on' if loss.has_page else 'no page'}",
                f"{goal.text(goal.limit)} %",
                f"{loss.median:.1f} % {verdict}",
                f"{loss.low:.1f} to {loss.high:.1f} %",
                f"{loss.own_fps:.1f}",
                f"{loss.emitted_fps:.1f}",
            ]
        )
    return markdown(["", "goal", "lost, median", "95 % interval", "own fps", "emitted fps"], body)


def measure(lab: Lab, arguments: argparse.Namespace, folder: Path) -> list[Loss]:
    record = FrameRecord(folder / "steps.bin", is_new=True)
    given = f"{str(record.path)!r}, {HD[0]}, {HD[1]}, {arguments.device!r}"
    lab.open(
        [
            f"%load_ext reactor_nb\nfrom tests.benchmarks import torch_model\ntorch_model.prepare({given})",
            "from tests.benchmarks.torch_model import TorchBench\nsession = %reactor run torch-bench --model.fps=60",
            "session",
        ]
    )
    for index in (0, 1):
        lab.run(index)
        if any(output["output_type"] == "error" for output in lab.outputs(index)):
            raise RuntimeError(lab.text(index))
    found = losses(_turns(lab, record, arguments), has_page=False)
    lab.run(2)
    lab.execute(f"torch_model.emit_at({RATES_FPS[0]})")
    lab.wait_for_motion()
    return [*found, *losses(_turns(lab, record, arguments), has_page=True)]


def _turns(lab: Lab, record: FrameRecord, arguments: argparse.Namespace) -> list[Block]:
    order = [rate for _ in range(arguments.blocks) for rate in (0, *RATES_FPS)] + [0]
    blocks = []
    for rate in order:
        lab.execute(f"torch_model.emit_at({rate})")
        lab.page.wait_for_timeout(_SETTLE_S * 1000)
        began_s = time.time()
        lab.page.wait_for_timeout(arguments.seconds * 1000)
        steps = record.between(began_s, time.time())
        span_s = float(steps.at_s[-1] - steps.at_s[0])
        blocks.append(Block(rate, (len(steps.at_s) - 1) / span_s, float((steps.held_ms > 0).sum()) / span_s))
        print(f"  {rate:2d} fps emitted: {blocks[-1].steps_fps:.2f} steps a second", flush=True)
    return blocks


def main() -> int:
    arguments = _arguments()
    if importlib.util.find_spec("torch") is None:
        print("The model is one of torch, which is not installed. Type: pip install 'reactor-nb[torch]'")
        return 1
    began_s, load = time.time(), machine.load()
    with tempfile.TemporaryDirectory(prefix="reactor-bench-") as folder, notebooks() as (server, browser):
        described = machine.describe(browser.version)
        with tabs(browser) as context:
            lab = Lab(server, context)
            try:
                found = measure(lab, arguments, Path(folder))
            finally:
                lab.close()
    command = shlex.join(["python", "-m", "tests.benchmarks.slowdown", *sys.argv[1:]])
    head = f"{described} {time.time() - began_s:.0f} s, load before it {load:.1f}. `{command}`"
    print(f"\n{head}\n\n{table(found)}")
    if arguments.doc:
        blocks = f"{arguments.blocks} blocks of {arguments.seconds:g} s each, in turns with silent ones."
        report.write_section(arguments.doc, "slowdown", f"{head}\n\n{table(found)}\n\n{blocks}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.slowdown", description=__doc__)
    parser.add_argument("--blocks", type=int, default=10, help="of each kind")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each block")
    parser.add_argument("--quick", action="store_true", help="3 blocks of 2 s, writes no file")
    parser.add_argument("--device", default="cpu", help="where the model computes and its frames are")
    parser.add_argument("--doc", type=Path, default=report.DOCUMENT)
    parser.add_argument("--no-doc", dest="doc", action="store_const", const=None)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.blocks, arguments.seconds, arguments.doc = 3, 2.0, None
    return arguments


if __name__ == "__main__":
    sys.exit(main())
