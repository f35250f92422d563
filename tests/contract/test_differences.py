"""docs/differences.md: each reason is used, told and held by a test. What differs is found by `make test-peer`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peer.cases import CASES
from tests.peer.compare import PAGE
from tests.peer.reasons import BEHAVIOURS, REASONS

ROOT = Path(__file__).resolve().parents[2]


def test_every_reason_is_used_and_every_used_one_is_told() -> None:
    assert {reason for case in CASES for reason in case.differs.values()} == set(REASONS)


def test_the_cases_have_names_of_their_own_and_differ_in_what_they_send() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert set(case.differs) <= {"definition", *case.payloads}, case.name


def test_the_page_tells_every_reason_and_every_behaviour() -> None:
    text = PAGE.read_text()
    for words in (*REASONS.values(), *(behaviour.here for behaviour in BEHAVIOURS)):
        assert words in text, "Write it anew: .venv/bin/python -m tests.peer.compare .venv-peer/bin/python"


@pytest.mark.parametrize("held_by", [behaviour.held_by for behaviour in BEHAVIOURS])
def test_every_behaviour_is_held_by_a_test_that_exists(held_by: str) -> None:
    file, _, name = held_by.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text()
