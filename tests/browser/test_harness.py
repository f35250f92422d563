"""The harness itself, on plain ipywidgets: what the other browser tests stand on."""

from __future__ import annotations

import pytest

from tests.support import barcode
from tests.support.eventually import eventually
from tests.support.lab import Lab

pytestmark = pytest.mark.browser


def test_a_notebook_runs_and_answers_and_forgets_at_a_restart(lab: Lab) -> None:
    lab.open(["x = 20\nprint('hello')", "import ipywidgets\nslider = ipywidgets.IntSlider(value=3)\nslider", "1 / 0"])

    lab.run_all()
    lab.wait_idle()
    assert lab.text(0) == "hello\n"
    assert "ZeroDivisionError: division by zero" in lab.text(2)
    assert lab.evaluate("x + slider.value") == 23
    assert lab.output_area(1).locator(".widget-slider").count() == 1

    lab.clear_output(1)
    eventually(lambda: lab.output_area(1).locator(".widget-slider").count() == 0)
    lab.run(1)
    lab.output_area(1).locator(".widget-slider").wait_for()

    old_pid = lab.kernel_pid()
    lab.restart_kernel()
    assert lab.kernel_pid() != old_pid
    assert lab.evaluate("'x' in globals()") is False

    lab.edit(0, "print('again')")
    lab.reload()
    lab.run(0)
    assert lab.text(0) in {"again\n", "hello\n"}
    assert lab.save().cells[0].cell_type == "code"


def test_a_frame_number_is_read_from_a_picture_in_the_page(lab: Lab) -> None:
    lab.open(
        [
            "import io, ipywidgets, numpy as np\n"
            "from PIL import Image\n"
            "from tests.support import barcode\n"
            "frame = np.full((480, 640, 3), 80, np.uint8)\n"
            "barcode.paint(frame, 4711)\n"
            "buffer = io.BytesIO()\n"
            "Image.fromarray(frame).save(buffer, 'JPEG')\n"
            "ipywidgets.Image(value=buffer.getvalue(), format='jpeg')"
        ]
    )
    lab.run_all()
    image = lab.output_area(0).locator("img")
    image.wait_for()
    assert eventually(lambda: image.evaluate(barcode.READ_JS)) == 4711
