from __future__ import annotations

import asyncio

from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.transport.packets import PacketQueue


def frame(number: int, is_keyframe: bool = False) -> EncodedFrame:
    return EncodedFrame("H264", b"x", number, is_keyframe, 64, 48, 30.0)


class Asked:
    count = 0

    def __call__(self) -> None:
        self.count += 1


async def taken(queue: PacketQueue, count: int) -> list[int]:
    frames = [await asyncio.wait_for(queue.get(), 2) for _ in range(count)]
    return [frame.rtp_timestamp for frame in frames if frame is not None]


def test_nothing_passes_before_the_first_keyframe() -> None:
    async def scenario() -> None:
        queue = PacketQueue(Asked())
        queue.push(frame(0))
        queue.push(frame(1, is_keyframe=True))
        queue.push(frame(2))
        assert await taken(queue, 2) == [1, 2]
        assert queue.skipped == 1

    asyncio.run(scenario())


def test_a_keyframe_replaces_all_that_waits() -> None:
    async def scenario() -> None:
        queue = PacketQueue(Asked())
        for number in range(4):
            queue.push(frame(number, is_keyframe=number in (0, 3)))
        assert await taken(queue, 1) == [3]
        assert queue.skipped == 3

    asyncio.run(scenario())


def test_a_paused_view_begins_again_with_a_keyframe() -> None:
    async def scenario() -> None:
        queue = PacketQueue(Asked())
        queue.push(frame(0, is_keyframe=True))
        queue.pause()
        queue.push(frame(1))
        queue.push(frame(2, is_keyframe=True))
        assert await taken(queue, 1) == [2]
        assert queue.skipped == 2

    asyncio.run(scenario())


def test_an_overflow_asks_for_a_keyframe_once_and_passes_nothing_before_it() -> None:
    async def scenario() -> None:
        asked = Asked()
        queue = PacketQueue(asked, capacity=3)
        for number in range(7):
            queue.push(frame(number, is_keyframe=number == 0))
        assert asked.count == 1
        assert queue.skipped == 7
        queue.push(frame(7, is_keyframe=True))
        assert await taken(queue, 1) == [7]

    asyncio.run(scenario())


def test_frames_of_another_thread_wake_the_reader() -> None:
    async def scenario() -> None:
        queue = PacketQueue(Asked())
        reader = asyncio.create_task(queue.get())
        await asyncio.to_thread(queue.push, frame(5, is_keyframe=True))
        got = await asyncio.wait_for(reader, 2)
        assert got is not None and got.rtp_timestamp == 5

    asyncio.run(scenario())


def test_closing_ends_the_reader_and_counts_what_waited() -> None:
    async def scenario() -> None:
        queue = PacketQueue(Asked())
        reader = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.close()
        queue.close()
        assert await asyncio.wait_for(reader, 2) is None
        queue.push(frame(1, is_keyframe=True))
        assert await queue.get() is None
        assert queue.skipped == 1

    asyncio.run(scenario())
