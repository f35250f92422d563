"""Control messages: what is said arrives as it was; what is no message is refused, whatever it is."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_nb.errors import MessageError
from reactor_nb.transport.process.control import (
    MAX_BYTES,
    MAX_PAYLOAD_BYTES,
    TO_KERNEL,
    TO_MEDIA,
    Decoder,
    Table,
    check,
    pack,
)

OFFER = {"type": "offer", "id": 7, "name": "plasma", "view_id": "v", "sdp": "v=0\r\n", "settings": {"hostname": "h"}}
SEND: dict[str, Any] = {"type": "send", "name": "plasma", "view_id": None, "text": "ä\U0001f600"}

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
_OF_KIND: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(),
    "number": st.integers() | st.floats(allow_nan=False),
    "str": st.text(),
    "null": st.none(),
    "object": st.dictionaries(st.text(), _json, max_size=4),
    "strings": st.lists(st.text(), max_size=4),
    "bool": st.booleans(),
    "bytes": st.binary(max_size=300),
    "any": _json,
}


def _messages(table: Table) -> st.SearchStrategy[dict[str, Any]]:
    kinds_of_message = [
        st.fixed_dictionaries(
            {
                "type": st.just(kind),
                **{name: st.one_of(*(_OF_KIND[each] for each in kinds.split("|"))) for name, kinds in fields.items()},
            }
        )
        for kind, fields in table.items()
    ]
    return st.one_of(kinds_of_message)


def framed(body: bytes) -> bytes:
    return struct.pack("!II", len(body), 0) + body


@pytest.mark.parametrize("table", [TO_MEDIA, TO_KERNEL])
@given(data=st.data())
def test_messages_arrive_as_they_were_however_the_bytes_are_cut(table: Table, data: st.DataObject) -> None:
    messages = data.draw(st.lists(_messages(table), max_size=4))
    stream = b"".join(pack(message, table) for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    decoder = Decoder(table)
    arrived = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        arrived += decoder.feed(stream[start:end])
    assert arrived == messages


@given(junk=st.binary(max_size=200))
def test_bytes_that_are_no_messages_are_refused_or_waited_for(junk: bytes) -> None:
    decoder = Decoder(TO_MEDIA)
    try:
        assert decoder.feed(junk) == []
    except MessageError as error:
        assert str(error)


@given(value=_json)
def test_json_that_is_no_message_is_refused(value: Any) -> None:
    with pytest.raises(MessageError):
        Decoder(TO_KERNEL).feed(framed(json.dumps(value).encode()))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "nope"}, "type 'nope'"),
        ({"type": ["offer"]}, "type"),
        ({"id": "7"}, "id = '7'"),
        ({"id": True}, "id = True"),
        ({"sdp": None}, "sdp = None"),
        ({"settings": []}, "settings"),
        ({"more": 1}, "more than"),
    ],
)
def test_a_field_that_is_wrong_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(MessageError, match=said):
        check({**OFFER, **change}, TO_MEDIA)
    with pytest.raises(MessageError, match=said):
        pack({**OFFER, **change}, TO_MEDIA)


@pytest.mark.parametrize("name", [name for name in OFFER if name != "type"])
def test_a_field_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(MessageError, match=name):
        check({field: value for field, value in OFFER.items() if field != name}, TO_MEDIA)


def test_a_message_of_the_other_direction_is_refused() -> None:
    with pytest.raises(MessageError, match="known are ready"):
        Decoder(TO_KERNEL).feed(pack(OFFER, TO_MEDIA))


def test_a_length_beyond_the_limit_is_refused_before_anything_is_read() -> None:
    with pytest.raises(MessageError, match="at most"):
        Decoder(TO_MEDIA).feed(struct.pack("!II", MAX_BYTES + 1, 0))
    with pytest.raises(MessageError, match="at most"):
        Decoder(TO_MEDIA).feed(struct.pack("!II", 2, MAX_PAYLOAD_BYTES + 1))


def test_a_message_beyond_the_limit_is_refused_where_it_is_made() -> None:
    with pytest.raises(MessageError, match="at most"):
        pack({**SEND, "text": "x" * MAX_BYTES}, TO_MEDIA)


def test_what_is_no_json_is_refused_where_it_is_made() -> None:
    with pytest.raises(MessageError, match="no JSON"):
        pack({**OFFER, "settings": {"hostname": object()}}, TO_MEDIA)


@pytest.mark.parametrize("body", [b"\x80\x04K\x01.", b"[" * 100_000, b"\xff\xfe", b"NaN"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(MessageError):
        Decoder(TO_MEDIA).feed(framed(body))


PACKET: dict[str, Any] = {"type": "packet", "name": "plasma", "message": {"sequence": 1}, "payload": b"\x00\xff"}


def test_bytes_go_beside_a_message_that_has_a_place_for_them() -> None:
    assert Decoder(TO_KERNEL).feed(pack(PACKET, TO_KERNEL)) == [PACKET]


def test_bytes_beside_a_message_that_has_no_place_for_them_are_refused() -> None:
    body = json.dumps({"type": "log", "text": "x"}).encode()
    with pytest.raises(MessageError, match="3 bytes beside it"):
        Decoder(TO_KERNEL).feed(struct.pack("!II", len(body), 3) + body + b"abc")


def test_bytes_within_the_text_of_a_message_are_not_believed() -> None:
    body = json.dumps({"type": "packet", "name": "plasma", "message": {}, "payload": "text"}).encode()
    arrived = Decoder(TO_KERNEL).feed(framed(body))
    assert arrived == [{"type": "packet", "name": "plasma", "message": {}, "payload": b""}], "what is beside it counts"


def test_more_bytes_than_the_limit_are_refused_where_they_are_made() -> None:
    with pytest.raises(MessageError, match="at most"):
        pack({**PACKET, "payload": bytes(MAX_PAYLOAD_BYTES + 1)}, TO_KERNEL)
