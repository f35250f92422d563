"""What the kernel tells the media process of frames in shared memory: fixed binary records, every field checked.

One record is one packet of a seqpacket socket, about a hundred bytes; pixels never travel on it. A record that
announces memory carries its file descriptor.
"""

from __future__ import annotations

import enum
import math
import struct
from dataclasses import dataclass
from typing import Any, TypeAlias

VERSION = 1
"""Goes up with every change of a record; each record begins with it."""

MAX_NOTICE_BYTES = 256
MAX_SIDE_PX = 1 << 16
MAX_FRAMES = 1 << 16
MAX_BYTES = 1 << 40
_MAX_INTERVAL_S = 86_400.0
_MAX_AHEAD_S = 1_000_000.0

_HEAD = struct.Struct("<BBxx")
_MEMORY = struct.Struct("<QQ")
_BLOCK = struct.Struct("<IIQQIIIB3xQdddd")
_END = struct.Struct("<II")


class NoticeError(ValueError):
    """A record that is none, or whose fields cannot be."""


class Layout(enum.IntEnum):
    """How the pixels of a block lie in memory."""

    RGB = 0
    """(N, H, W, 3) uint8."""
    I420 = 1
    """(N, H * 3 / 2, W) uint8, height and width even: planes Y, U, V, one below the other."""


class Kind(enum.IntEnum):
    SEGMENT = 1
    BOARD = 2
    BLOCK = 3
    FINISH = 4
    CLOSE = 5


@dataclass(frozen=True, slots=True)
class SegmentNotice:
    """Memory for blocks, with its descriptor: a page of state and then `size_bytes` for pixels."""

    segment_id: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class BoardNotice:
    """Memory where the media process counts what it plays, with its descriptor."""

    size_bytes: int


