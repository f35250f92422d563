"""When a picture stands, and to whom its still goes."""

from __future__ import annotations

import io
import itertools
import queue
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from reactor_nb.core.frame_queue import BufferedFrame
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.exact_still import (
    LONGEST_QUIET_S,
    QUIET_S,
    SHORTEST_QUIET_S,
    ExactStill,
    ExactStills,
    Standing,
    is_same_picture,
)
from tests.support.eventually import eventually


def picture(level: int, height_px: int = 48, width_px: int = 64) -> NDArray[np.uint8]:
    noise = np.random.default_rng(level).integers(0, 200, (height_px, width_px, 3), dtype=np.uint8)
    return noise


def frame(number: int, level: int | None = None) -> BufferedFrame:
    return BufferedFrame(picture(number if level is None else level), number, 0.0, 0.0)


def encoded(number: int, rtp_timestamp: int, codec: str = "H264") -> EncodedFrame:
    return EncodedFrame(codec, b"", rtp_timestamp, False, 64, 48, 30.0, number=number)


@pytest.mark.parametrize("size", [(720, 1280), (33, 35), (1, 1), (7, 5)])
def test_two_pictures_are_the_same_when_every_value_is(size: tuple[int, int]) -> None:
    one = picture(1, *size)
    other = one.copy()
    assert is_same_picture(one, other)
    other[-1, -1, -1] ^= 1
    assert not is_same_picture(one, other)
    assert not is_same_picture(one, one[:, :-1])


def test_a_picture_stands_from_its_first_frame_on_however_often_it_is_emitted() -> None:
    standing = Standing()
    assert standing.show(frame(0), 1.0)
    assert standing.show(frame(1), 2.0)
    for number in range(2, 5):
        assert not standing.show(frame(number, level=1), 1.0 + number)
    assert standing.due_s() == 2.0 + QUIET_S  # an interval of a second says that the next is far away
    assert [standing.shows(number) for number in range(6)] == [False, True, True, True, True, False]


@pytest.mark.parametrize(
    ("rate_fps", "quiet_s"),
    [(120, SHORTEST_QUIET_S), (30, 0.05), (10, 0.15), (5, LONGEST_QUIET_S), (3, QUIET_S), (0.5, QUIET_S)],
)
def test_a_still_is_not_begun_when_the_next_picture_is_about_to_come(rate_fps: float, quiet_s: float) -> None:
    standing = Standing()
    for number in range(10):
        # One of them is late: that alone changes nothing.
        standing.show(frame(number), number / rate_fps + (0.5 / rate_fps if number == 7 else 0.0))
    assert standing.due_s() == pytest.approx(9 / rate_fps + quiet_s)


@pytest.fixture
def stills() -> Iterator[ExactStills]:
    stills = ExactStills("test")
    yield stills
    assert stills.close(2.0)


class Taker:
    """A view that keeps what it is given."""

    def __init__(self) -> None:
        self.got: queue.Queue[tuple[ExactStill, int]] = queue.Queue()

    def __call__(self, still: ExactStill, rtp_timestamp: int) -> None:
        self.got.put((still, rtp_timestamp))

    def next(self) -> tuple[ExactStill, int]:
        return self.got.get(timeout=2.0)


def test_a_view_gets_the_very_pixels_of_the_frame_that_stands(stills: ExactStills) -> None:
    view = Taker()
    stills.use(is_exact=True)
    stills.attach("a", "H264", view)
    for number in range(3):
        stills.show(frame(number))
        stills.encoded(encoded(number, number * 3000))
    still, rtp_timestamp = view.next()
    assert rtp_timestamp == 6000
    with Image.open(io.BytesIO(still.png)) as image:
        assert np.array_equal(np.asarray(image), picture(2))
    assert (still.width_px, still.height_px, still.is_over) == (64, 48, False)
    stills.show(frame(3))
    assert still.is_over


def test_the_picture_encoded_once_more_is_told_with_the_same_still(stills: ExactStills) -> None:
    early, late = Taker(), Taker()
    stills.use(is_exact=True)
    stills.attach("early", "H264", early)
    stills.show(frame(0))
    stills.encoded(encoded(0, 100))
    still, _ = early.next()
    stills.attach("late", "H264", late)
    stills.encoded(encoded(0, 200))
    assert early.next() == (still, 200)
    assert late.next() == (still, 200)
    stills.show(frame(1, level=0))
    stills.encoded(encoded(1, 300))
    assert late.next() == (still, 300)
    assert stills.counts()["made"] == 1


def test_a_view_whose_codec_is_behind_is_told_when_it_has_the_frame(stills: ExactStills) -> None:
    quick, slow = Taker(), Taker()
    stills.use(is_exact=True)
    stills.attach("quick", "H264", quick)
    stills.attach("slow", "VP8", slow)
    stills.encoded(encoded(0, 100, "VP8"))
    stills.show(frame(1))
    stills.encoded(encoded(1, 200))
    still, _ = quick.next()
    assert slow.got.empty()
    stills.encoded(encoded(1, 200, "VP8"))
    assert slow.next() == (still, 200)


def test_a_view_that_left_is_told_nothing(stills: ExactStills) -> None:
    stays, leaves = Taker(), Taker()
    stills.use(is_exact=True)
    stills.attach("stays", "H264", stays)
    stills.attach("leaves", "H264", leaves)
    stills.detach("leaves")
    stills.show(frame(0))
    stills.encoded(encoded(0, 100))
    stays.next()
    assert leaves.got.empty()


def test_another_quality_makes_no_still_and_has_no_thread(stills: ExactStills) -> None:
    view = Taker()
    stills.use(is_exact=False)
    stills.attach("a", "H264", view)
    stills.show(frame(0))
    stills.encoded(encoded(0, 100))
    assert all(thread.name != "reactor-still-test" for thread in threading.enumerate())
    stills.use(is_exact=True)
    stills.show(frame(0))
    stills.encoded(encoded(0, 200))
    assert view.next()[1] == 200


def test_a_still_that_the_next_frame_overtakes_is_wasted_and_reaches_nobody(stills: ExactStills) -> None:
    view = Taker()
    stills.use(is_exact=True)
    stills.attach("a", "H264", view)
    # Noise of 4K takes a quarter of a second to pack.
    noise = picture(1, 2160, 3840)
    frames = (BufferedFrame(noise[:: 1 - 2 * (number % 2)].copy(), number, 0.0, 0.0) for number in itertools.count())

    def is_overtaken() -> bool:
        stills.show(next(frames))
        return bool(stills.counts()["wasted"])

    eventually(is_overtaken, timeout_s=20.0, interval_s=QUIET_S + 0.02)
    assert view.got.empty()
    assert stills.counts()["made"] == 0


def test_a_closed_stream_has_no_still_thread() -> None:
    stills = ExactStills("closing")
    stills.use(is_exact=True)
    stills.attach("a", "H264", Taker())
    stills.show(frame(0))
    assert stills.close(2.0)
    assert all(thread.name != "reactor-still-closing" for thread in threading.enumerate())
    stills.show(frame(1))
    assert stills.close(2.0)
