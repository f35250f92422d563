"""A session whose model makes its frames on a device."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb import VideoModel, get_ctx, model
from reactor_nb.core import device_frames
from reactor_nb.core.device_frames import Ready
from reactor_nb.core.frames import DeviceLayout
from reactor_nb.errors import ModelFailedError
from tests.support.eventually import eventually
from tests.support.host_port import HostPort
from tests.unit.core.stage import staged

if find_spec("torch") is not None:  # else the mark below deselects every test
    import torch

pytestmark = pytest.mark.needs_torch

FRAMES = 12


def picture(number: int) -> NDArray[np.uint8]:
    pixels = np.random.default_rng(number).integers(0, 256, (32, 48, 3), np.uint8)
    pixels[:16, :16] = number * 20  # flat, so that its luma says which frame it is
    return pixels


@model(name="on-a-device")
class OnADevice(VideoModel):
    """Emits tensors and, every third time, an array."""

    def start_session(self) -> None:
        for number in range(FRAMES):
            is_array = number % 3 == 2
            get_ctx().emit_block(picture(number) if is_array else torch.from_numpy(picture(number)))


@pytest.fixture(autouse=True)
def tensors_in_host_memory_are_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(device_frames.PORTS, "cpu", lambda torch, device: HostPort())
    monkeypatch.setattr(device_frames, "_open_ports", {})


def number_of(pixels: NDArray[np.uint8]) -> int:
    """Which picture it is, from its planes or its RGB."""
    corner = float(pixels[4:12, 4:12].mean())
    return round((corner - 16) * 255 / 219 / 20) if pixels.ndim == 2 else round(corner / 20)


@pytest.mark.parametrize("layout", [DeviceLayout.RGB, DeviceLayout.PLANES, None])
def test_frames_of_device_and_host_are_shown_in_the_order_of_their_emission(layout: DeviceLayout | None) -> None:
    with staged(OnADevice, device_layout=layout) as stage:
        session = stage.play()
        session.result(10)
        eventually(lambda: len(stage.shown) == FRAMES)
        assert [number_of(frame.pixels) for frame in stage.shown] == list(range(FRAMES))
        planar = [frame.pixels.ndim == 2 for frame in stage.shown]
        assert planar == [layout is DeviceLayout.PLANES and number % 3 != 2 for number in range(FRAMES)]
        stats = session.stats()
        assert (stats["produced"], stats["width_px"], stats["height_px"]) == (FRAMES, 48, 32)


@model(name="one-frame")
class OneFrame(VideoModel):
    """Emits one tensor, then waits for the stop."""

    def start_session(self) -> None:
        get_ctx().emit_block(torch.from_numpy(picture(1)).float() / 255)
        while not get_ctx().should_stop():
            pass


def test_the_newest_frame_is_exact_while_it_plays_and_when_it_has_ended() -> None:
    with staged(OneFrame, device_layout=DeviceLayout.PLANES) as stage:
        session = stage.play()
        assert session.wait(5, frames=1)
        frame = session.frame()
        assert frame is not None
        assert np.array_equal(frame, picture(1))
        frame[:] = 0  # the caller's own
        session.stop()
        after = session.frame()
        assert after is not None
        assert np.array_equal(after, picture(1))
        assert np.array_equal(session.snapshot().pixels, picture(1))


class FailingPort(HostPort):
    """A device on which everything fails, as it turns out when it is waited for."""

    def copy_out(self, sources: Sequence[Any]) -> tuple[list[NDArray[Any]], Ready]:
        return super().copy_out(sources)[0], self

    def wait(self) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


@model(name="fails-late")
class FailsLate(VideoModel):
    """Its only frame fails after emit_block has returned."""

    def start_session(self) -> None:
        get_ctx().emit_block(torch.zeros((32, 48, 3)))


def test_what_fails_on_the_device_after_the_last_emission_fails_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(device_frames.PORTS, "cpu", lambda torch, device: FailingPort())
    with staged(FailsLate, device_layout=DeviceLayout.PLANES) as stage:
        session = stage.play()
        with pytest.raises(ModelFailedError, match="illegal memory access"):
            session.result(10)
        assert session.state == "failed"
        assert session.frame() is None
