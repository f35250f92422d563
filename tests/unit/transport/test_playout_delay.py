from __future__ import annotations

import pytest

from reactor_nb.transport.playout_delay import PlayoutDelayMap


class Inner:
    def __init__(self, profile: int, value: bytes) -> None:
        self.packed = (profile, value)

    def set(self, values: object) -> tuple[int, bytes]:
        return self.packed


@pytest.mark.parametrize("inner", [Inner(0, b""), Inner(0xBEDE, b"\x10a\x00\x00")])
def test_a_delay_of_nothing_is_added_to_each_packet(inner: Inner) -> None:
    assert PlayoutDelayMap(inner, 5).set(None) == (0xBEDE, inner.packed[1] + b"\x52\x00\x00\x00")


def test_ids_above_fourteen_wait_for_the_two_byte_form() -> None:
    assert PlayoutDelayMap(Inner(0x1000, b"\x10\x01a\x00"), 20).set(None) == (
        0x1000,
        b"\x10\x01a\x00\x14\x03\x00\x00\x00\x00\x00\x00",
    )
    assert PlayoutDelayMap(Inner(0xBEDE, b"\x10a\x00\x00"), 20).set(None) == (0xBEDE, b"\x10a\x00\x00")
