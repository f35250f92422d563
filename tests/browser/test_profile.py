"""What the statistics say of a picture that really plays, and the profile as it is seen in the notebook."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from reactor_nb.core.stages import TIMES
from tests.browser.cells import COUNTER, LOAD, RUN
from tests.support.eventually import eventually
from tests.support.lab import Lab

pytestmark = pytest.mark.browser

SESSION = "get_ipython().run_line_magic('reactor', 'session')"
STAGES = ["model", "convert", "wait", "encode", "send", "receive", "decode", "paint"]


def shot(picture: Locator, name: str) -> None:
    """A PNG in the folder REACTOR_NB_SHOTS; nothing where that is not set."""
    if folder := os.environ.get("REACTOR_NB_SHOTS"):
        picture.screenshot(path=f"{folder}/{name}.png")


def stats_of(lab: Lab) -> dict[str, Any]:
    stats: dict[str, Any] = lab.evaluate(f"{SESSION}.stats()")
    return stats


def peers_of(lab: Lab) -> list[dict[str, Any]]:
    return list(stats_of(lab)["media"]["peers"].values())


def test_every_stage_of_a_frame_is_known_from_the_model_to_the_screen(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    # The page tells once a second what it has drawn.
    eventually(lambda: (stats_of(lab)["painted"] or 0) > 60, 20, interval_s=0.2)
    stats = stats_of(lab)
    assert list(stats["stages"]) == STAGES
    assert 0 < stats["latency_ms"]["p50"] <= stats["latency_ms"]["p95"] < 5000
    assert stats["bits_per_s"] > 0
    assert stats["produced"] >= stats["encoded"]
    # While it moves up the ladder a View is sent each frame by both carriers.
    assert stats["encoded"] + 15 >= stats["sent"] >= stats["painted"]
    rows: list[dict[str, Any]] = lab.evaluate(f"{SESSION}.timeline()")
    painted = [row for row in rows if row["painted_s"] is not None]
    assert len(painted) > 30
    for row in painted:
        times = [row[key] for key in TIMES if row[key] is not None]
        # The page's clock is an estimate, good to half of the shortest way to the kernel and back.
        assert all(after >= before - 0.02 for before, after in pairwise(times)), row


def test_the_profile_is_drawn_in_the_colours_of_the_theme(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    eventually(lambda: (stats_of(lab)["painted"] or 0) > 60, 20, interval_s=0.2)
    cell = lab.run_new("%reactor profile")
    picture = lab.output_area(cell).locator("svg.reactor-profile")
    expect(picture).to_be_visible()
    for stage in [*STAGES, "emit to paint"]:
        expect(picture.get_by_text(stage, exact=True).last).to_be_visible()
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] > 500
    shot(picture, "profile-light")
    paper = "(svg) => getComputedStyle(svg.querySelector('.paper')).fill"
    light = picture.evaluate(paper)
    try:
        lab.page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
        eventually(lambda: picture.evaluate(paper) != light, 10, interval_s=0.1)
        shot(picture, "profile-dark")
    finally:
        lab.page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
        eventually(lambda: picture.evaluate(paper) == light, 10, interval_s=0.1)
    assert lab.errors_of_ours() == []


def test_the_doctor_finds_the_page_that_watches(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    eventually(lambda: (stats_of(lab)["painted"] or 0) > 0, 20, interval_s=0.2)
    # How late it is the page can tell when it has compared its clock with the kernel's.
    eventually(lambda: any(each["page"].get("latency_ms") for each in peers_of(lab)), 20, interval_s=0.2)
    text = lab.text(lab.run_new("%reactor doctor"))
    assert "MISSING" not in text
    assert "counter" in text
    assert "ms from emit_block to the picture" in text
    lab.wait_for_motion()
