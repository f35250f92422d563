"""What the busy-cell tests share: a model with every kind of control, busy cells, and the times of moves."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator

from tests.support.eventually import eventually
from tests.support.lab import Lab

LOAD = "%load_ext reactor_nb"
RUN = "%reactor run"

MOVES = 30
PAUSE_MS = 60.0

KNOBS = '''
import time
from typing import Literal
import numpy as np
from pydantic import BaseModel, Field
from reactor_nb import VideoModel, model, command, get_ctx
from tests.support import barcode

APPLIED = globals().get("APPLIED", [])

class Point(BaseModel):
    x: float
    y: float

@model(name="knobs")
class Knobs(VideoModel):
    """A command for each kind of widget; writes down what was applied and when."""

    def __init__(self, config):
        self.number = 0

    def mark(self, name, value=None):
        APPLIED.append((time.time() * 1000, name, value))

    @command("turn", description="Turn")
    def turn(self, value: float = Field(0.0, ge=0.0, le=1.0)):
        self.mark("turn", round(value, 6))

    @command("count", description="Count")
    def count(self, value: int = Field(3, ge=0, le=10)):
        self.mark("count", value)

    @command("few", description="Few")
    def few(self, value: Literal["a", "b", "c"]):
        self.mark("few", value)

    @command("many", description="Many")
    def many(self, value: Literal["a", "b", "c", "d", "e"] = "a"):
        self.mark("many", value)

    @command("flag", description="Flag")
    def flag(self, value: bool = False):
        self.mark("flag", value)

    @command("whole", description="Whole")
    def whole(self, value: int):
        self.mark("whole", value)

    @command("say", description="Say")
    def say(self, value: str = ""):
        self.mark("say", value)

    @command("story", description="Story")
    def story(self, value: str = Field("", max_length=2000)):
        self.mark("story", value)

    @command("point", description="Point")
    def point(self, value: Point):
        self.mark("point", [value.x, value.y])

    @command("pair", description="Pair")
    def pair(self, name: str, size: int = Field(2, ge=1, le=9)):
        self.mark("pair", [name, size])

    @command("go", description="Go")
    def go(self):
        self.mark("go")

    @command("told", description="What was applied")
    def told(self):
        return list(APPLIED)

    def start_session(self):
        while not get_ctx().should_stop():
            frame = np.zeros((180, 320, 3), np.uint8)
            barcode.paint(frame, self.number)
            self.number += 1
            get_ctx().emit_block(frame)
'''

BUSY: dict[str, str] = {
    "sleep": "import time\ntime.sleep({seconds})\nprint('over')",
    "loop": "import time\nend = time.time() + {seconds}\nwhile time.time() < end: pass\nprint('over')",
}
"""What a cell does -> its source."""


@dataclass(frozen=True)
class Knob:
    """How a person moves one control. `act` makes the move and returns once the page has it; `value` is what the
    command then gets."""

    command: str
    act: Callable[[Lab, Locator], None]
    value: Any


def _press(key: str) -> Callable[[Lab, Locator], None]:
    def act(lab: Lab, row: Locator) -> None:
        row.locator(".noUi-handle").focus()
        lab.page.keyboard.press(key)

    return act


def _enter(text: str, key: str) -> Callable[[Lab, Locator], None]:
    def act(lab: Lab, row: Locator) -> None:
        box = row.locator("input, textarea").first
        box.fill(text)
        box.press(key)

    return act


def _choose(row: Locator, option: str) -> None:
    row.locator("select").select_option(option)


KNOBS_OF_EACH_KIND: tuple[Knob, ...] = (
    Knob("turn", _press("ArrowRight"), 0.01),
    Knob("count", _press("ArrowRight"), 4),
    Knob("few", lambda lab, row: row.locator(".widget-toggle-button", has_text="b").click(), "b"),
    Knob("many", lambda lab, row: _choose(row, "d"), "d"),
    Knob("flag", lambda lab, row: row.locator("input[type=checkbox]").click(), True),
    Knob("whole", _enter("12", "Enter"), 12),
    Knob("say", _enter("hello", "Enter"), "hello"),
    Knob("story", _enter("once", "Tab"), "once"),
    Knob("point", _enter('{"x": 1, "y": 2}', "Tab"), [1, 2]),
    Knob("go", lambda lab, row: row.get_by_role("button", name="go").click(), None),
)


def row_of(lab: Lab, command: str, view: int = 0) -> Locator:
    """What is drawn for a command under one View."""
    titles = ["turn", "count", "few", "many", "flag", "whole", "say", "story", "point", "pair", "go", "told"]
    rows = lab.page.locator(".reactor-controls").nth(view).locator(":scope > .reactor-control, :scope > .reactor-form")
    return rows.nth(titles.index(command))


_WITHOUT_SUBSHELLS = """() => {
  for (const { sessionContext } of window.jupyterapp.shell.widgets("main"))
    if (sessionContext?.session?.kernel) sessionContext.session.kernel.commsOverSubshells = "disabled";
}"""


def play(lab: Lab, run: str = RUN, *, has_subshells: bool = True) -> None:
    """Open and run the notebook; the cells that are added later begin at 3.

    Args:
        has_subshells: False asks JupyterLab to use none, as front ends that know none and its own setting do.
    """
    lab.open([LOAD, KNOBS, run])
    if not has_subshells:
        lab.page.evaluate(_WITHOUT_SUBSHELLS)
    lab.run_all()
    lab.wait_for_motion()


def keep_busy(lab: Lab, kind: str, seconds: float) -> int:
    """Run a cell that keeps the kernel's main thread for so long; returns its number once it runs."""
    cell = lab.run_new(BUSY[kind].format(seconds=seconds), wait=False)
    eventually(lambda: is_busy(lab), 5)
    return cell


