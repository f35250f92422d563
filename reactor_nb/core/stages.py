"""The stages of a frame from the model to the screen: their names, and the arithmetic of their times. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

KEPT_FRAMES: Final = 300
"""So many of the newest frames have their times kept: ten seconds at 30 fps."""


class Stage(NamedTuple):
    """What happens between two times of a frame. `begins` and `ends` are keys of a row."""

    name: str
    begins: str
    ends: str
    about: str


STAGES: Final = (
    Stage("convert", "emitted_s", "converted_s", "emit_block copies the frame as uint8 RGB"),
    Stage("wait", "converted_s", "played_s", "it is handed over and waits for its time"),
    Stage("encode", "played_s", "encoded_s", "colour conversion, the codec, and the wait for them"),
    Stage("send", "encoded_s", "sent_s", "it is cut into packets, which go out"),
    Stage("receive", "sent_s", "received_s", "the network, and the browser's buffer of packets"),
    Stage("decode", "received_s", "decoded_s", "the browser decodes"),
    Stage("paint", "decoded_s", "painted_s", "the page draws to its canvas"),
)
"""From emit_block to the screen, in order; each begins where the one before ends."""

TIMES: Final = ("emitted_s", "converted_s", "played_s", "encoded_s", "sent_s", "received_s", "decoded_s", "painted_s")

UNKNOWN: Final = "unknown"
"""The stages of which a browser does not tell."""

Row = Mapping[str, Any]


def percentiles(values: Iterable[float]) -> dict[str, float] | None:
    """{"p50", "p95"} of the values, by the nearest rank; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    return {"p50": _rank(ordered, 0.50), "p95": _rank(ordered, 0.95)}


def stage_ms(row: Row, stage: Stage) -> float | None:
    """How long a stage took; None where one of its times is unknown. Never below 0.

    The page's times are by its estimate of the kernel's clock, which may be off by a millisecond.
    """
    return _between_ms(row, stage.begins, stage.ends)


def latency_ms(row: Row) -> float | None:
    """From emit_block to the drawn picture; None for a frame that was not drawn."""
    return _between_ms(row, "emitted_s", "painted_s")


