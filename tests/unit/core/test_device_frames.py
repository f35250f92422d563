"""Frames of a device, through a port for tensors in host memory: what is queued, waited for, kept and copied."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb.core import device_frames
from reactor_nb.core.device_frames import CudaPort, PendingBlock, Ready, start_copy
from reactor_nb.core.frames import Block, DeviceLayout, to_block
from reactor_nb.core.handover import AHEAD_BLOCKS, Handover
from reactor_nb.errors import FrameShapeError, FrameTypeError
from tests.support.eventually import eventually
from tests.support.host_port import HostPort

if find_spec("torch") is not None:  # else the mark below deselects every test
    import torch

pytestmark = pytest.mark.needs_torch


@pytest.fixture(autouse=True)
def tensors_in_host_memory_are_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(device_frames.PORTS, "cpu", lambda torch, device: HostPort())
    monkeypatch.setattr(device_frames, "_open_ports", {})


def picture(seed: int = 1, height_px: int = 36, width_px: int = 64) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), np.uint8)


def copied(frames: Any, layout: DeviceLayout = DeviceLayout.RGB, **options: Any) -> Block:
    pending = start_copy(frames, layout=layout, **options)
    assert pending is not None
    return pending.wait()


@pytest.mark.parametrize(
    "view",
    [
        lambda t: t,
        lambda t: t.permute(2, 0, 1),
        lambda t: t.permute(2, 0, 1)[None],
        lambda t: t.permute(2, 0, 1)[None, :, None],
        lambda t: t[None],
        lambda t: t.repeat_interleave(2, dim=1)[:, ::2],
        lambda t: (t.float() / 255).requires_grad_(),
        lambda t: (t.float() / 255).half(),
        lambda t: (t.float() / 255).double().permute(2, 0, 1),
    ],
)
def test_every_tensor_gives_the_same_rgb_as_one_in_host_memory(view: Any) -> None:
    tensor = view(torch.from_numpy(picture()))
    block = copied(tensor)
    assert np.array_equal(block.frames, to_block(tensor).frames)
    assert np.array_equal(block.newest.copy(), picture())
    assert (block.height_px, block.width_px, block.is_planar) == (36, 64, False)


def test_bfloat16_is_as_exact_as_it_can_be() -> None:
    floats = (torch.from_numpy(picture()).float() / 127.5 - 1).bfloat16()
    block = copied(floats, value_range=(-1, 1))
    assert np.abs(block.frames[0].astype(int) - picture()).max() <= 2


@pytest.mark.parametrize("size", [(36, 64), (720, 1280), (16, 16)])
def test_planes_are_those_of_swscale_within_one_level(size: tuple[int, int]) -> None:
    from reactor_nb.media.pixels import PlaneConverter

    pixels = picture(2, *size)
    block = copied(torch.from_numpy(pixels), DeviceLayout.PLANES)
    height_px, width_px = size
    assert block.frames.shape == (1, height_px * 3 // 2, width_px)
    assert (block.is_planar, block.height_px, block.width_px) == (True, height_px, width_px)
    expected = PlaneConverter().to_planes(pixels).to_ndarray(format="yuv420p")
    assert np.abs(block.frames[0].astype(int) - expected).max() <= 1
    assert np.array_equal(block.newest.copy(), pixels)


@pytest.mark.parametrize("size", [(35, 64), (36, 63), (8, 64)])
def test_what_encoders_would_pad_comes_as_rgb(size: tuple[int, int]) -> None:
    block = copied(torch.from_numpy(picture(1, *size)), DeviceLayout.PLANES)
    assert np.array_equal(block.frames[0], picture(1, *size))


def test_of_a_long_block_the_last_frame_is_kept() -> None:
    frames = np.stack([picture(seed) for seed in range(81)])
    block = copied(torch.from_numpy(frames), DeviceLayout.PLANES)
    assert len(block) == 81
    assert block.newest.shape == (36, 64, 3)
    assert np.array_equal(block.newest.copy(), frames[-1])


def test_large_blocks_are_converted_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = torch.from_numpy(np.stack([picture(seed) for seed in range(5)])).float() / 255
    whole = copied(frames, DeviceLayout.PLANES)
    monkeypatch.setattr("reactor_nb.core.tensors._GROUP_VALUES", 2 * 36 * 64 * 3)
    assert np.array_equal(copied(frames, DeviceLayout.PLANES).frames, whole.frames)


@pytest.mark.parametrize("layout", list(DeviceLayout))
def test_the_author_may_write_to_the_tensor_at_once(layout: DeviceLayout) -> None:
    tensor = torch.from_numpy(picture().copy())
    pending = start_copy(tensor, layout=layout)
    tensor.zero_()
    assert pending is not None
    assert np.array_equal(pending.wait().newest.copy(), picture())


def test_clipped_values_and_nan_ride_along() -> None:
    floats = torch.full((36, 64, 3), 0.5)
    floats[0, 0] = math.nan
    floats[1, 0] = 2.0
    block = copied(floats, DeviceLayout.PLANES)
    assert (block.clipped, block.nan) == (3, 3)
    assert block.newest.copy()[:2, 0].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_what_is_no_frame_is_refused_as_everywhere() -> None:
    with pytest.raises(FrameTypeError, match="uint8"):
        start_copy(torch.zeros((8, 12, 3), dtype=torch.int32))
    with pytest.raises(FrameShapeError, match=r"\(1, 4, 64, 64\)"):
        start_copy(torch.zeros((1, 4, 64, 64)))


@pytest.mark.parametrize("frames", [np.zeros((8, 12, 3), np.uint8), None, [1, 2]])
def test_what_is_no_tensor_is_left_to_others(frames: Any) -> None:
    assert start_copy(frames) is None


def test_an_empty_tensor_is_left_to_others() -> None:
    assert start_copy(torch.zeros((0, 8, 12, 3))) is None


class FakeCuda:
    """What CudaPort uses of torch, on a machine without a card: writes down the order of what is asked."""

    def __init__(self, *, has_pinned: bool) -> None:
        self.said: list[str] = []
        self.current = "model"
        self.has_pinned = has_pinned
        self.cuda = SimpleNamespace(
            Stream=lambda device: self.Stream(self),
            Event=lambda blocking: self.Event(self, blocking),
            current_stream=lambda device: self.current,
            device=lambda device: self.Entered(self, None),
            stream=lambda stream: self.Entered(self, "side"),
        )

    def empty(self, shape: Any, *, dtype: Any, device: str, pin_memory: bool = False) -> Any:
        assert device == "cpu"
        if pin_memory and not self.has_pinned:
            raise RuntimeError("no pinned memory")
        return torch.empty(shape, dtype=dtype)

    class Stream:
        def __init__(self, fake: FakeCuda) -> None:
            self.fake = fake

        def wait_stream(self, stream: str) -> None:
            self.fake.said.append(f"side waits for {stream}")

    class Event:
        def __init__(self, fake: FakeCuda, blocking: bool) -> None:
            self.fake = fake
            assert blocking

        def record(self, stream: FakeCuda.Stream) -> None:
            self.fake.said.append(f"event on {self.fake.current}")

        def synchronize(self) -> None:
            self.fake.said.append("waited")

    class Entered:
        def __init__(self, fake: FakeCuda, stream: str | None) -> None:
            self.fake, self.stream = fake, stream

        def __enter__(self) -> None:
            self.before = self.fake.current
            self.fake.current = self.stream or self.before

        def __exit__(self, *_: object) -> None:
            self.fake.current = self.before


class OnCuda:
    """A tensor that says on which stream it is copied."""

    def __init__(self, fake: FakeCuda, tensor: Any) -> None:
        self.fake = fake
        self.tensor = tensor
        self.shape, self.dtype = tensor.shape, tensor.dtype

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        target, source = args
        assert kwargs == {"non_blocking": True}
        source.fake.said.append(f"copied on {source.fake.current}")
        return target.copy_(source.tensor)

    def record_stream(self, stream: FakeCuda.Stream) -> None:
        self.fake.said.append("kept for the side")


@pytest.mark.parametrize("has_pinned", [True, False])
def test_on_cuda_the_copy_waits_for_the_model_and_the_model_not_for_the_copy(has_pinned: bool) -> None:
    fake = FakeCuda(has_pinned=has_pinned)
    port = CudaPort(fake, "cuda:0")  # type: ignore[arg-type]
    arrays, ready = port.copy_out([OnCuda(fake, torch.from_numpy(picture()))])
    assert fake.said == ["side waits for model", "copied on side", "kept for the side", "event on side"]
    assert np.array_equal(arrays[0], picture())
    ready.wait()
    assert fake.said[-1] == "waited"
    assert fake.current == "model"


class SlowPort(HostPort):
    """A device that is done when the test says so."""

    def __init__(self) -> None:
        self.turns: list[SlowPort.Turn] = []

    class Turn:
        def __init__(self) -> None:
            self.is_done = threading.Event()
            self.error: Exception | None = None

        def wait(self) -> None:
            assert self.is_done.wait(5.0)
            if self.error is not None:
                raise self.error

    def copy_out(self, sources: Sequence[Any]) -> tuple[list[NDArray[Any]], Ready]:
        turn = self.Turn()
        self.turns.append(turn)
        return super().copy_out(sources)[0], turn


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> SlowPort:
    port = SlowPort()
    monkeypatch.setitem(device_frames.PORTS, "cpu", lambda torch, device: port)
    return port


def pending(seed: int) -> PendingBlock:
    block = start_copy(torch.from_numpy(picture(seed)))
    assert block is not None
    return block


def test_blocks_are_handed_on_when_they_are_there_and_in_order(port: SlowPort) -> None:
    taken: list[Block] = []
    handover = Handover("test", taken.append)
    for seed in range(AHEAD_BLOCKS):
        handover.put(pending(seed))
    assert taken == []
    port.turns[1].is_done.set()
    assert taken == []
    port.turns[0].is_done.set()
    assert handover.flush(5.0)
    assert [int(block.frames[0, 0, 0, 0]) for block in taken] == [int(picture(seed)[0, 0, 0]) for seed in range(2)]
    handover.close(5.0)


def test_a_model_runs_ahead_of_its_device_by_so_many_blocks_and_no_more(port: SlowPort) -> None:
    handover = Handover("test", lambda block: None)
    put: list[int] = []

    def model() -> None:
        for seed in range(AHEAD_BLOCKS + 1):
            handover.put(pending(seed))
            put.append(seed)

    thread = threading.Thread(target=model)
    thread.start()
    eventually(lambda: len(port.turns) == AHEAD_BLOCKS + 1)
    assert put == list(range(AHEAD_BLOCKS))
    port.turns[0].is_done.set()
    eventually(lambda: len(put) == AHEAD_BLOCKS + 1)
    for turn in port.turns:
        turn.is_done.set()
    thread.join(5.0)
    handover.close(5.0)


def test_a_model_that_the_clock_holds_gets_control_back_with_its_own_frame(
    port: SlowPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reactor_nb.core.handover._HELD_S", -1.0)  # however short it was held
    handover = Handover("test", lambda block: None)
    first, second = pending(0), pending(1)
    port.turns[0].is_done.set()
    handover.put(first)
    assert handover.flush(5.0)
    returned = threading.Event()

    def model() -> None:
        handover.put(second)
        returned.set()

    thread = threading.Thread(target=model)
    thread.start()
    assert not returned.wait(0.05)
    port.turns[1].is_done.set()
    assert returned.wait(5.0)
    thread.join(5.0)
    handover.close(5.0)


def test_what_fails_on_the_device_is_raised_by_the_next_call_and_once(port: SlowPort) -> None:
    taken: list[Block] = []
    handover = Handover("test", taken.append)
    first = pending(0)
    port.turns[0].error = RuntimeError("CUDA error: an illegal memory access")
    port.turns[0].is_done.set()
    handover.put(first)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        handover.flush(5.0)
    second = pending(1)
    port.turns[1].is_done.set()
    handover.put(second)
    assert handover.flush(5.0)
    assert len(taken) == 1
    handover.close(5.0)


def test_a_device_that_does_not_answer_holds_the_end_up_no_longer_than_allowed(port: SlowPort) -> None:
    handover = Handover("test", lambda block: None)
    handover.put(pending(0))
    handover.close(0.05)
    port.turns[0].is_done.set()
    handover.close(5.0)
    assert all(thread.name != "reactor-frames-test" for thread in threading.enumerate())


def test_a_closed_handover_takes_a_block_itself_and_keeps_nobody_waiting() -> None:
    taken: list[Block] = []
    handover = Handover("test", taken.append)
    handover.close(5.0)
    handover.put(pending(1))
    assert len(taken) == 1
    assert handover.flush(1.0)


class Overwriting(HostPort):
    """What is queued behind the copy finds other pixels: only what was queued before it is covered by its end."""

    def copy_out(self, sources: Sequence[Any]) -> tuple[list[NDArray[Any]], Ready]:
        arrays, ready = super().copy_out(sources)
        for source in sources:
            source.zero_()
        return arrays, ready


def test_the_frame_that_is_kept_of_a_block_is_there_when_the_copy_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(device_frames.PORTS, "cpu", lambda torch, device: Overwriting())
    block = copied(torch.from_numpy(np.stack([picture(1), picture(2)])))
    monkeypatch.setattr(Overwriting, "copy_out", HostPort.copy_out)
    assert np.array_equal(block.newest.copy(), picture(2))
