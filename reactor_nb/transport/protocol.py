"""Messages in and out: JSON text, checked against protocol.json. Nothing of a page is believed before."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from reactor_nb.errors import MessageError, NotStreamingError, ReactorError
from reactor_nb.transport.wire_types import KERNEL_TO_PAGE, PAGE_TO_KERNEL, load_protocol

PROTOCOL_VERSION: int = load_protocol()["version"]
MAX_INBOUND_BYTES = 64 * 1024
MAX_OUTBOUND_BYTES = 250_000
"""Chromium takes data channel messages up to 262144 bytes."""


def _is_number(value: Any) -> bool:
    # The comparison is false for NaN, and works for an integer too large for a float.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


_ANSWERED = ("call", "control")
"""Messages of a page that get a reply, by their id."""

_CHECKS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": _is_number,
    "null": lambda value: value is None,
    "unknown": lambda value: True,
    "Record<string, unknown>": lambda value: isinstance(value, dict),
    "Record<string, string>": lambda value: isinstance(value, dict) and all(isinstance(v, str) for v in value.values()),
    "WireError": lambda value: isinstance(value, dict) and isinstance(value.get("code"), str),
    "string[]": lambda value: isinstance(value, list | tuple) and all(isinstance(each, str) for each in value),
    "number[]": lambda value: isinstance(value, list | tuple) and all(map(_is_number, value)),
    "RTCIceServer[]": lambda value: isinstance(value, list | tuple),
}


def parse(text: str | bytes) -> dict[str, Any]:
    """One message of a page, as a dictionary with only the fields that protocol.json names.

    Raises:
        MessageError: too large, no JSON, an unknown type, a missing field or one of another type; its
            `call_id` is the call to answer, where that could be read.
    """
    size = len(text.encode()) if isinstance(text, str) else len(text)
    if size > MAX_INBOUND_BYTES:
        raise MessageError(f"A message of {size} bytes came; at most {MAX_INBOUND_BYTES} are taken.")
    try:
        message = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"A message that is no JSON came ({error}); send one JSON object.") from error
    return check(message)


def take(message: object) -> dict[str, Any]:
    """The same for a message that a comm brought as an object: no larger than one by data channel may be.

    Raises:
        MessageError: as parse.
    """
    try:
        text = json.dumps(message)
    except (TypeError, ValueError, RecursionError) as error:
        raise MessageError(f"A message that is no JSON came ({error}); send one JSON object.") from error
    if len(text) > MAX_INBOUND_BYTES:
        raise MessageError(f"A message of {len(text)} bytes came; at most {MAX_INBOUND_BYTES} are taken.")
    return check(message)


def check(message: object) -> dict[str, Any]:
    """The same for a message that was read or taken before."""
    if not isinstance(message, dict):
        raise MessageError(f"A message came as {type(message).__name__}; send one JSON object with a `type`.")
    kind = message.get("type")
    fields = _fields(PAGE_TO_KERNEL).get(kind) if isinstance(kind, str) else None
    call_id = message.get("id") if kind in _ANSWERED and isinstance(message.get("id"), str) else None
    if fields is None:
        known = ", ".join(_fields(PAGE_TO_KERNEL))
        raise MessageError(f"A message of type {kind!r:.100} came; the kernel knows {known}.")
    checked = {"type": kind}
    for field, wire_type in fields.items():
        name = field.removesuffix("?")
        if name not in message:
            if field.endswith("?"):
                continue
            raise MessageError(f"A {kind} message came without {name!r}; it needs {', '.join(fields)}.", call_id)
        if not any(_CHECKS[part.strip()](message[name]) for part in wire_type.split("|")):
            raise MessageError(
                f"A {kind} message came with {name} = {message[name]!r:.100}; it needs {wire_type}.", call_id
            )
        checked[name] = message[name]
    return checked


def encode(message: Mapping[str, Any]) -> str:
    """JSON text of a message to a page.

    Raises:
        MessageError: a type that protocol.json does not name, a value that is no JSON (NaN included), or
            more than MAX_OUTBOUND_BYTES.
    """
    if message.get("type") not in _fields(KERNEL_TO_PAGE):
        raise MessageError(f"A message of type {message.get('type')!r:.100} is not in protocol.json.")
    try:
        text = json.dumps(message, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise MessageError(
            f"A {message['type']} message cannot be sent as JSON: {error}. Send numbers, strings, lists and "
            "dictionaries; for an array, array.tolist()."
        ) from error
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        # Half a character, as in a file name or an author's error: only its escape can be sent.
        text = json.dumps(message, allow_nan=False, separators=(",", ":"))
        size = len(text)
    if size > MAX_OUTBOUND_BYTES:
        raise MessageError(
            f"A {message['type']} message of {size} bytes is too large; a page takes {MAX_OUTBOUND_BYTES}. "
            "Send it in pieces, or pictures with emit_block."
        )
    return text


def answer_to(error: ReactorError) -> dict[str, Any]:
    """The message that tells a page what was wrong with its own: a reply where there is a call to answer."""
    call_id = getattr(error, "call_id", None)
    if call_id is not None:
        return {"type": "reply", "id": call_id, "error": error.to_wire()}
    return {"type": "error", "error": error.to_wire()}


def nobody_listens(name: str) -> NotStreamingError:
    """What a call, control, start or stop is refused with while no session of that name was ever started."""
    return NotStreamingError(f"No session of {name} listens; start one with %reactor run {name}.")


def refusal(message: Mapping[str, Any], error: Exception) -> dict[str, Any]:
    """The message that tells a page why its call, control, start or stop was not taken."""
    known = error if isinstance(error, ReactorError) else ReactorError(f"{type(error).__name__}: {error}")
    if message["type"] in _ANSWERED:
        return {"type": "reply", "id": message["id"], "error": known.to_wire()}
    return {"type": "error", "error": known.to_wire()}


@functools.cache
def _fields(direction: str) -> dict[str, dict[str, str]]:
    fields: dict[str, dict[str, str]] = load_protocol()[direction]
    return fields


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
