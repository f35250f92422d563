"""What is said of frames is checked field by field: garbage is an error, never a crash or a wild view."""

from __future__ import annotations

import dataclasses
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_nb.transport.process.notices import (
    MAX_BYTES,
    MAX_NOTICE_BYTES,
    VERSION,
    BlockNotice,
    BoardNotice,
    EndNotice,
    Layout,
    Notice,
    NoticeError,
    SegmentNotice,
    pack,
    unpack,
)

BLOCK = BlockNotice(
    stream_id=3,
    session_no=7,
    segment_id=5,
    offset=0,
    count=2,
    height_px=480,
    width_px=640,
    layout=Layout.RGB,
    first_number=11,
    emitted_s=100.25,
    converted_s=math.nan,
    first_due_s=100.5,
    interval_s=0.04,
)

_IDS = st.integers(0, 2**32 - 1)
_TIMES = st.floats(0, 900_000)
BLOCKS = st.builds(
    BlockNotice,
    stream_id=_IDS,
    session_no=_IDS,
    segment_id=st.integers(0, 2**64 - 1),
    offset=st.integers(0, MAX_BYTES),
    count=st.integers(1, 16),
    height_px=st.integers(1, 2048).map(lambda half: 2 * half),
    width_px=st.integers(1, 2048).map(lambda half: 2 * half),
    layout=st.sampled_from(Layout),
    first_number=st.integers(0, 2**40),
    emitted_s=_TIMES,
    converted_s=_TIMES,
    first_due_s=_TIMES,
    interval_s=st.floats(0, 86_400),
)
NOTICES: st.SearchStrategy[Notice] = st.one_of(
    BLOCKS,
    st.builds(SegmentNotice, segment_id=st.integers(0, 2**64 - 1), size_bytes=st.integers(1, MAX_BYTES)),
    st.builds(BoardNotice, size_bytes=st.integers(1, MAX_BYTES)),
    st.builds(EndNotice, stream_id=_IDS, session_no=_IDS, is_dropping=st.booleans()),
)


@given(NOTICES)
def test_what_is_packed_comes_out_the_same(notice: Notice) -> None:
    record = pack(notice)
    assert len(record) <= MAX_NOTICE_BYTES
    assert unpack(record) == notice


def test_a_time_that_is_not_known_stays_unknown() -> None:
    notice = unpack(pack(BLOCK))
    assert isinstance(notice, BlockNotice)
    assert math.isnan(notice.converted_s)


@given(st.binary(max_size=300))
def test_garbage_is_refused_or_read_as_something_that_can_be_packed(record: bytes) -> None:
    try:
        notice = unpack(record)
    except NoticeError:
        return
    assert unpack(pack(notice)) == notice or "nan" in repr(notice)


@given(NOTICES, st.data())
def test_a_record_with_a_wrong_byte_is_refused_or_is_another_sound_notice(notice: Notice, data: st.DataObject) -> None:
    record = bytearray(pack(notice))
    record[data.draw(st.integers(0, len(record) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = unpack(bytes(record))
    except NoticeError:
        return
    if isinstance(read, BlockNotice):
        assert 0 < read.size_bytes <= MAX_BYTES
        assert 0 <= read.offset <= MAX_BYTES


@given(NOTICES, st.integers(1, 40))
def test_a_record_that_is_too_short_or_too_long_is_refused(notice: Notice, by: int) -> None:
    record = pack(notice)
    with pytest.raises(NoticeError):
        unpack(record[:-by])
    with pytest.raises(NoticeError):
        unpack(record + b"\0" * by)


def test_a_record_of_another_version_is_refused() -> None:
    with pytest.raises(NoticeError, match=f"version {VERSION + 1}"):
        unpack(bytes([VERSION + 1]) + pack(BLOCK)[1:])


@pytest.mark.parametrize(
    "field",
    [
        {"count": 0},
        {"count": 1 << 20},
        {"height_px": 0},
        {"width_px": 1 << 17},
        {"offset": MAX_BYTES + 1},
        {"layout": Layout.I420, "height_px": 481},
        {"layout": Layout.I420, "width_px": 641},
        {"emitted_s": math.nan},
        {"emitted_s": math.inf},
        {"converted_s": math.inf},
        {"first_due_s": math.nan},
        {"first_due_s": -math.inf},
        {"first_due_s": 1e9},
        {"interval_s": math.nan},
        {"interval_s": -0.1},
        {"interval_s": math.inf},
        {"first_number": 1 << 63},
        {"count": 60_000, "height_px": 60_000, "width_px": 60_000},
        {"stream_id": 1 << 32},
        {"stream_id": -1},
    ],
    ids=repr,
)
def test_a_field_that_cannot_be_is_refused_before_it_is_sent(field: dict[str, float]) -> None:
    with pytest.raises(NoticeError):
        pack(dataclasses.replace(BLOCK, **field))  # type: ignore[arg-type]


def test_memory_of_no_size_is_refused() -> None:
    with pytest.raises(NoticeError):
        unpack(struct.pack("<BBxxQQ", VERSION, 1, 5, 0))


def test_the_shape_follows_the_layout() -> None:
    assert BLOCK.shape == (2, 480, 640, 3)
    planes = dataclasses.replace(BLOCK, layout=Layout.I420)
    assert planes.shape == (2, 720, 640)
    assert planes.size_bytes * 2 == BLOCK.size_bytes
