"""Bad input in a real notebook: the page says what is wrong, the kernel stays usable, the next run plays.

All cases share one notebook and one kernel: whatever one of them broke, the next one would show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.cells import COUNTER, LOAD
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab

pytestmark = pytest.mark.browser

HEAD = """
import numpy as np, time
from reactor_nb import VideoModel, model, command, get_ctx
from tests.support import barcode
def picture(number, height=360, width=640):
    frame = np.zeros((height, width, 3), np.uint8)
    barcode.paint(frame, number)
    return frame
"""


@dataclass(frozen=True)
class Case:
    """`loop` is the body of start_session, `init` of __init__; `says` must all be seen in the View or cell."""

    loop: str = "while not get_ctx().should_stop(): get_ctx().emit_block(picture(self.n)); self.n += 1"
    init: str = "pass"
    run: str = "%reactor run bad"
    says: tuple[str, ...] = ()
    plays: bool = False


STEPS = "while not get_ctx().should_stop():\n            self.n += 1\n            "

IN_THE_VIEW = {
    "init_that_raises": Case(init="raise RuntimeError('no such checkpoint')", says=("no such checkpoint", "__init__")),
    "init_out_of_memory": Case(init="raise MemoryError('80 GiB')", says=("MemoryError", "80 GiB")),
    "init_that_exits": Case(init="raise SystemExit(3)", says=("SystemExit",)),
    "start_session_that_raises_on_frame_1": Case(
        loop="raise ValueError('frame one')", says=("frame one", "start_session")
    ),
    "start_session_that_raises_on_frame_50": Case(
        loop=STEPS
        + "get_ctx().emit_block(picture(self.n))\n            if self.n == 50: raise ValueError('frame fifty')",
        says=("frame fifty",),
    ),
    "start_session_that_returns_at_once": Case(loop="return", says=("ended",)),
    "frames_of_the_wrong_shape": Case(
        loop="get_ctx().emit_block(np.zeros((8, 64, 64)))", says=("(8, 64, 64)", "(H, W, 3)")
    ),
    "frames_of_the_wrong_dtype": Case(
        loop="get_ctx().emit_block(np.zeros((64, 64, 3), np.int64))", says=("int64", "uint8")
    ),
    "frames_out_of_range": Case(
        loop=STEPS + "get_ctx().emit_block(picture(self.n) / 100.0)", says=("clipped",), plays=True
    ),
    "nan_frames": Case(
        loop=STEPS + "f = picture(self.n) / 255.0; f[-20:, -20:] = np.nan; get_ctx().emit_block(f)",
        says=("NaN",),
        plays=True,
    ),
    "frames_of_changing_size": Case(
        loop=STEPS + "get_ctx().emit_block(picture(self.n, *((360, 640), (240, 320), (301, 403))[self.n // 20 % 3]))",
        plays=True,
    ),
    "an_empty_block": Case(
        loop=STEPS
        + "get_ctx().emit_block(np.zeros((0, 360, 640, 3), np.uint8)); get_ctx().emit_block(picture(self.n))",
        says=("no frames",),
        plays=True,
    ),
    "an_override_of_an_unknown_key": Case(
        run="%reactor run bad -c bad.yaml --model.widht=3", says=("widht", "width"), plays=True
    ),
}


@pytest.fixture(scope="module")
def worn(lab_server: JupyterLab, chromium: Browser) -> Iterator[Lab]:
    """One notebook for all cases."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1500})
    lab = Lab(lab_server, context)
    lab.open([LOAD, HEAD])
    lab.run_all()
    lab.execute("open('bad.yaml', 'w').write('width: 640\\n')")
    lab.execute("open('broken.yaml', 'w').write('width: [640\\nheight: }\\n')")
    yield lab
    lab.close()
    context.close()


@pytest.mark.parametrize("name", IN_THE_VIEW)
def test_a_model_that_misbehaves_is_told_beside_the_picture(worn: Lab, name: str) -> None:
    case = IN_THE_VIEW[name]
    worn.clear_all_outputs()
    source = f"""
@model(name="bad")
class Bad(VideoModel):
    def __init__(self, config):
        self.n = 0
        {case.init}
    def start_session(self):
        {case.loop}
"""
    worn.run_new(source)
    cell = worn.run_new(case.run)
    if case.plays:
        worn.wait_for_motion()
    for part in case.says:
        expect(worn.output_area(cell)).to_contain_text(part)
    worn.screenshot(f"bad-{name}")
    _next_run_plays(worn)