@dataclass(frozen=True, slots=True)
class BlockNotice:
    """A block that lies in a segment announced before, from `offset` of its pixels on.

    `height_px`, `width_px`: of one frame, whatever the layout. Times are of time.monotonic(); `converted_s` may
    be nan. Frame i of the block is due at first_due_s + i * interval_s.
    """

    stream_id: int
    session_no: int
    segment_id: int
    offset: int
    count: int
    height_px: int
    width_px: int
    layout: Layout
    first_number: int
    emitted_s: float
    converted_s: float
    first_due_s: float
    interval_s: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array: (N, H, W, 3), or (N, H * 3 / 2, W)."""
        if self.layout is Layout.RGB:
            return self.count, self.height_px, self.width_px, 3
        return self.count, self.height_px * 3 // 2, self.width_px

    @property
    def size_bytes(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class EndNotice:
    """No more blocks of a session: what waits is played, or dropped if `is_dropping`."""

    stream_id: int
    session_no: int
    is_dropping: bool


Notice: TypeAlias = SegmentNotice | BoardNotice | BlockNotice | EndNotice


def pack(notice: Notice) -> bytes:
    """The record of a notice.

    Raises:
        NoticeError: a field that the other side would refuse.
    """
    _check(notice)
    try:
        match notice:
            case BlockNotice():
                return _HEAD.pack(VERSION, Kind.BLOCK) + _BLOCK.pack(
                    notice.stream_id,
                    notice.session_no,
                    notice.segment_id,
                    notice.offset,
                    notice.count,
                    notice.height_px,
                    notice.width_px,
                    notice.layout,
                    notice.first_number,
                    notice.emitted_s,
                    notice.converted_s,
                    notice.first_due_s,
                    notice.interval_s,
                )
            case SegmentNotice():
                return _HEAD.pack(VERSION, Kind.SEGMENT) + _MEMORY.pack(notice.segment_id, notice.size_bytes)
            case BoardNotice():
                return _HEAD.pack(VERSION, Kind.BOARD) + _MEMORY.pack(0, notice.size_bytes)
            case EndNotice():
                kind = Kind.CLOSE if notice.is_dropping else Kind.FINISH
                return _HEAD.pack(VERSION, kind) + _END.pack(notice.stream_id, notice.session_no)
    except struct.error as error:
        raise NoticeError(f"{notice} does not fit into its record: {error}") from error


def unpack(record: bytes) -> Notice:
    """The notice of a record. Whether its block lies within the segment is for the caller, who knows the segment.

    Raises:
        NoticeError: of another version, length or kind, or with a field that cannot be.
    """
    if len(record) < _HEAD.size:
        raise NoticeError(f"a record of {len(record)} bytes came; it needs {_HEAD.size} at least")
    version, kind = _HEAD.unpack_from(record)
    if version != VERSION:
        raise NoticeError(f"a record of version {version} came; this side speaks {VERSION}")
    try:
        notice = _read(kind, record[_HEAD.size :])
    except struct.error as error:
        raise NoticeError(f"a record of kind {kind} came with {len(record)} bytes: {error}") from error
    _check(notice)
    return notice


def _read(kind: int, body: bytes) -> Notice:
    match kind:
        case Kind.BLOCK:
            fields: list[Any] = list(_BLOCK.unpack(body))
            if fields[7] not in (Layout.RGB, Layout.I420):
                raise NoticeError(f"a block of layout {fields[7]} came; 0 and 1 are known")
            fields[7] = Layout(fields[7])
            return BlockNotice(*fields)
        case Kind.SEGMENT:
            return SegmentNotice(*_MEMORY.unpack(body))
        case Kind.BOARD:
            return BoardNotice(_MEMORY.unpack(body)[1])
        case Kind.FINISH | Kind.CLOSE:
            stream_id, session_no = _END.unpack(body)
            return EndNotice(stream_id, session_no, kind == Kind.CLOSE)
    raise NoticeError(f"a record of kind {kind} came; 1 to {max(Kind)} are known")


def _check(notice: Notice) -> None:
    if isinstance(notice, SegmentNotice | BoardNotice):
        if not 0 < notice.size_bytes <= MAX_BYTES:
            raise NoticeError(f"memory of {notice.size_bytes} bytes; it needs 1 to {MAX_BYTES}")
    elif isinstance(notice, BlockNotice):
        _check_block(notice)


def _check_block(block: BlockNotice) -> None:
    if not (0 < block.height_px <= MAX_SIDE_PX and 0 < block.width_px <= MAX_SIDE_PX):
        raise NoticeError(f"frames of {block.width_px}x{block.height_px}; a side needs 1 to {MAX_SIDE_PX} pixels")
    if not 0 < block.count <= MAX_FRAMES:
        raise NoticeError(f"a block of {block.count} frames; it needs 1 to {MAX_FRAMES}")
    if block.layout is Layout.I420 and (block.height_px % 2 or block.width_px % 2):
        raise NoticeError(f"planes of {block.width_px}x{block.height_px}; both sides need to be even")
    if block.offset > MAX_BYTES or block.size_bytes > MAX_BYTES:
        raise NoticeError(f"a block of {block.size_bytes} bytes at {block.offset}; at most {MAX_BYTES} are taken")
    if block.first_number >= 1 << 62:
        raise NoticeError(f"a block that begins with frame {block.first_number}")
    if not (math.isfinite(block.emitted_s) and math.isfinite(block.first_due_s)) or math.isinf(block.converted_s):
        raise NoticeError(f"a block emitted at {block.emitted_s}, due at {block.first_due_s}; times are finite")
    if abs(block.first_due_s - block.emitted_s) > _MAX_AHEAD_S:
        raise NoticeError(f"a block emitted at {block.emitted_s} is due at {block.first_due_s}")
    if not 0 <= block.interval_s <= _MAX_INTERVAL_S:
        raise NoticeError(f"a block with {block.interval_s} s between its frames; it needs 0 to {_MAX_INTERVAL_S:g}")
