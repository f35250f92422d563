"""The types of both languages are checked against protocol.json, the one file that says what crosses the wire."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reactor_nb.errors import MessageError
from reactor_nb.transport import protocol
from reactor_nb.transport.wire_types import KERNEL_TO_PAGE, PAGE_TO_KERNEL, load_protocol, typescript

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = {
    "string": "x",
    "number": 1.5,
    "boolean": True,
    "null": None,
    "unknown": [1],
    "Record<string, unknown>": {"a": 1},
    "Record<string, string>": {"a": "b"},
    "WireError": {"code": "x", "message": "y"},
    "string[]": ["H264"],
    "number[]": [1, 2.5],
    "RTCIceServer[]": [{"urls": "turn:example"}],
}


def sample(kind: str, fields: dict[str, str]) -> dict[str, object]:
    values = {name.removesuffix("?"): SAMPLES[wire_type.split("|")[0].strip()] for name, wire_type in fields.items()}
    return {"type": kind, **values}


def messages(direction: str) -> list[tuple[str, dict[str, str]]]:
    return list(load_protocol()[direction].items())


def test_the_pages_types_are_those_of_the_protocol() -> None:
    written = (REPOSITORY / "js/src/protocol.ts").read_text(encoding="utf-8")
    assert written == typescript(load_protocol()), (
        "js/src/protocol.ts is old: python -m reactor_nb.transport.wire_types > js/src/protocol.ts"
    )


@pytest.mark.parametrize(("kind", "fields"), messages(PAGE_TO_KERNEL))
def test_the_kernel_takes_every_message_of_a_page(kind: str, fields: dict[str, str]) -> None:
    message = sample(kind, fields)
    assert protocol.check(message) == message


@pytest.mark.parametrize(("kind", "fields"), messages(PAGE_TO_KERNEL))
def test_the_kernel_misses_every_field_that_is_not_optional(kind: str, fields: dict[str, str]) -> None:
    for name in fields:
        if not name.endswith("?"):
            message = {key: value for key, value in sample(kind, fields).items() if key != name}
            with pytest.raises(MessageError, match=f"without '{name}'"):
                protocol.check(message)


@pytest.mark.parametrize(("kind", "fields"), messages(KERNEL_TO_PAGE))
def test_the_kernel_can_send_every_message_to_a_page(kind: str, fields: dict[str, str]) -> None:
    assert protocol.encode(sample(kind, fields)).startswith('{"type":')


def test_every_type_of_a_field_can_be_checked() -> None:
    for direction in (PAGE_TO_KERNEL, KERNEL_TO_PAGE):
        for kind, fields in messages(direction):
            for name, wire_type in fields.items():
                assert all(part.strip() in SAMPLES for part in wire_type.split("|")), (kind, name, wire_type)


def test_names_are_ones_that_both_languages_can_write() -> None:
    for direction in (PAGE_TO_KERNEL, KERNEL_TO_PAGE):
        for kind, fields in messages(direction):
            assert all(re.fullmatch(r"[a-z][a-z0-9_]*\??", name) for name in (kind, *fields)), kind
