"""A real JupyterLab whose browser may send no UDP: the picture goes over Jupyter, and moves to a relay over TCP.

And where the relay's secrets are found afterwards: nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Playwright

from tests.browser.cells import COUNTER, LOAD, RUN
from tests.support.chromium import chromium_args, find_chromium
from tests.support.eventually import eventually
from tests.support.fixtures import VIEWPORT, Tabs, lend
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab
from tests.support.turn import TurnServer, why_no_turn

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(why_no_turn()), reason=why_no_turn())]

NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    server = TurnServer(tmp_path_factory.mktemp("turn"))
    yield server
    server.close()


@pytest.fixture
def lab(request: pytest.FixtureRequest, playwright: Playwright, lab_server: JupyterLab) -> Iterator[Lab]:
    """A tab of a browser that sends no UDP; its JupyterLab saves the state of widgets in notebooks."""
    setting = lab_server.state / "config/lab/user-settings/@jupyter-widgets/jupyterlab-manager"
    setting.mkdir(parents=True, exist_ok=True)
    file = setting / "plugin.jupyterlab-settings"
    file.write_text(json.dumps({"saveState": True}))
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*chromium_args(), NO_UDP])
    context = browser.new_context(viewport=VIEWPORT)
    try:
        yield from lend(request, lab_server, Tabs(context))
    finally:
        browser.close()
        file.unlink()


def use_relay(lab: Lab, servers: list[dict[str, Any]]) -> None:
    """As from outside: no cell holds it."""
    lab.execute(f"import os; os.environ['REACTOR_NB_ICE_SERVERS'] = {json.dumps(json.dumps(servers))}")


def told_by_doctor(lab: Lab, index: int) -> str:
    lab.run(index)
    return lab.text(index)


def test_the_view_moves_to_a_relay_and_its_secrets_are_kept_nowhere(lab: Lab, turn: TurnServer) -> None:
    lab.open([LOAD, COUNTER, RUN, "%reactor doctor", "%reactor status"])
    use_relay(lab, turn.ice_servers("tcp"))
    lab.run_all()
    lab.wait_for_motion()
    eventually(lambda: lab.stats()["carrier"] == "WebRTC", 40, interval_s=0.2)
    lab.wait_for_motion()
    lab.screenshot("relayed")
    assert turn.allocations() > 0
    eventually(lambda: "through a TURN server" in told_by_doctor(lab, 3), 10, interval_s=0.5)
    told = lab.text(3)
    assert f"turn:{turn.address}:{turn.port} over tcp, from REACTOR_NB_ICE_SERVERS" in told
    lab.run(4)

    notebook = lab.save()
    assert "carrier" in nbformat.writes(notebook), "the state of widgets is saved"
    everything = {
        "notebook": nbformat.writes(notebook),
        "doctor": told,
        "server's log": (lab.server.state / "server.log").read_text(errors="replace"),
        "page": lab.page.content(),
        "what the view says": json.dumps(lab.stats()),
        "widgets": json.dumps(lab.evaluate("__import__('ipywidgets').Widget.get_manager_state()")),
        "statistics": str(
            lab.evaluate("repr([s.stats() for s in get_ipython().user_ns.values() if hasattr(s, 'stats')])")
        ),
        "log": str(
            lab.evaluate("__import__('reactor_nb.runtime.base', fromlist=['x']).get_runtime().session().log.text()")
        ),
    }
    assert [where for where, text in everything.items() if turn.credential in text] == []


def test_a_relay_that_refuses_is_told_on_both_sides_and_the_picture_goes_on(lab: Lab, turn: TurnServer) -> None:
    lab.open([LOAD, COUNTER, RUN, "%reactor doctor"])
    use_relay(lab, [{**turn.ice_servers("tcp")[0], "credential": "another"}])
    lab.run_all()
    lab.wait_for_motion()
    why = "Neither a direct way nor a TURN server"
    eventually(lambda: why in lab.stats()["rungs"]["WebRTC"], 60, interval_s=0.3)
    assert lab.stats()["carrier"] == "video over Jupyter"
    lab.wait_for_motion()
    eventually(lambda: why in told_by_doctor(lab, 3), 10, interval_s=0.5)
    assert "another" not in lab.text(3)
