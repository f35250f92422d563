"""The fixture that fails a test which leaves something behind: it sees each of the four kinds."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

from aiortc import RTCConfiguration, RTCPeerConnection

from tests.support.leaks import alive, left_since


def test_a_thread_of_ours_is_seen_until_it_ends() -> None:
    before = alive()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="reactor-forgotten", daemon=True)
    thread.start()
    assert left_since(before) == ["thread reactor-forgotten"]
    end.set()
    thread.join()
    assert left_since(before) == []


def test_a_task_of_a_loop_that_does_not_run_is_seen() -> None:
    before = alive()
    loop = asyncio.new_event_loop()
    task = loop.create_task(asyncio.sleep(3600), name="forgotten")
    assert [line.split(":")[0] for line in left_since(before)] == ["task forgotten"]
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
    assert left_since(before) == []


def test_a_peer_is_seen_until_it_is_closed() -> None:
    async def make_and_close() -> tuple[list[str], list[str]]:
        before = alive()
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        seen = left_since(before)
        await peer.close()
        return seen, left_since(before)

    seen, after = asyncio.run(make_and_close())
    assert any(line.startswith("peer ") for line in seen)
    assert not any(line.startswith("peer ") for line in after)


def test_a_child_process_is_seen_until_it_ends() -> None:
    before = alive()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert [line.split(":")[0] for line in left_since(before)] == [f"process {child.pid}"]
    child.communicate(b"\n")
    assert left_since(before) == []