def is_busy(lab: Lab) -> bool:
    """Whether a cell runs. The kernel's status does not tell: a subshell that has answered makes it idle."""
    return lab.page.locator(".jp-InputPrompt", has_text="[*]").count() > 0


def wait_over(lab: Lab, timeout_s: float = 40.0) -> None:
    eventually(lambda: not is_busy(lab), timeout_s, interval_s=0.05)
    lab.wait_idle()


def applied(lab: Lab) -> list[list[Any]]:
    """[wall clock in ms, command, value] of each call that the model got; waits for a running cell."""
    found: list[list[Any]] = lab.evaluate("APPLIED")
    return found


_WATCH = """() => {
  window.moves = [];
  const note = (event) => window.moves.push(performance.timeOrigin + event.timeStamp);
  window.watcher?.abort();
  window.watcher = new AbortController();
  document.addEventListener("keydown", (event) => event.key.startsWith("Arrow") && note(event),
    { capture: true, signal: window.watcher.signal });
}"""


def turn_slider(lab: Lab, moves: int, pause_ms: float, view: int = 0, key: str = "ArrowRight") -> list[float]:
    """Move the slider `turn` one step at a time by its keys; the wall clock in ms at which each key went down."""
    lab.page.evaluate(_WATCH)
    handle = row_of(lab, "turn", view).locator(".noUi-handle")
    for _ in range(moves):
        handle.press(key)  # which focuses it: JupyterLab moves the focus after a cell was run, later than one may think
        lab.page.wait_for_timeout(pause_ms)
    times: list[float] = lab.page.evaluate("window.moves")
    return times


def turn_until_prompt(lab: Lab, p95_ms: float) -> list[list[float]]:
    """Rounds of moves of the slider, each as delays in ms from the key to the call in the model.

    At most five, and none after one with a p95 below `p95_ms`: what else runs on a machine of two cores may hold up
    one round. A road that waits for the cell holds up all of them, for as long as the cell runs.
    """
    rounds: list[list[float]] = []
    seen = 0
    for number in range(5):
        is_up = number % 2 == 0
        pressed_ms = turn_slider(lab, MOVES, PAUSE_MS, key="ArrowRight" if is_up else "ArrowLeft")
        steps = [step if is_up else MOVES - step for step in range(1, MOVES + 1)]
        calls = wait_applied(lab, round(0.01 * steps[-1], 6))[seen:]
        seen += len(calls)
        rounds.append(delays_ms(pressed_ms, [round(0.01 * step, 6) for step in steps], calls))
        if quantile(rounds[-1], 0.95) < p95_ms:
            break
    return rounds


def delays_ms(pressed_ms: Sequence[float], values: Sequence[float], calls: Sequence[Sequence[Any]]) -> list[float]:
    """From each move in the page until the model had its value or one that was set after it, each value once."""
    at = [values.index(call[2]) for call in calls]
    assert at == sorted(set(at)), f"applied twice or out of order: {[call[2] for call in calls]}"
    arrived_ms = [
        min(call[0] for call, index in zip(calls, at, strict=True) if index >= move) for move in range(len(values))
    ]
    return [call_ms - move_ms for move_ms, call_ms in zip(pressed_ms, arrived_ms, strict=True)]


def wait_applied(lab: Lab, value: Any) -> list[list[Any]]:
    """All calls that the model got, once the last has this value; asked by a call of the page: it passes the cell."""

    calls: list[list[Any]] = []

    def is_last() -> bool:
        calls[:] = lab.call("told")
        return bool(calls) and calls[-1][2] == value

    try:
        eventually(is_last, 20, interval_s=0.05)
    except AssertionError as late:
        raise AssertionError(f"the last calls are {calls[-3:]}, and not {value!r}; {lab.stats()}") from late
    return calls


def wait_for_last(lab: Lab, command: str, value: Any) -> None:
    """Until the last call of a command had this value; waits for a running cell."""

    def is_last() -> bool:
        calls = [call for call in applied(lab) if call[1] == command]
        return bool(calls) and calls[-1][2] == value

    eventually(is_last, 20, interval_s=0.1)


def wait_for_carrier(lab: Lab, name: str) -> None:
    """Until the View is on the rung whose name has this word."""
    eventually(lambda: name in str(lab.stats()["carrier"]), 20, interval_s=0.05)


def quantile(values: Sequence[float], part: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(part * 100) - 1]
