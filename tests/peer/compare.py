"""Both packages judge the cases; what differs, as docs/differences.md shows it.

make test-peer                               compares, and fails where something differs without a reason
python -m tests.peer.compare PEER_PYTHON     writes docs/differences.md anew
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.peer.cases import CASES, PRELUDE, Case
from tests.peer.reasons import BEHAVIOURS, REASONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "differences.md"
ORIGINAL = "reactor-runtime 1.2.1"
TIMEOUT_S = 60

Verdicts = dict[str, dict[str, str]]


class Difference(NamedTuple):
    """`asked`: "definition", or the payload. `reason`: a word of REASONS; empty where none is told."""

    case: Case
    asked: str
    original: str
    here: str
    reason: str


def judged(python: str | os.PathLike[str], package: str) -> Verdicts:
    """Case -> "definition" or payload -> what `package` makes of it under that interpreter."""
    asked = {"prelude": PRELUDE, "cases": [case._asdict() for case in CASES]}
    done = subprocess.run(
        [os.fspath(python), str(Path(__file__).with_name("judge.py")), package],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "PYTHONPATH": str(ROOT) if package == "reactor_nb" else ""},
    )
    if done.returncode:
        raise RuntimeError(f"{package} could not judge the cases:\n{done.stderr}")
    verdicts: Verdicts = json.loads(done.stdout)
    return verdicts


def differences(original: Verdicts, here: Verdicts) -> list[Difference]:
    """What differs, and what `Case.differs` tells and does not differ (with equal verdicts)."""
    return [
        Difference(case, asked, original[case.name][asked], here[case.name][asked], case.differs.get(asked, ""))
        for case in CASES
        for asked in ("definition", *case.payloads)
        if original[case.name][asked] != here[case.name][asked] or asked in case.differs
    ]


def page(found: list[Difference]) -> str:
    """docs/differences.md."""
    payloads = sum(len(case.payloads) for case in CASES)
    lines = [
        "# Where reactor_nb differs from the original",
        "",
        f"Compared with {ORIGINAL}, installed into an environment of its own (`make test-peer`): {len(CASES)}",
        f"signatures and {payloads} payloads, equal schema and equal accept or refuse, except for what is listed here",
        "with its reason. This page is generated: the cases are in `tests/peer/cases.py`, the reasons in",
        "`tests/peer/reasons.py`.",
        "",
        "## Behaviour",
        "",
        "| what | the original | here |",
        "|---|---|---|",
        *(f"| {_cell(b.what)} | {_cell(b.original)} | {_cell(b.here)} |" for b in BEHAVIOURS),
        "",
        "## Signatures and payloads",
    ]
    for word, reason in sorted(REASONS.items()):
        rows = [difference for difference in found if difference.reason == word]
        lines += ["", f"### {word}", "", reason, "", "| signature | sent | the original | here |", "|---|---|---|---|"]
        lines += [_row(row) for row in rows]
    return "\n".join(lines) + "\n"


def _row(row: Difference) -> str:
    keyword = {"static": "@staticmethod def", "async def": "async def"}.get(row.case.style, "def")
    signature = _code(f"{keyword} go({row.case.signature})")
    sent = "" if row.asked == "definition" else _code(row.asked)
    shown = [_code(_shorter(text)) for text in (row.original, row.here)]
    return f"| {signature} | {sent} | {' | '.join(shown)} |"


def _shorter(verdict: str) -> str:
    if verdict.startswith("{"):
        return json.dumps(json.loads(verdict)["schema"])
    return verdict


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write docs/differences.md."""
    found = differences(judged(sys.argv[1], "reactor_runtime"), judged(sys.executable, "reactor_nb"))
    PAGE.write_text(page(found))
    untold = [f"{row.case.name} {row.asked}" for row in found if not row.reason or row.original == row.here]
    if untold:
        sys.exit("differs without a reason, or has one and does not differ:\n  " + "\n  ".join(untold))


if __name__ == "__main__":
    main()
