"""Random signatures and random payloads: never a crash, never a value that was not validated, never a lost reply."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from reactor_nb import VideoModel, command, get_ctx, model
from reactor_nb.core.command import CommandSpec, to_json
from reactor_nb.core.schema import type_word
from reactor_nb.core.session import Session
from reactor_nb.errors import (
    CallError,
    CommandFailedError,
    NotStreamingError,
    ParameterError,
    ResultError,
    UnknownCommandError,
)
from tests.unit.core.signatures import JSON, NO, Mood, Param, Point, fits, payloads, signatures, spec_of
from tests.unit.core.stage import staged

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORDS: dict[Any, tuple[str, ...]] = {Mood: ('"enum": ["calm", "wild"]',), Point: ('"minimum": 0', '"properties"')}
_FRAME = np.zeros((4, 6, 3), np.uint8)


@QUICK
@given(params=signatures())
def test_every_signature_has_a_whole_schema(params: list[Param]) -> None:
    spec = spec_of(params)
    told = spec.schema()["schema"]
    text = json.dumps(told, allow_nan=False)
    assert "$ref" not in text and "$defs" not in text
    assert list(told) == [param.name for param in params]
    for param in params:
        is_required = param.default is NO or (isinstance(param.default, FieldInfo) and param.default.is_required())
        assert told[param.name].get("required", False) is is_required
        assert type_word(told[param.name])
        for word in WORDS.get(param.annotation, ()):
            assert word in json.dumps(told[param.name])
    assert spec.signature().split(" ")[0] == "go"


CASES = signatures().flatmap(
    lambda params: st.tuples(st.just(params), st.lists(payloads(params), min_size=1, max_size=6))
)


@QUICK
@given(case=CASES)
def test_a_payload_is_refused_with_its_fields_or_every_value_fits(
    case: tuple[list[Param], list[dict[str, Any]]],
) -> None:
    params, sent = case
    spec = spec_of(params)
    for payload in sent:
        _refused_or_fitting(params, spec, payload)


def _refused_or_fitting(params: list[Param], spec: CommandSpec, payload: dict[str, Any]) -> None:
    try:
        values = spec.validate(payload)
    except ParameterError as refused:
        wire = json.loads(json.dumps(refused.to_wire()))
        assert wire["code"] == "bad_parameters" and wire["message"] and wire["fields"]
        assert set(wire["fields"]) <= {*payload, *(param.name for param in params)}
        return
    assert list(values) == [param.name for param in params]
    assert set(payload) <= set(values)
    for param in params:
        if param.name in payload:
            assert fits(param.annotation, values[param.name]), (param, payload, values)
        else:
            default = param.default.default if isinstance(param.default, FieldInfo) else param.default
            assert values[param.name] == default


@QUICK
@given(case=CASES)
def test_what_was_accepted_is_accepted_again_as_the_page_is_told_of_it(
    case: tuple[list[Param], list[dict[str, Any]]],
) -> None:
    params, sent = case
    spec = spec_of(params)
    for payload in sent:
        try:
            values = spec.validate(payload)
            told = {name: to_json(values[name]) for name in payload}
        except (ParameterError, ResultError):
            continue
        again = spec.validate(json.loads(json.dumps(told)))
        assert {name: to_json(again[name]) for name in payload} == told


@QUICK
@given(st.one_of(JSON, st.binary(max_size=3), st.complex_numbers(), st.dates(), st.sets(st.integers(0, 3))))
def test_a_result_is_json_or_a_typed_error(value: Any) -> None:
    try:
        made = to_json(value)
    except ResultError as refused:
        assert str(refused).startswith("result")
        return
    assert json.loads(json.dumps(made, allow_nan=False, ensure_ascii=False).encode()) == made


@model(name="echo")
class Echo(VideoModel):
    @command("echo")
    def echo(self, value: Any) -> Any:
        return value

    @command("count")
    def count(self, number: int = 0) -> int:
        return number + 1

    @command("fail")
    def fail(self, word: str) -> None:
        raise LookupError(word)

    @command("later")
    async def later(self, number: int) -> int:
        return number

    @command("leave")
    def leave(self) -> None:
        raise SystemExit(1)

    @command("hold")
    def hold(self) -> None:
        self.is_over.wait(10)

    def start_session(self) -> None:
        self.is_over = threading.Event()
        while not get_ctx().should_stop():
            get_ctx().emit_block(_FRAME)
        self.is_over.set()


CALLS = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(["echo", "count", "fail", "later", "leave"]), st.text(max_size=4)),
        st.one_of(
            st.fixed_dictionaries({"value": JSON}),
            st.fixed_dictionaries({"number": JSON}),
            st.fixed_dictionaries({"word": st.text(max_size=3)}),
            st.just({}),
            JSON,
        ),
    ),
    max_size=12,
)


def test_every_call_of_a_live_session_gets_one_answer() -> None:
    with staged(Echo) as stage:
        session = stage.play()
        assert session.wait(5, frames=1)

        @settings(max_examples=60, deadline=None)
        @given(calls=CALLS)
        def ask(calls: list[tuple[str, Any]]) -> None:
            answers = [_submitted(session, name, params) for name, params in calls]
            for (name, params), answer in zip(calls, answers, strict=True):
                _judge(name, params, answer)

        ask()
        assert session.state == "streaming"


@settings(max_examples=15, deadline=None)
@given(calls=CALLS, stop_after=st.integers(0, 12))
def test_every_call_is_answered_when_the_session_ends_among_them(calls: list[tuple[str, Any]], stop_after: int) -> None:
    with staged(Echo) as stage:
        session = stage.play()
        assert session.wait(5, frames=1)
        answers: list[Future[Any] | CallError] = [session.submit("hold")]  # so that the others wait for their turn
        for number, (name, params) in enumerate(calls):
            if number == stop_after:
                session.stop()
            answers.append(_submitted(session, name, params))
        session.stop()
        for answer in answers:
            if isinstance(answer, Future):
                error = answer.exception(5)
                assert error is None or isinstance(error, (CommandFailedError, NotStreamingError))


def _submitted(session: Session, name: str, params: Any) -> Future[Any] | CallError:
    try:
        return session.submit(name, params)
    except CallError as refused:
        return refused


def _judge(name: str, params: Any, answer: Future[Any] | CallError) -> None:
    if isinstance(answer, CallError):
        assert isinstance(answer, ParameterError if name in Echo.commands()["commands"] else UnknownCommandError)
        json.dumps(answer.to_wire())
        return
    error = answer.exception(5)
    if error is not None:
        assert name in ("fail", "leave") and isinstance(error, CommandFailedError)
    elif name == "count":
        assert type(answer.result(0)) is int
    elif name == "echo":
        assert answer.result(0) == params["value"]
