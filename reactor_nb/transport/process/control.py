"""What the kernel and its media process say to each other: JSON with bytes beside it, every field checked.

A message is two lengths, its JSON, and the bytes of the one field of kind `bytes`, where its table has one. Frames of
the model do not go this way (notices.py); what was encoded for pages by comm does. Nothing is ever unpickled, and
neither side believes the other: a message that is not in the tables below ends the connection, and with it the media
process.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from reactor_nb.errors import MessageError

CONTROL_VERSION = 2
"""Goes up with every change of the tables. The first message of each side carries it."""

MAX_BYTES = 4 * 1024 * 1024
"""Of one message; the largest are the statistics of many views, some 100 kB."""

MAX_PAYLOAD_BYTES = 32 * 1024 * 1024
"""Of the bytes beside it; the largest are stills: 6 MB for noise of 1080p, 25 MB for that of 4K."""

Message: TypeAlias = dict[str, Any]
Table: TypeAlias = Mapping[str, Mapping[str, str]]

TO_MEDIA: Table = {
    "hello": {"version": "int", "package": "str"},
    "open": {"id": "int", "name": "str", "stream": "int", "session": "int", "settings": "object"},
    "offer": {"id": "int", "name": "str", "view_id": "str", "sdp": "str", "settings": "object"},
    "close_view": {"name": "str", "view_id": "str"},
    "carry": {"name": "str", "view_id": "str", "codecs": "strings", "is_watching": "bool"},
    "heard": {"name": "str", "view_id": "str", "message": "object"},
    "deafen": {"is_deaf": "bool"},
    "send": {"name": "str", "view_id": "str|null", "text": "str"},
    "stats": {"id": "int", "name": "str"},
    "timeline": {"id": "int", "name": "str"},
    "close_name": {"id": "int", "name": "str"},
    "close": {"timeout_s": "number"},
}
"""Kernel to media process. What has an `id` is answered by one `done` or `failed` of that id, `close` by the end."""

TO_KERNEL: Table = {
    "ready": {"version": "int", "package": "str", "pid": "int"},
    "done": {"id": "int", "result": "any"},
    "failed": {"id": "int", "error": "object"},
    "said": {"name": "str", "view_id": "str", "message": "object"},
    "packet": {"name": "str", "message": "object", "payload": "bytes"},
    "views": {"name": "str", "open": "strings"},
    "log": {"text": "str"},
}
"""Media process to kernel."""

_LENGTHS = struct.Struct("!II")

_CHECKS: dict[str, Callable[[Any], bool]] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
    "strings": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "bool": lambda value: isinstance(value, bool),
    "bytes": lambda value: isinstance(value, bytes),
    "any": lambda value: True,
}


def pack(message: Message, table: Table) -> bytes:
    """The bytes of one message.

    Raises:
        MessageError: `table` does not have it, it is no JSON, or it is larger than MAX_BYTES or MAX_PAYLOAD_BYTES.
    """
    check(message, table)
    beside = _bytes_field(table[message["type"]])
    payload: bytes = message[beside] if beside else b""
    said = {name: value for name, value in message.items() if name != beside} if beside else message
    try:
        body = json.dumps(said, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise MessageError(f"A {message['type']} message for the media process is no JSON: {error}.") from error
    if len(body) > MAX_BYTES:
        raise MessageError(f"A {message['type']} message of {len(body)} bytes came; at most {MAX_BYTES} are sent.")
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise MessageError(
            f"A {message['type']} message with {len(payload)} bytes came; at most {MAX_PAYLOAD_BYTES} are sent."
        )
    return b"".join((_LENGTHS.pack(len(body), len(payload)), body, payload))


def check(message: object, table: Table) -> Message:
    """The message itself, when it is one of `table` with all of its fields and no other.

    Raises:
        MessageError: says what is wrong.
    """
    if not isinstance(message, dict):
        raise MessageError(f"A control message came as {type(message).__name__}; it needs to be an object.")
    kind = message.get("type")
    fields = table.get(kind) if isinstance(kind, str) else None
    if fields is None:
        raise MessageError(f"A control message of type {kind!r:.100} came; known are {', '.join(table)}.")
    for field, kinds in fields.items():
        if field not in message or not any(_CHECKS[each](message[field]) for each in kinds.split("|")):
            raise MessageError(f"A {kind} control message came with {field} = {message.get(field)!r:.100}, no {kinds}.")
    if len(message) != len(fields) + 1:
        raise MessageError(f"A {kind} control message came with more than {', '.join(fields)}.")
    return message


class Decoder:
    """Takes bytes as they come, gives whole messages. Threads: one."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with `data`.

        Raises:
            MessageError: what came is none; the decoder cannot be used any more.
        """
        self._data += data
        messages: list[Message] = []
        while len(self._data) >= _LENGTHS.size:
            size, beside = _LENGTHS.unpack_from(self._data)
            if size > MAX_BYTES or beside > MAX_PAYLOAD_BYTES:
                raise MessageError(
                    f"A control message of {size} bytes and {beside} beside it is announced; at most {MAX_BYTES} and "
                    f"{MAX_PAYLOAD_BYTES} are taken."
                )
            middle = _LENGTHS.size + size
            end = middle + beside
            if len(self._data) < end:
                break
            body, payload = bytes(self._data[_LENGTHS.size : middle]), bytes(self._data[middle:end])
            del self._data[:end]
            messages.append(self._message(body, payload))
        return messages

    def _message(self, body: bytes, payload: bytes) -> Message:
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise MessageError(f"A control message that is no JSON came: {error}.") from error
        kind = message.get("type") if isinstance(message, dict) else None
        field = _bytes_field(self._table.get(kind, {})) if isinstance(kind, str) else ""
        if field:
            message[field] = payload
        elif payload:
            raise MessageError(f"A {kind!r:.100} control message came with {len(payload)} bytes beside it.")
        return check(message, self._table)


def _bytes_field(fields: Mapping[str, str]) -> str:
    """The one field whose value goes beside the JSON, or ""."""
    return next((name for name, kinds in fields.items() if kinds == "bytes"), "")
