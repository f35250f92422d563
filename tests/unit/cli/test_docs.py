"""docs/command-line.md tells of every verb, option, order and exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactor_nb.cli import statuses
from reactor_nb.cli.arguments import Verb
from reactor_nb.cli.verbs import ALL_VERBS
from reactor_nb.runtime.orders import ORDERS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "command-line.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", ALL_VERBS, ids=lambda verb: verb.name)
def test_every_verb_and_option_is_documented(verb: Verb) -> None:
    assert f"`reactor {verb.name}" in PAGE
    assert [flag.name for flag in verb.flags if flag.name not in PAGE] == []


def test_every_order_is_documented() -> None:
    assert [order for order in ORDERS if f"| `{order}" not in PAGE] == []


def test_the_exit_statuses_are_those_of_the_page() -> None:
    rows = PAGE.partition("## Exit statuses")[2].splitlines()
    cells = [row.split("|")[1].strip() for row in rows if row.startswith("| ")]
    documented = {int(cell) for cell in cells if cell.isdecimal()}
    assert documented == {status for status in vars(statuses).values() if isinstance(status, int)}
