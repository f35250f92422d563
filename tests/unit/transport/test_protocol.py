from __future__ import annotations

import json

import numpy as np
import pytest

from reactor_nb.errors import MessageError, ParameterError
from reactor_nb.transport import protocol

CALL = {"type": "call", "id": "1", "name": "move", "params": {"direction": "left"}}


def test_a_known_message_is_taken_with_only_its_known_fields() -> None:
    assert protocol.parse(json.dumps({**CALL, "surprise": 1})) == CALL
    assert protocol.parse(json.dumps(CALL).encode()) == CALL


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("[" * 20_000, "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        ('{"type":"ping","sent_ms":Infinity}', "no JSON"),
        ("7", "came as int"),
        ("{}", "type None"),
        ('{"type":["call"]}', "the kernel knows"),
        ('{"type":"ping"}', "without 'sent_ms'"),
        ('{"type":"ping","sent_ms":true}', "needs number"),
        ('{"type":"ping","sent_ms":1e999}', "needs number"),
        ('{"type":"ping","sent_ms":1' + "0" * 400 + "}", "needs number"),
        ('{"type":"painted","painted":1,"skipped":0,"latency_ms":9,"rate_fps":30,"frames":[1,null]}', "needs number[]"),
        ('{"type":"watching","is_watching":1}', "needs boolean"),
        ('{"type":"call","id":"1","name":"move","params":[]}', "Record<string, unknown>"),
        ('{"type":"painted","painted":1,"skipped":0,"latency_ms":"9","rate_fps":30}', "number | null"),
        (json.dumps({**CALL, "params": {"prompt": "x" * 66_000}}), "at most 65536"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str | bytes, reason: str) -> None:
    with pytest.raises(MessageError, match=reason.replace("|", r"\|").replace("[", r"\[").replace("]", r"\]")):
        protocol.parse(text)


def test_null_is_a_number_only_where_the_protocol_says_so() -> None:
    painted = {"type": "painted", "painted": 1, "skipped": 0, "latency_ms": None, "rate_fps": 30}
    assert protocol.check(painted) == painted


def test_a_refused_call_is_answered_under_its_id() -> None:
    with pytest.raises(MessageError) as refused:
        protocol.check({"type": "call", "id": "9", "name": 5, "params": {}})
    answer = protocol.answer_to(refused.value)
    assert (answer["type"], answer["id"], answer["error"]["code"]) == ("reply", "9", "bad_message")
    assert protocol.answer_to(ParameterError("no"))["type"] == "error"


@pytest.mark.parametrize("data", [float("nan"), np.zeros(3), {1, 2}, object()], ids=["nan", "array", "set", "object"])
def test_what_is_no_json_is_refused_with_the_mend(data: object) -> None:
    with pytest.raises(MessageError, match="tolist"):
        protocol.encode({"type": "message", "data": data})


def test_a_message_that_the_protocol_does_not_name_cannot_be_sent() -> None:
    with pytest.raises(MessageError, match=r"not in protocol\.json"):
        protocol.encode({"type": "call"})


def test_text_of_every_script_survives() -> None:
    message = {"type": "message", "data": "день 日 🎥"}
    assert json.loads(protocol.encode(message)) == message


def test_half_a_character_is_sent_as_its_escape() -> None:
    text = protocol.encode({"type": "message", "data": "a\ud800"})
    assert text.encode().endswith(b'"a\\ud800"}')


def test_a_message_by_comm_is_no_larger_than_one_by_data_channel() -> None:
    with pytest.raises(MessageError, match="at most 65536 are taken"):
        protocol.take({"type": "carry", "view_id": "v", "codecs": ["H264"] * 20_000, "is_watching": True})


def test_a_message_by_comm_with_bytes_in_it_is_refused() -> None:
    with pytest.raises(MessageError, match="no JSON"):
        protocol.take({"type": "bye", "view_id": b"v"})
