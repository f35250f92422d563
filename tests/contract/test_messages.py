"""What a person reads after a mistake: the exact sentence of every error, each made by real bad input."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from reactor_nb import errors
from reactor_nb.errors import ReactorError
from tests.contract.messages import of_files, of_models, of_roads, of_sessions
from tests.contract.messages.case import MessageCase
from tests.support import errors_page

CASES: list[MessageCase] = [*of_models.CASES, *of_files.CASES, *of_roads.CASES, *of_sessions.CASES]
NEVER_RAISED = {errors.ReactorError, errors.CallError}
"""To be caught: each stands for the errors below it."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.make.__name__)
def test_bad_input_is_answered_with_this_very_sentence(case: MessageCase, tmp_path: Path) -> None:
    with pytest.raises(case.error) as raised:
        case.make(tmp_path)
    assert type(raised.value) is case.error
    assert str(raised.value).replace(str(tmp_path), "FOLDER") == case.text
    if isinstance(raised.value, ReactorError):
        wire = json.loads(json.dumps(raised.value.to_wire(), allow_nan=False))
        assert (wire["code"], wire["message"]) == (raised.value.code, str(raised.value))


def test_every_error_of_the_tree_is_made_by_some_bad_input() -> None:
    tree = {cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__}
    public = {cls for cls in tree if not cls.__name__.startswith("_")}
    assert {case.error for case in CASES} == public - NEVER_RAISED


def test_no_two_mistakes_have_the_same_name() -> None:
    assert len({case.what for case in CASES}) == len(CASES)


def test_the_codes_are_words_of_their_own() -> None:
    tree = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, ReactorError)]
    codes = [cls.code for cls in tree if not cls.__name__.startswith("_")]
    assert len(set(codes)) == len(codes) and all(code.replace("_", "").isalpha() for code in codes)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    told = {entry.name: entry for entry in errors_page.tree()}
    real = {
        name: cls
        for name, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, ReactorError) and not name.startswith("_")
    }
    assert set(told) == set(real)
    for name, entry in told.items():
        if entry.above:
            assert issubclass(real[name], real[entry.above]), name
        if entry.caught_as:
            assert entry.caught_as in {base.__name__ for base in real[name].__mro__}, name


def test_the_page_of_errors_is_fresh() -> None:
    expected = errors_page.page(CASES)
    assert errors_page.PAGE.read_text() == expected, "Write it anew: python -m tests.support.errors_page"
