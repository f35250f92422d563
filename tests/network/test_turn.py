"""A firewall that lets TCP through and no UDP, and a TURN server beyond it that really relays."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.network.cells import LOAD, RUN, SCENE
from tests.network.conftest import PageMachine
from tests.support.eventually import eventually
from tests.support.lab import Lab
from tests.support.turn import TurnServer, why_no_turn
from tests.support.watch import Watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(why_no_turn()), reason=why_no_turn()),
    pytest.mark.usefixtures("every_road"),
]


@pytest.fixture(scope="module")
def turn(page_machine: PageMachine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    """On the kernel's machine, at the address that the page's machine reaches."""
    server = TurnServer(tmp_path_factory.mktemp("turn"), page_machine.here, roads=("tcp",))
    yield server
    server.close()


@pytest.mark.parametrize(
    "road",
    [
        pytest.param("tunnelled_lab", id="ssh-tunnel"),
        pytest.param("hub_lab", id="hub-proxy"),
    ],
)
def test_the_picture_comes_over_jupyter_and_moves_to_the_relay(
    request: pytest.FixtureRequest, page_machine: PageMachine, turn: TurnServer, road: str
) -> None:
    lab: Lab = request.getfixturevalue(road)
    lent, relayed = turn.allocations(), turn.relayed_bytes()
    page_machine.namespace.drop_udp()
    lab.open([LOAD, SCENE, RUN])
    servers = json.dumps(turn.ice_servers())
    lab.execute(f"import os; os.environ['REACTOR_NB_ICE_SERVERS'] = {servers!r}")
    for cell in (0, 1, 2):
        lab.run(cell)
    lab.wait_for_motion()
    watch = Watch(lab)
    watch.start()
    eventually(lambda: lab.carrier() == "WebRTC", 40, interval_s=0.2)
    lab.wait_for_motion(frames=60)
    lab.screenshot(f"relayed-{road}")
    seen = watch.stop()
    assert lab.call("note", {"number": 3}) == 3
    assert seen.carriers()[-1] == "WebRTC"
    assert set(seen.carriers()) <= {"video over Jupyter", "WebRTC"}
    assert seen.unreadable() == []
    assert seen.steps_back() == []
    assert turn.allocations() > lent
    lab.clear_output(2)
    # Told at the relay's end, at the latest.
    eventually(lambda: turn.relayed_bytes() > relayed + 50_000, 15, interval_s=0.1)
