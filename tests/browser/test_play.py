"""The main job: one cell plays a model, and its controls reach the next frames."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.cells import COUNTER, LOAD, RUN
from tests.support.eventually import eventually
from tests.support.lab import Lab

pytestmark = pytest.mark.browser


def test_one_cell_plays_a_model_with_its_controls(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    eventually(lambda: lab.stats()["carrier"] == "WebRTC", 30, interval_s=0.1)
    stats = lab.stats()
    assert (stats["width_px"], stats["height_px"]) == (640, 360)
    expect(lab.viewer()).to_contain_text("640")
    expect(lab.page.locator(".reactor-controls .widget-slider")).to_have_count(2)
    expect(lab.page.get_by_role("button", name="rewind")).to_be_visible()
    lab.viewer().scroll_into_view_if_needed()
    lab.screenshot("play")
    assert lab.errors_of_ours() == []


def test_the_picture_shows_the_colours_that_the_model_emitted(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    picture = lab.pixels()
    red = picture[20:160, 340:620, :3].reshape(-1, 3).mean(0)
    grey = picture[200:340, 20:620, :3].reshape(-1, 3).mean(0)
    assert abs(red - (220, 30, 30)).max() < 0.02 * 255, red
    assert abs(grey - 127).max() < 0.02 * 255, grey


def test_a_dragged_slider_changes_the_next_frames(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    slider = lab.page.locator(".reactor-controls .noUi-target").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    left, middle, y = box["x"], box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.page.mouse.move(middle, y)
    lab.page.mouse.down()
    lab.page.mouse.move(left + box["width"] * 0.95, y, steps=20)
    eventually(lambda: _grey(lab) > 220, 10)
    lab.page.mouse.move(left + box["width"] * 0.05, y, steps=20)
    eventually(lambda: _grey(lab) < 30, 10)
    lab.page.mouse.up()


def test_an_arrow_key_moves_the_focused_slider(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    lab.page.locator(".reactor-controls .noUi-handle").first.focus()
    for _ in range(20):
        lab.page.keyboard.press("ArrowRight")
    eventually(lambda: _grey(lab) > 145, 10)


def test_choosing_an_option_changes_the_next_frames(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    lab.page.locator(".reactor-controls .widget-toggle-button", has_text="green").first.click()
    eventually(lambda: _colour(lab) == "green", 10)
    lab.page.locator(".reactor-controls .widget-toggle-button", has_text="blue").first.click()
    eventually(lambda: _colour(lab) == "blue", 10)


def test_a_typed_prompt_is_sent_on_enter_and_not_before(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    prompt = lab.page.locator(".reactor-controls .widget-text input[type=text]").first
    prompt.fill("blue")
    lab.wait_for_motion()
    assert _colour(lab) == "red", "a text is sent on Enter, not at each letter"
    lab.page.keyboard.press("Enter")
    eventually(lambda: _colour(lab) == "blue", 10)


def test_several_parameters_are_sent_by_apply_and_not_before(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    form = lab.page.locator(".reactor-form")
    form.locator(".widget-toggle-button", has_text="blue").click()
    before = lab.wait_for_motion()
    assert _colour(lab) == "red", "a form sends nothing before Apply"
    form.get_by_role("button", name="Apply").click()
    eventually(lambda: _colour(lab) == "blue", 10)
    assert lab.wait_for_frame() > before


def test_a_button_runs_a_command_without_parameters(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    number = lab.wait_for_frame(60)
    lab.page.get_by_role("button", name="rewind").click()
    eventually(lambda: 0 <= (lab.frame_number() or 0) < number, 10)


def test_the_cells_below_run_while_the_picture_plays(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN, "sum(range(10))", "import time; time.sleep(1.5); 'slept'"])
    lab.run_all()
    assert "45" in lab.text(3)
    assert "slept" in lab.text(4)
    lab.wait_for_motion()


@pytest.mark.parametrize(
    "busy", ["import time; time.sleep(6)", "import time\nend = time.time() + 6\nwhile time.time() < end: pass"]
)
def test_the_controls_go_on_working_while_a_cell_is_busy(lab: Lab, busy: str) -> None:
    lab.open([LOAD, COUNTER, RUN, busy])
    lab.run(0)
    lab.run(1)
    lab.run(2)
    lab.wait_for_motion()
    lab.run(3, wait=False)
    eventually(lambda: _is_busy(lab), 5)
    lab.page.locator(".reactor-controls .widget-toggle-button", has_text="green").first.click()
    eventually(lambda: _colour(lab) == "green", 4)
    assert _is_busy(lab), "the cell must still run, or nothing was shown"
    lab.call("paint", {"colour": "blue"})
    eventually(lambda: _colour(lab) == "blue", 4)
    assert _is_busy(lab)


def test_the_picture_starts_while_the_next_cell_of_run_all_is_busy(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN, "import time; time.sleep(8)"])
    lab.run_all(wait=False)
    lab.wait_for_motion(timeout_s=15)
    assert _is_busy(lab)


def test_values_sent_from_python_move_the_control(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    lab.run_new("%reactor send set_level level=0.9")
    expect(lab.page.locator(".reactor-controls .widget-readout").first).to_have_text(re.compile("0.9"))
    lab.run_new("%reactor send paint blue")
    expect(lab.page.locator(".reactor-controls .widget-toggle-button.mod-active").first).to_have_text("blue")
    assert _colour(lab) == "blue"


def test_values_survive_a_stop_and_a_run(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    lab.run_new("%reactor send set_level level=0.9")
    lab.page.locator(".reactor-controls .widget-toggle-button", has_text="blue").first.click()
    eventually(lambda: _colour(lab) == "blue", 10)
    lab.run_new("%reactor stop")
    lab.run(2)
    lab.wait_for_motion()
    expect(lab.page.locator(".reactor-controls .widget-readout").first).to_have_text(re.compile("0.9"))
    expect(lab.page.locator(".reactor-controls .widget-toggle-button.mod-active").first).to_have_text("blue")
    assert _colour(lab) == "blue"


def test_two_views_of_one_session_show_the_same_values(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN, "%reactor session"])
    lab.run_all()
    lab.wait_for_motion(index=0)
    lab.wait_for_motion(index=1)
    controls = lab.page.locator(".reactor-controls")
    controls.nth(0).locator(".widget-toggle-button", has_text="blue").first.click()
    expect(controls.nth(1).locator(".widget-toggle-button.mod-active").first).to_have_text("blue")
    eventually(lambda: _colour(lab) == "blue", 10)


def test_start_stop_and_full_screen_work_from_the_keyboard(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    lab.viewer().get_by_role("button", name="Full screen").focus()
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function("document.fullscreenElement?.classList.contains('reactor-viewer')")
    lab.wait_for_motion()
    lab.screenshot("full-screen")
    lab.page.evaluate("document.exitFullscreen()")
    lab.viewer().get_by_role("button", name="Stop").focus()
    lab.page.keyboard.press("Space")
    expect(lab.viewer()).to_have_attribute("data-state", "ended")
    lab.viewer().get_by_role("button", name="Start").last.focus()
    lab.page.keyboard.press("Enter")
    expect(lab.viewer()).to_have_attribute("data-state", "streaming")


def test_a_call_of_the_page_returns_the_result_or_the_typed_error(lab: Lab) -> None:
    lab.open([LOAD, COUNTER, RUN])
    lab.run_all()
    lab.wait_for_motion()
    assert lab.call("set_level", {"level": 0.25}) == 0.25
    with pytest.raises(Exception, match="level"):
        lab.call("set_level", {"level": 7})
    with pytest.raises(Exception, match="nope"):
        lab.call("nope")


def _is_busy(lab: Lab) -> bool:
    """Whether a cell runs. The kernel's status does not tell: a subshell that has answered makes it idle."""
    return lab.page.locator(".jp-InputPrompt", has_text="[*]").count() > 0


def _grey(lab: Lab) -> float:
    picture = lab.pixels()
    return float(picture[int(picture.shape[0] * 0.6) : -20, 20:-20, :3].mean())


def _colour(lab: Lab) -> str:
    picture = lab.pixels()
    height, width = picture.shape[:2]
    mean = picture[20 : height // 2 - 20, width // 2 + 20 : -20, :3].reshape(-1, 3).mean(0)
    return ("red", "green", "blue")[int(mean.argmax())]
