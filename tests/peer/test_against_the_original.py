"""Equal schema and equal accept or refuse as the original package, or a reason in docs/differences.md."""

from __future__ import annotations

import os
import sys

import pytest

from tests.peer.cases import CASES
from tests.peer.compare import PAGE, Difference, differences, judged, page

WRITE = "Write it anew: .venv/bin/python -m tests.peer.compare .venv-peer/bin/python"


@pytest.fixture(scope="module")
def found() -> list[Difference]:
    return differences(
        judged(os.environ["REACTOR_PEER_PYTHON"], "reactor_runtime"), judged(sys.executable, "reactor_nb")
    )


def test_there_are_enough_signatures_and_payloads() -> None:
    assert len({(case.signature, case.style) for case in CASES}) >= 60
    assert sum(len(case.payloads) for case in CASES) >= 200


def test_whatever_differs_has_a_reason(found: list[Difference]) -> None:
    assert [(row.case.name, row.asked, row.original, row.here) for row in found if not row.reason] == []


def test_whatever_has_a_reason_differs(found: list[Difference]) -> None:
    assert [(row.case.name, row.asked, row.here) for row in found if row.original == row.here] == []


def test_the_page_of_differences_is_what_was_found(found: list[Difference]) -> None:
    assert page(found) == PAGE.read_text(), WRITE
