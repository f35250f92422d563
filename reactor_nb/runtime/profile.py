"""Profile: where the time of a session's last frames went. `%reactor profile` returns one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from reactor_nb.core.session import Session
from reactor_nb.core.stages import STAGES, UNKNOWN, Row, latency_percentiles, percentiles, spans
from reactor_nb.errors import MediaFileError, NotStreamingError

MODEL: Final = "model"
TOTAL: Final = "emit to paint"
ABOUTS: Final = {
    MODEL: "from emit_block's return to its next call",
    **{stage.name: stage.about for stage in STAGES},
    UNKNOWN: "network, buffer and decoder: this browser does not tell",
    TOTAL: "until the page's canvas has it",
}

_MEDIA: Final = {"process": "media process", "threads": "media on threads"}

SKIP_WORDS: Final = {
    "clock": "overdue, as the clock was held up",
    "encoder": "the encoder was still busy",
    "road": "no road to a page had room",
    "view": "a page was too far behind, or waited for a keyframe",
    "page": "the page drew a newer one, or was hidden",
}


@dataclass(frozen=True)
class Profile:
    """The times of a session's last frames; as the last line of a cell it draws itself.

    `rows`: as Session.timeline, oldest first. `max_fps`: what is played at most. `facts`: what stands in the head:
    rate_fps, bits_per_s, size, codec, painter, media; what is missing or None is left out.
    """

    name: str
    rows: Sequence[Row]
    max_fps: float
    facts: Mapping[str, Any]

    @cached_property
    def stages(self) -> dict[str, dict[str, float]]:
        """Stage -> {"p50", "p95"} in ms, in the order in which a frame passes them; the model first."""
        lasted: dict[str, list[float]] = {MODEL: [row["model_ms"] for row in self.rows if row["model_ms"] is not None]}
        ways = [spans(row) for row in self.rows]
        for name in (span.name for span in max(ways, key=len, default=[])):
            lasted[name] = [span.ends_ms - span.begins_ms for way in ways for span in way if span.name == name]
        return {name: shares for name, values in lasted.items() if (shares := percentiles(values)) is not None}

    @cached_property
    def latency_ms(self) -> dict[str, float] | None:
        """{"p50", "p95"} from emit_block to the drawn picture; None while no page has told."""
        return latency_percentiles(self.rows)

    @property
    def skipped(self) -> dict[str, int]:
        """Reason -> how many of these frames."""
        return dict(Counter(row["skipped"] for row in self.rows if row["skipped"] is not None))

    @property
    def span_s(self) -> float:
        """From the first of these frames to the last."""
        emitted_s = [row["emitted_s"] for row in self.rows]
        return float(emitted_s[-1] - emitted_s[0]) if emitted_s else 0.0

    def intervals_ms(self) -> dict[int, float]:
        """Place of a row -> how long the one before stood on the screen, or was played where no page tells."""
        key = "painted_s" if any(row["painted_s"] is not None for row in self.rows) else "played_s"
        shown = [(place, row[key]) for place, row in enumerate(self.rows) if row[key] is not None]
        return {place: max(0.0, 1000 * (at_s - before_s)) for (_, before_s), (place, at_s) in pairwise(shown)}

    def svg(self) -> str:
        """The picture: an SVG document that is readable on light and on dark ground."""
        from reactor_nb.runtime.profile_picture import picture

        return picture(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture and return where it is. Missing folders are made.

        Raises:
            MediaFileError: it is no .svg, or the place cannot be written.
        """
        target = svg_path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self.svg(), encoding="utf-8")
        except OSError as error:
            raise MediaFileError(
                f"{target} cannot be written: {error.strerror or error}. Name a place that can: profile.svg"
            ) from error
        return target

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        # As HTML it takes the colours of the front end's theme; an SVG there is an image, which cannot.
        return {"text/html": self.svg(), "image/svg+xml": self.svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        """The table alone, for a console."""
        lines = [f"{self.name}: the last {len(self.rows)} frames, {self.span_s:.1f} s", "", _line("ms", "p50", "p95")]
        lines += [_line(name, *_shown(shares), ABOUTS[name]) for name, shares in self.stages.items()]
        if self.latency_ms is not None:
            lines.append(_line(TOTAL, *_shown(self.latency_ms), ABOUTS[TOTAL]))
        lines += [_line(f"{count} skipped", "", "", SKIP_WORDS[reason]) for reason, count in self.skipped.items()]
        return "\n".join(lines)


def svg_path(path: str | os.PathLike[str]) -> Path:
    """Where a profile can be written.

    Raises:
        MediaFileError: it is no .svg.
    """
    target = Path(path)
    if target.suffix.lower() != ".svg":
        raise MediaFileError(f"{target.name} is no picture that a profile can be; it needs .svg: profile.svg")
    return target


def profile_of(session: Session) -> Profile:
    """The profile of a session as it is now.

    Raises:
        NotStreamingError: no frame was emitted.
    """
    rows = session.timeline()
    if not rows:
        raise NotStreamingError(f"{session.name} has emitted no frame yet. Wait for one: session.wait(10, frames=1)")
    stats = session.stats()
    peers: dict[str, dict[str, Any]] = stats["media"].get("peers", {})
    peer = max(peers.values(), key=lambda peer: peer.get("page", {}).get("painted", 0), default={})
    facts = {
        "rate_fps": stats["rate_fps"],
        "size": f"{stats['width_px']}×{stats['height_px']}",
        "bits_per_s": stats["bits_per_s"] or None,
        "codec": peer.get("codec"),
        "painter": peer.get("page", {}).get("painter"),
        "media": _MEDIA.get(stats["media"].get("where", {}).get("media")),
    }
    return Profile(session.name, rows, session.max_fps, facts)


def _shown(shares: Mapping[str, float]) -> tuple[str, str]:
    return f"{shares['p50']:.1f}", f"{shares['p95']:.1f}"


def _line(name: str, p50: str, p95: str, about: str = "") -> str:
    return f"  {name:<13}  {p50:>6}  {p95:>6}  {about}".rstrip()
