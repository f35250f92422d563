"""Prints, progress, posters: what a session leaves in the notebook, and what it does not."""

from __future__ import annotations

import base64

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.cells import COUNTER, LOAD, RUN
from tests.support.eventually import eventually
from tests.support.lab import Lab

pytestmark = pytest.mark.browser

TALKER = COUNTER.replace(
    "        LOADED.append(self.__class__)",
    """        LOADED.append(self.__class__)
        import logging, sys
        from tqdm import tqdm
        print("printed while loading")
        logging.getLogger("weights").warning("logged while loading")
        for step in tqdm(range(20), desc="layers"):
            time.sleep(0.1)""",
).replace("self.number += 1", "self.number += 1\n        if self.number % 30 == 0: print('frame', self.number)")


def test_prints_logs_and_progress_go_under_the_picture_and_not_into_a_cell(lab: Lab) -> None:
    lab.open([LOAD, TALKER, RUN, "import time\nfor i in range(4):\n    print('cell', i)\n    time.sleep(0.5)"])
    lab.run_all(wait=False)
    expect(lab.viewer()).to_contain_text("layers", timeout=10_000)
    lab.screenshot("loading")
    lab.wait_for_frame(31)
    lab.viewer().locator("summary").click()
    eventually(lambda: "frame 30" in (lab.viewer().text_content() or ""), 5)
    log = lab.viewer().text_content() or ""
    assert "printed while loading" in log and "logged while loading" in log
    lab.wait_idle()
    assert lab.text(3).split() == ["cell", "0", "cell", "1", "cell", "2", "cell", "3"]
    assert "frame 30" not in lab.text(2)


def test_a_model_that_prints_thousands_of_lines_keeps_its_picture(lab: Lab) -> None:
    noisy = COUNTER.replace("self.number += 1", "self.number += 1\n        for i in range(200): print('line', i)")
    lab.open([LOAD, noisy, RUN])
    lab.run_all()
    first = lab.wait_for_frame(1)
    lab.wait_for_frame(first + 60)


def test_a_saved_notebook_holds_the_last_frame_as_an_image(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_frame(30)
    eventually(lambda: _poster(lab.save(), 2), 10)
    assert lab.output_area(2).locator("img").filter(visible=True).count() == 0, "a live page hides the poster"
    lab.run_new("%reactor stop")
    eventually(lambda: _poster(lab.save(), 2), 10)
    poster = _poster(lab.save(), 2)
    assert poster is not None
    assert base64.b64decode(poster).startswith(b"\x89PNG")


def test_without_a_kernel_the_reopened_page_shows_the_poster(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_frame(30)
    eventually(lambda: _poster(lab.save(), 2), 10)
    lab.shut_down_kernel()
    lab.save()
    lab.page.reload()
    expect(lab.output_area(2).locator("img")).to_be_visible(timeout=30_000)
    lab.screenshot("poster")


def test_no_poster_leaves_no_image(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, "%reactor run --no-poster"])
    lab.run_all()
    lab.wait_for_frame(30)
    lab.run_new("%reactor stop")
    assert _poster(lab.save(), 2) is None


def test_a_snapshot_is_an_ordinary_output(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN, "session = %reactor session\nsession.wait(frames=10)\nsession.snapshot()"])
    lab.run_all()
    assert "image/png" in lab.outputs(3)[-1]["data"]
    expect(lab.output_area(3).locator("img")).to_be_visible()


def test_an_assigned_session_shows_nothing_and_a_bare_one_shows_once(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, "session = %reactor run", "session"])
    lab.run(0)
    lab.run(1)
    lab.run(2)
    assert lab.outputs(2) == []
    lab.run(3)
    lab.wait_for_motion()
    assert lab.viewers().count() == 1


def _poster(notebook: nbformat.NotebookNode, cell: int) -> str | None:
    images = [o["data"]["image/png"] for o in notebook.cells[cell].outputs if "image/png" in o.get("data", {})]
    return images[-1] if images else None
