"""A laptop that sleeps for a minute: its browser stands still and its connections are gone. Here for its length."""

from __future__ import annotations

import signal
import threading

import psutil
import pytest
from playwright.sync_api import Browser

from tests.browser.roads import RUNGS, is_on, play, through_a_line
from tests.support.chromium import chromium_args, find_chromium
from tests.support.eventually import eventually
from tests.support.jupyterlab import JupyterLab

pytestmark = pytest.mark.browser

SLEEP_S = 60.0


@pytest.mark.timeout(240, func_only=True)
@pytest.mark.parametrize("carrier", ["auto", "comm"])
def test_a_laptop_that_slept_for_a_minute_shows_the_picture_again_by_itself(
    carrier: str, lab_server: JupyterLab, chromium: Browser
) -> None:
    before = set(psutil.Process().children(recursive=True))
    browser = chromium.browser_type.launch(executable_path=find_chromium(), headless=True, args=chromium_args())
    processes = [each for each in psutil.Process().children(recursive=True) if each not in before]
    try:
        with through_a_line(lab_server, browser) as (lab, line):
            play(lab, carrier)
            last = lab.wait_for_frame()
            for each in processes:
                each.send_signal(signal.SIGSTOP)
            line.cut()
            try:
                threading.Event().wait(SLEEP_S)
            finally:
                line.mend()
                for each in processes:
                    each.send_signal(signal.SIGCONT)
            lab.wait_for_frame(last + 600, timeout_s=60)  # the model has played on
            lab.wait_for_motion()
            eventually(lambda: is_on(lab, RUNGS[carrier]), 60, interval_s=0.2)
    finally:
        browser.close()
