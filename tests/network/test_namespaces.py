"""The network that the other tests here stand on, with today's roads."""

from __future__ import annotations

import random
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.network.conftest import PageMachine
from tests.support.network import names, remove_stale
from tests.support.road_process import Lane
from tests.support.slow_road import Conditions, SlowRoad

ASK = """
import socket, sys, time
kind = socket.SOCK_DGRAM if sys.argv[3] == "udp" else socket.SOCK_STREAM
asking = socket.socket(socket.AF_INET, kind)
asking.settimeout(1)
try:
    asking.connect((sys.argv[1], int(sys.argv[2])))
    began_s = time.monotonic()
    asking.send(b"ping")
    print(asking.recv(10).decode(), time.monotonic() - began_s)
except OSError as error:
    print(type(error).__name__, 0)
"""


Ports = dict[str, int]


class _Pong(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        if isinstance(self.request, tuple):
            self.request[1].sendto(b"pong", self.client_address)
        elif self.request.recv(10):
            self.request.sendall(b"pong")


@pytest.fixture
def ports(page_machine: PageMachine) -> Iterator[Ports]:
    """Who answers, by tcp and by udp, at this machine's end of the cable."""
    where = (page_machine.here, 0)
    with socketserver.ThreadingTCPServer(where, _Pong) as tcp, socketserver.ThreadingUDPServer(where, _Pong) as udp:
        threads = [threading.Thread(target=each.serve_forever, args=[0.02]) for each in (tcp, udp)]
        for thread in threads:
            thread.start()
        yield {"tcp": tcp.server_address[1], "udp": udp.server_address[1]}
        for each, thread in zip((tcp, udp), threads, strict=True):
            each.shutdown()
            thread.join(5)


def test_a_lane_without_conditions_takes_no_time() -> None:
    assert Lane(Conditions(), random.Random(0)).arrival_s(1500, 7.0) == 7.0


def test_a_lane_delays_and_sends_one_packet_after_the_other() -> None:
    lane = Lane(Conditions(delay_s=0.1, rate_bytes_s=10_000), random.Random(0))
    assert lane.arrival_s(1000, 7.0) == pytest.approx(7.2)
    assert lane.arrival_s(1000, 7.0) == pytest.approx(7.3)
    assert lane.arrival_s(1000, 9.0) == pytest.approx(9.2)


def test_a_lane_whose_queue_is_full_drops() -> None:
    lane = Lane(Conditions(rate_bytes_s=10_000, queue_s=0.25), random.Random(0))
    arrived = [lane.arrival_s(1000, 7.0) for _ in range(5)]
    assert arrived == [pytest.approx(7.1), pytest.approx(7.2), pytest.approx(7.3), None, None]


def test_a_lane_loses_its_share() -> None:
    lane = Lane(Conditions(loss=0.1), random.Random(0))
    lost = sum(lane.arrival_s(1000, 7.0) is None for _ in range(2000))
    assert 150 < lost < 250


@pytest.mark.needs_root
def test_what_is_dropped_does_not_pass_until_it_passes_again(page_machine: PageMachine, ports: Ports) -> None:
    assert _ask(page_machine, ports, "udp")[0] == "pong"
    page_machine.namespace.drop_udp()
    assert _ask(page_machine, ports, "udp")[0] != "pong"
    assert _ask(page_machine, ports, "tcp")[0] == "pong"
    page_machine.namespace.drop_all()
    assert _ask(page_machine, ports, "tcp")[0] != "pong"
    page_machine.namespace.pass_all()
    assert _ask(page_machine, ports, "udp")[0] == "pong"


@pytest.mark.needs_root
def test_a_slow_road_takes_its_time_and_is_left_again(page_machine: PageMachine, ports: Ports) -> None:
    road = SlowRoad(page_machine.namespace, page_machine.here, Conditions(delay_s=0.1))
    try:
        with road.in_use():
            for kind in ("udp", "tcp"):
                answer, took_s = _ask(page_machine, ports, kind)
                assert answer == "pong"
                assert 0.2 <= took_s < 0.6, "there and back"
            road.change(Conditions(loss=1.0))
            assert _ask(page_machine, ports, "udp")[0] != "pong"
        answer, took_s = _ask(page_machine, ports, "udp")
        assert answer == "pong"
        assert took_s < 0.2
    finally:
        road.close()


@pytest.mark.needs_root
def test_the_namespaces_of_a_killed_run_are_removed_and_ours_are_not(page_machine: PageMachine) -> None:
    child = subprocess.Popen([sys.executable, "-c", "from tests.support.network import Namespace; Namespace('lost')"])
    assert child.wait(20) == 0
    lost = f"reactor-{child.pid}-lost"
    assert lost in names()
    remove_stale()
    assert lost not in names()
    assert page_machine.namespace.name in names()


def _ask(machine: PageMachine, ports: Ports, kind: str) -> tuple[str, float]:
    """Say ping from the page's machine; what came back there and after how long."""
    said = machine.namespace.run(sys.executable, "-c", ASK, machine.here, str(ports[kind]), kind)
    word, took_s = said.split()
    return word, float(took_s)