def stage_percentiles(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Stage name -> {"p50", "p95"} in ms, of the stages that are known of any row."""
    found: dict[str, dict[str, float]] = {}
    for stage in STAGES:
        shares = percentiles(ms for row in rows if (ms := stage_ms(row, stage)) is not None)
        if shares is not None:
            found[stage.name] = shares
    return found


def latency_percentiles(rows: Sequence[Row]) -> dict[str, float] | None:
    """{"p50", "p95"} in ms from emit_block to the drawn picture; None while no row was drawn."""
    return percentiles(ms for row in rows if (ms := latency_ms(row)) is not None)


class Span(NamedTuple):
    """A piece of a frame's time, in ms after its emission."""

    name: str
    begins_ms: float
    ends_ms: float


def spans(row: Row) -> list[Span]:
    """The stages of a frame, end to end. What lies between two known times is one piece named UNKNOWN."""
    found: list[Span] = []
    last_ms = 0.0
    is_gap = False
    for stage in STAGES:
        ends_s = row[stage.ends]
        if ends_s is None:
            is_gap = True
            continue
        ends_ms = max(last_ms, 1000 * (ends_s - row["emitted_s"]))
        found.append(Span(UNKNOWN if is_gap else stage.name, last_ms, ends_ms))
        last_ms, is_gap = ends_ms, False
    return found


def best_view(report: Mapping[str, Any]) -> str | None:
    """Of MediaLink.timeline(): the view that painted most of the kept frames, or was sent most; None without one."""
    views = report.get("views", {})

    def worth(view_id: str) -> tuple[int, int]:
        frames = views[view_id]["frames"]
        return sum(row[4] is not None for row in frames), len(frames)

    return max(views, key=worth, default=None)


def joined(report: Mapping[str, Any], view_id: str | None = None) -> list[dict[str, Any]]:
    """A row for each kept frame of MediaLink.timeline(), oldest first, as one view saw it.

    Keys: `number`, `due_s`, `began_s` (of the encoding), `bytes`, `is_keyframe` and those of TIMES; None is unknown.
    Without a view, what the clock knows.
    """
    view = report.get("views", {}).get(view_id, {})
    encoded = {row[0]: row for row in report.get("codecs", {}).get(view.get("codec"), ())}
    sent = {row[0]: row for row in view.get("frames", ())}
    rows = []
    for number, emitted_s, converted_s, due_s, played_s in report.get("frames", ()):
        _, began_s, encoded_s, size, is_keyframe = encoded.get(number, (number, None, None, None, None))
        _, sent_s, received_s, decoded_s, painted_s = sent.get(number, (number, None, None, None, None))
        rows.append(
            {
                "number": number,
                "emitted_s": emitted_s,
                "converted_s": converted_s,
                "due_s": due_s,
                "played_s": played_s,
                "began_s": began_s,
                "encoded_s": encoded_s,
                "sent_s": sent_s,
                "received_s": received_s,
                "decoded_s": decoded_s,
                "painted_s": painted_s,
                "bytes": size,
                "is_keyframe": is_keyframe,
            }
        )
    return rows


def whole_rows(recent: Sequence[Row], report: Mapping[str, Any], view_id: str | None = None) -> list[dict[str, Any]]:
    """A row for each frame that the model emitted lately, with what the media knows of it; oldest first.

    Keys beyond those of `joined`: `model_ms`, `held_ms` as in RecentBlocks.rows, and `skipped`, where a frame ended
    that was not painted although a later one was: `clock`, `road`, `encoder`, `view`, `page`; None where it was
    painted, is on its way, or nobody looked.

    Args:
        recent: RecentBlocks.rows.
        report: MediaLink.timeline; {} where there is none.
        view_id: as this view saw it; by default `best_view`.
    """
    chosen = best_view(report) if view_id is None else view_id
    known = {row["number"]: row for row in joined(report, chosen)}
    rows = []
    for made in recent:
        row = known.get(made["number"])
        # The media may already play a later session, whose numbers begin at 0 again.
        is_same = row is not None and abs(row["emitted_s"] - made["emitted_s"]) < _SAME_S
        rows.append({**_NOTHING, **(row if row is not None and is_same else {}), **made, "skipped": None})
    for reached, passed, reason in _GATES:
        _mark(rows, reached, passed, reason)
    held = set(report.get("held", {}).get(report.get("views", {}).get(chosen, {}).get("codec"), ()))
    for row in rows:
        if row["skipped"] == "encoder" and row["number"] in held:
            row["skipped"] = "road"
    return rows


_SAME_S: Final = 1e-6
_NOTHING: Final = dict.fromkeys(("due_s", "began_s", "bytes", "is_keyframe", *TIMES))
_GATES: Final = (
    ("emitted_s", "played_s", "clock"),
    ("played_s", "encoded_s", "encoder"),
    ("encoded_s", "sent_s", "view"),
    ("sent_s", "painted_s", "page"),
)


def _mark(rows: list[dict[str, Any]], reached: str, passed: str, reason: str) -> None:
    """Between the first and the last frame that passed a gate, those that reached it and did not pass."""
    through = [index for index, row in enumerate(rows) if row[passed] is not None]
    for row in rows[through[0] : through[-1]] if through else ():
        if row[reached] is not None and row[passed] is None and row["skipped"] is None:
            row["skipped"] = reason


def _between_ms(row: Row, begins: str, ends: str) -> float | None:
    begins_s: float | None = row.get(begins)
    ends_s: float | None = row.get(ends)
    if begins_s is None or ends_s is None:
        return None
    return max(0.0, 1000 * (ends_s - begins_s))


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
