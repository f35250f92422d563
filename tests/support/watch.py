"""What a person sees of one View over a while: every change of its picture, read from the canvas at each display frame.

It knows nothing of carriers: a black frame, an older frame after a newer one or a picture that stands still is found
whichever road it came by. Times are Unix seconds, the same clock in a kernel on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tests.support import barcode
from tests.support.views import Views

_START = f"""(root) => {{
  const read = {barcode.READ_JS};
  const watch = (root.reactorWatch = {{ seen: [], last: undefined }});
  const look = () => {{
    if (root.reactorWatch !== watch) return;
    const now_s = (performance.timeOrigin + performance.now()) / 1000;
    const canvas = root.reactor?.canvas;
    const number = canvas ? read(canvas) : null;
    if (number !== watch.last) watch.seen.push([now_s, number, root.reactor?.stats().carrier ?? ""]);
    watch.last = number;
    requestAnimationFrame(look);
  }};
  root.scrollIntoView({{ block: "center" }});
  requestAnimationFrame(look);
}}"""

_STOP = """(root) => {
  const { seen } = root.reactorWatch;
  root.reactorWatch = null;
  return [(performance.timeOrigin + performance.now()) / 1000, seen];
}"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture that appeared.

    Args:
        at_s: when.
        number: painted into it; None where it is black or torn.
        carrier: which road the View says that it is on.
    """

    at_s: float
    number: int | None
    carrier: str


@dataclass(frozen=True, slots=True)
class Watched:
    """Everything that was seen from `start` to `stop`."""

    seen: list[Seen]
    stopped_s: float

    def numbered(self) -> list[tuple[float, int]]:
        return [(each.at_s, each.number) for each in self.seen if each.number is not None]

    def unreadable(self) -> list[float]:
        """When there was no picture, after there had been one."""
        first_s = min((each.at_s for each in self.seen if each.number is not None), default=float("inf"))
        return [each.at_s for each in self.seen if each.number is None and each.at_s > first_s]

    def steps_back(self) -> list[tuple[int, int]]:
        """Where an older frame followed a newer one."""
        return [(before, after) for (_, before), (_, after) in pairwise(self.numbered()) if after <= before]

    def longest_still_s(self) -> float:
        """The longest time without a new frame."""
        times = [at_s for at_s, _ in self.numbered()] + [self.stopped_s]
        return max((after - before for before, after in pairwise(times)), default=float("inf"))

    def rate_fps(self) -> float:
        numbered = self.numbered()
        return (len(numbered) - 1) / (numbered[-1][0] - numbered[0][0]) if len(numbered) > 1 else 0.0

    def carriers(self) -> list[str]:
        """The roads in the order in which they were taken."""
        names = [each.carrier for each in self.seen]
        return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]

    def latencies_s(self, shown_s: dict[str, float], from_s: float = 0.0) -> list[float]:
        """How old each picture was when it appeared, of those after `from_s`.

        Args:
            shown_s: when the model made each, by its number.
        """
        return [at_s - shown_s[str(number)] for at_s, number in self.numbered() if at_s > from_s]


class Watch:
    """Watches one View. Threads: playwright's."""

    def __init__(self, views: Views, index: int = 0) -> None:
        self._views, self._index = views, index

    def start(self) -> None:
        """Forgets what was seen before."""
        self._views.viewer(self._index).evaluate(_START)

    def stop(self) -> Watched:
        stopped_s, seen = self._views.viewer(self._index).evaluate(_STOP)
        return Watched([Seen(*each) for each in seen], stopped_s)