def test_a_loop_that_never_asks_should_stop_is_ended_all_the_same(worn: Lab) -> None:
    worn.clear_all_outputs()
    worn.run_new("""
@model(name="endless")
class Endless(VideoModel):
    def start_session(self):
        n = 0
        while True:
            get_ctx().emit_block(picture(n)); n += 1
""")
    worn.run_new("%reactor run endless")
    worn.wait_for_motion()
    cell = worn.run_new("%reactor stop endless")
    assert "stopped" in worn.text(cell)
    _next_run_plays(worn)


def test_a_loop_that_neither_emits_nor_asks_is_abandoned_with_its_stack(worn: Lab) -> None:
    worn.clear_all_outputs()
    worn.run_new("""
STUCK = __import__("threading").Event()
@model(name="stuck")
class Stuck(VideoModel):
    def start_session(self):
        get_ctx().emit_block(picture(1))
        STUCK.wait(60)
""")
    worn.run_new("%reactor run stuck")
    worn.wait_for_frame(1)
    cell = worn.run_new("%reactor stop stuck")
    assert "STUCK.wait" in worn.text(cell) or "STUCK.wait" in str(worn.outputs(cell))
    _next_run_plays(worn)
    worn.execute("STUCK.set()")


LINES = {
    "no_such_model": ("%reactor run nothing", "nothing"),
    "a_name_that_is_no_model": ("picture_of = 3\n%reactor run picture_of", "picture_of"),
    "several_models": ("%reactor run", "%reactor run"),
    "an_unknown_verb": ("%reactor strat", "start|stop|run|status"),
    "an_unknown_option": ("%reactor run counter --modle.fps=3", "--model"),
    "yaml_that_does_not_parse": ("%reactor run counter -c broken.yaml", "broken.yaml"),
    "a_missing_file": ("%reactor run counter -c nowhere.yaml", "nowhere.yaml"),
    "a_rate_out_of_range": ("%reactor run counter --model.fps=1000", "240"),
    "an_unknown_command": ("%reactor send --on counter nope", "nope"),
    "a_missing_parameter": ("%reactor send --on counter paint", "colour"),
    "an_extra_parameter": ("%reactor send --on counter set_level level=0.5 colour=red", "colour"),
    "a_parameter_out_of_range": ("%reactor send --on counter set_level level=7", "level"),
    "a_command_that_raises": ("%reactor send --on counter fail now", "the author said now"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_bad_line_is_answered_in_the_cell_with_what_to_type(worn: Lab, name: str) -> None:
    _next_run_plays(worn)
    line, says = LINES[name]
    cell = worn.run_new(line)
    output = worn.outputs(cell)
    text = "\n".join("\n".join(o["traceback"]) for o in output if o["output_type"] == "error")
    assert re.search(says, text), output
    assert len(text.splitlines()) < 25, "the sentence, not our internals"
    worn.wait_for_motion()


def test_a_value_that_the_command_refuses_is_told_at_its_control(worn: Lab) -> None:
    _next_run_plays(worn)
    worn.page.locator(".reactor-controls .widget-toggle-button", has_text="later").first.click()
    expect(worn.page.locator(".reactor-controls .reactor-error-note")).to_contain_text("the author said later")
    worn.screenshot("bad-command-at-control")


def test_a_command_that_takes_long_freezes_no_other_control(worn: Lab) -> None:
    _next_run_plays(worn)
    worn.run_new("session = %reactor session counter\nslow = session.submit('slow', {'seconds': 3})")
    before = worn.wait_for_frame()
    worn.page.locator(".reactor-controls .widget-toggle-button", has_text="blue").first.click()
    worn.wait_for_frame(before + 30)
    assert worn.evaluate("slow.result(10)") is None


def test_a_call_after_the_end_is_refused_at_its_control(worn: Lab) -> None:
    _next_run_plays(worn)
    worn.run_new("%reactor stop counter")
    worn.page.locator(".reactor-controls .widget-toggle-button", has_text="green").first.click()
    expect(worn.page.locator(".reactor-controls .reactor-error-note")).to_contain_text("%reactor run")


def _next_run_plays(worn: Lab) -> None:
    worn.clear_all_outputs()
    worn.execute("Bad = None")
    worn.run_new(COUNTER)
    worn.run_new("%reactor run counter")
    worn.wait_for_motion()
