"""What the page does for the stream, in a real JupyterLab: how it paints, what it tells, when it asks for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.browser.cells import COUNTER, LOAD, RUN
from tests.support.eventually import eventually
from tests.support.lab import Lab

pytestmark = pytest.mark.browser

# Emits a frame only when its number is set.
STEPS = """
import threading
import numpy as np
from reactor_nb import VideoModel, model, command, get_ctx
from tests.support import barcode

@model(name="steps")
class Steps(VideoModel):
    def __init__(self, config):
        self.number, self.is_set = 1, threading.Event()
        self.is_set.set()

    @command("show", description="Emit this number")
    def show(self, number: int):
        self.number = number
        self.is_set.set()

    def start_session(self):
        while not get_ctx().should_stop():
            if self.is_set.wait(0.02):
                self.is_set.clear()
                frame = np.random.default_rng(self.number).integers(0, 256, (240, 320, 3), np.uint8)
                barcode.paint(frame, self.number)
                get_ctx().emit_block(frame)
"""


def start(lab: Lab, cell: str, options: str = "") -> None:
    lab.open([f"{LOAD}\n{cell}", f"{RUN} {options}"])
    lab.run_all()
    lab.wait_for_frame(at_least=1)
    eventually(lambda: lab.stats()["carrier"] == "WebRTC", 10)
    lab.execute("from reactor_nb.runtime.base import get_runtime")


def media(lab: Lab, name: str) -> dict[str, Any]:
    """What the media side says of the stream."""
    stats: dict[str, Any] = lab.evaluate(f"get_runtime().session({name!r}).stats()['media']")
    return stats


def the_view(lab: Lab, name: str) -> dict[str, Any]:
    (view,) = media(lab, name)["peers"].values()
    return dict(view)


def scroll_away(lab: Lab) -> None:
    lab.viewer().evaluate("(root) => { root.style.marginTop = '4000px' }")


def scroll_back(lab: Lab) -> None:
    lab.viewer().evaluate("(root) => { root.style.marginTop = '' }")


def test_the_way_to_the_canvas_is_told_in_the_status_line_and_to_the_kernel(lab: Lab) -> None:
    start(lab, COUNTER)
    assert lab.stats()["painter"] == "track"
    assert lab.viewer().locator(".reactor-carrier").inner_text() == "WebRTC"
    eventually(lambda: the_view(lab, "counter")["page"].get("painter") == "track")


def test_the_kernel_knows_when_each_frame_was_received_decoded_and_drawn(lab: Lab) -> None:
    start(lab, COUNTER)
    lab.wait_for_motion(frames=60)

    def in_order(frame: dict[str, Any]) -> bool:
        times = [frame[name] for name in ("emitted_s", "received_s", "decoded_s", "painted_s")]
        return None not in times and times == sorted(times) and times[-1] - times[0] < 2

    def told() -> int:
        frames = lab.evaluate("get_runtime().session('counter').timeline()")
        return sum(in_order(frame) for frame in frames)

    eventually(lambda: told() > 30)


def test_a_view_scrolled_away_is_sent_nothing_and_moves_on_when_it_is_seen(lab: Lab) -> None:
    start(lab, COUNTER)
    scroll_away(lab)
    eventually(lambda: the_view(lab, "counter")["is_watching"] is False)
    assert media(lab, "counter")["encoders"] == {}
    before = lab.stats()
    emitted = lab.evaluate("get_runtime().session('counter').stats()['produced']")
    eventually(lambda: lab.evaluate("get_runtime().session('counter').stats()['produced']") > emitted + 30)
    after = lab.stats()
    # The last frames may still have been on their way.
    assert after["painted"] + after["skipped"] <= before["painted"] + before["skipped"] + 3
    scroll_back(lab)
    lab.wait_for_motion()


def test_a_resting_model_shows_its_newest_frame_as_soon_as_it_is_seen(lab: Lab) -> None:
    start(lab, STEPS)
    scroll_away(lab)
    eventually(lambda: the_view(lab, "steps")["is_watching"] is False)
    for number in range(2, 6):
        lab.evaluate(f"get_runtime().session('steps').send('show', number={number})")
    eventually(lambda: lab.evaluate("get_runtime().session('steps').stats()['produced']") >= 5)
    scroll_back(lab)
    assert lab.wait_for_frame(at_least=5) == 5
    lab.evaluate("get_runtime().session('steps').send('show', number=6)")
    assert lab.wait_for_frame(at_least=6) == 6


def test_an_exact_picture_that_changed_out_of_sight_is_exact_when_it_is_seen(lab: Lab) -> None:
    start(lab, STEPS, "--quality exact")
    scroll_away(lab)
    eventually(lambda: the_view(lab, "steps")["is_watching"] is False)
    lab.evaluate("get_runtime().session('steps').send('show', number=2)")
    eventually(lambda: lab.evaluate("get_runtime().session('steps').stats()['produced']") >= 2)
    scroll_back(lab)
    assert lab.wait_for_frame(at_least=2) == 2
    emitted = np.array(lab.evaluate("get_runtime().session('steps').frame()[::24, ::16].tolist()"))
    eventually(lambda: np.array_equal(lab.pixels()[::24, ::16, :3], emitted))


def test_a_view_that_is_told_to_connect_again_does_so_at_once(lab: Lab) -> None:
    start(lab, COUNTER)
    view_id = next(iter(media(lab, "counter")["peers"]))
    lab.viewer().evaluate(
        "(root) => { window.rungs = []; const tell = () => { rungs.push(root.reactor.stats().carrier);"
        " requestAnimationFrame(tell) }; tell() }"
    )
    lab.execute(
        "import ipywidgets\n"
        "from reactor_nb.notebook.viewer import Viewer\n"
        "(viewer,) = [each for each in ipywidgets.widgets.widget._instances.values() if isinstance(each, Viewer)]\n"
        "viewer.send({'type': 'reconnect'})"
    )
    lab.page.wait_for_function("rungs.some((rung) => rung !== 'WebRTC') && rungs.at(-1) === 'WebRTC'")
    lab.wait_for_motion()
    assert list(media(lab, "counter")["peers"]) == [view_id]
