"""Frames that a device has made planes of: a page decodes them as it decodes the others."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb.core import device_frames
from reactor_nb.core.buffer import FrameSink
from reactor_nb.core.device_frames import start_copy
from reactor_nb.core.frames import to_block
from reactor_nb.media.link import MediaLink, StreamSettings
from reactor_nb.media.quality import Quality
from tests.loopback.conftest import OpenPage, picture
from tests.support import barcode
from tests.support.eventually import eventually
from tests.support.host_port import HostPort

if find_spec("torch") is not None:  # else the mark below deselects every test
    import torch

pytestmark = [pytest.mark.loopback, pytest.mark.needs_torch]

PATCHES = ((200, 30, 90), (30, 200, 60), (20, 40, 220), (255, 255, 255), (0, 0, 0), (128, 128, 128), (250, 220, 10))


@pytest.fixture(autouse=True)
def tensors_in_host_memory_are_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(device_frames.PORTS, "cpu", lambda torch, device: HostPort())
    monkeypatch.setattr(device_frames, "_open_ports", {})


def emit(sink: FrameSink, pixels: NDArray[np.uint8]) -> bool:
    """Emit as from a device; whether it came as planes."""
    assert sink.device_layout is not None
    block = start_copy(torch.from_numpy(pixels), layout=sink.device_layout)
    assert block is not None
    whole = block.wait()
    sink.put(whole)
    return whole.is_planar


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_flat_patches_keep_their_colour_within_two_percent(codec: str, link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", StreamSettings(rate_fps=60.0))
    page = open_page(codecs=(codec, "rtx"))
    assert emit(sink, np.repeat(np.array([PATCHES], np.uint8), 48, axis=1).repeat(64, axis=0).copy())
    eventually(lambda: len(page.frames) > 0)
    for index, patch in enumerate(PATCHES):
        middle = page.frames[-1][16:48, index * 48 + 16 : index * 48 + 32].mean(axis=(0, 1))
        assert np.abs(middle - patch).max() <= 0.02 * 255, (patch, middle)
    announced = page.next_message("stream")
    assert (announced["width_px"], announced["height_px"]) == (48 * len(PATCHES), 64)


def test_frames_of_device_and_host_may_take_turns(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", StreamSettings(rate_fps=60.0))
    page = open_page()
    for number in range(10):
        if number % 2:
            sink.put(to_block(picture(number)))
        else:
            emit(sink, picture(number))
    eventually(lambda: bool(page.frames) and barcode.read(page.frames[-1]) == 9)


@pytest.mark.parametrize(
    ("quality", "is_planar"), [("low", True), ("balanced", True), ("high", False), ("exact", False)]
)
def test_where_every_pixel_keeps_its_colour_frames_come_as_rgb(
    quality: Quality, is_planar: bool, link: MediaLink
) -> None:
    sink = link.open_stream("plasma", StreamSettings(rate_fps=60.0, quality=quality))
    assert emit(sink, picture(1)) is is_planar
