"""docs/errors.md, made from the tree in errors.py and the sentences of tests/contract/messages/.

python -m tests.support.errors_page
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from reactor_nb import errors
from reactor_nb.errors import ReactorError
from tests.contract.messages.case import MessageCase

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"

_HEAD = """\
# Errors

Every error of the package is a `ReactorError` and an error that existing code catches: a `ParameterError` is a
`ValueError`, a `CallTimeoutError` a `TimeoutError`. `error.code` is a stable word for programs: it is what a page
receives as `{"code": ..., "message": ...}` with the fields or the traceback where there are any. The message is for
people: what came, what is needed, and the line to type. This page is generated from `reactor_nb/errors.py` and from
the tests that hold every sentence; FOLDER stands for the folder of the model.
"""
_LINE = re.compile(
    r"^    (?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+Error)(?: +(?P<caught>[A-Z]\w+Error)\b)?(?: +(?P<about>.*))?$"
)


class TreeEntry(NamedTuple):
    """A line of the tree that the docstring of errors.py draws. `above`: the error that it belongs to."""

    name: str
    above: str
    caught_as: str
    about: str


def tree() -> list[TreeEntry]:
    """The errors in the order of the tree."""
    entries: list[TreeEntry] = []
    open_names: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        depth = len(found["branch"]) // 4
        open_names[depth] = found["name"]
        above = open_names[depth - 1] if depth else ""
        entries.append(TreeEntry(found["name"], above, found["caught"] or "", found["about"] or ""))
    return entries


def page(cases: Iterable[MessageCase]) -> str:
    """docs/errors.md."""
    cases = list(cases)
    lines = [_HEAD]
    for entry in tree():
        cls: type[ReactorError] = getattr(errors, entry.name)
        lines += [f"## {entry.name}", "", _about(entry, cls), ""]
        for case in cases:
            if case.error is cls:
                lines += [f"- {case.what}", "", *_quoted(case.text), ""]
    lines += [
        "## SessionStopped",
        "",
        " ".join((errors.SessionStopped.__doc__ or "").split()),
        "",
    ]
    return "\n".join(lines)


def _about(entry: TreeEntry, cls: type[ReactorError]) -> str:
    parts = [f"`{cls.code}`"]
    if entry.above and entry.above != "ReactorError":
        parts.append(f"a {entry.above}")
    if entry.caught_as:
        parts.append(f"caught as {entry.caught_as}")
    about = entry.about.rstrip(".")
    return f"{', '.join(parts)}. {about[:1].upper()}{about[1:]}{'.' if about else ''}".strip()


def _quoted(text: str) -> list[str]:
    return ["  ```text", *(f"  {line}" for line in text.splitlines()), "  ```"]


def main() -> None:
    """Write docs/errors.md."""
    from tests.contract.test_messages import CASES

    PAGE.write_text(page(CASES))


if __name__ == "__main__":
    main()
