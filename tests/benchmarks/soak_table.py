"""The table of a long run over the rungs: what grew, what stayed, and how soon the picture was back."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from reactor_nb.transport.comm_views import MOST_VIEWS
from tests.benchmarks.slopes import thirds
from tests.benchmarks.soak_run import Shared, Soaked
from tests.benchmarks.table import markdown

GROWTH_MB = {"kernel, MB": 3.0, "media process, MB": 3.0, "page's own heap, MB": 3.0, "server, MB": 5.0}
"""From the second third of a run to the last. Of the browser's processes nothing is demanded: a reload of JupyterLab
adds 38 MB to them, with a slider alone in the notebook."""

GROWTH_COUNT = {
    "kernel, threads": 1.0,
    "kernel, open files": 4.0,
    "media process, threads": 1.0,
    # Each is the shared memory of a frame that waits.
    "media process, open files": 4.0,
    "kernel, tasks": 1.0,
    "media process, tasks": 1.0,
    # As many as are kept, in case they come back.
    "pages that went without a word": float(MOST_VIEWS),
}
"""What may be more in the calm at the end than in that at the beginning; 0 of what is not named."""

LEGEND = """\
Memory: the least of each minute, its median in the second third of the run → in the last third; allowed are 3 MB for
the kernel, the media process and the page's heap, 5 MB for the server. Of the browser's processes nothing is demanded:
a reload of JupyterLab adds 38 MB to them with a slider alone in the notebook. Counts: in the calm before the first
disturbance → in the calm after the last; allowed are one thread or task and four open files, no peer; pages whose last
word was lost are kept up to a number, in case they come back, and sent nothing. *Stood still*: the longest that the
picture stood, from the beginning of a cut until it was back, the cut itself (1 to 6 s) included: median / most. *After
a reload*: from the notebook being open again to the third frame. The subshell that JupyterLab leaves in the kernel with
each reload, a thread and eight open files, is ended by the run: it is not this project's."""


def soak_table(found: Sequence[Soaked]) -> str:
    """Markdown: a column for each rung."""
    body = []
    for name in (name for name in found[0].series if name.endswith("MB")):
        body.append([name, *(_memory(each.series[name], each.at_s, GROWTH_MB[name]) for each in found)])
    for name in found[0].calm:
        body.append([name, *(_count(name, *each.calm[name]) for each in found)])
    for kind in dict.fromkeys(kind for each in found for kind in each.still_s):
        body.append([f"stood still, {kind}: s", *(_spread(each.still_s.get(kind, [])) for each in found)])
    body.append(["back after a reload, s", *(_spread(each.reload_s) for each in found)])
    body.append(["pictures that did not come back", *(_none(len(each.lost)) for each in found)])
    body.append(["messages of the viewer on the page's console", *(str(len(each.errors)) for each in found)])
    body.append(["frames painted a second, all in all", *(f"{each.rate_fps:.1f}" for each in found)])
    body.append(["what the View stood on", *(", ".join(sorted(each.seen_on)) or "–" for each in found)])
    return markdown(["", *(each.rung for each in found)], body)


def shared_table(shared: Shared) -> str:
    body = [[name, _memory(values, shared.at_s, GROWTH_MB.get(name))] for name, values in shared.series.items()]
    return markdown(["of all together", ""], body)


def is_flat(found: Sequence[Soaked], shared: Shared) -> bool:
    """Nothing grew beyond its bound, and every picture came back."""
    text = soak_table(found) + shared_table(shared)
    return "✗" not in text


def _memory(values: Sequence[float], at_s: Sequence[float], allowed_mb: float | None) -> str:
    before, after = thirds(at_s, values)
    if allowed_mb is None:
        return f"{before:.0f} → {after:.0f}"
    return f"{before:.1f} → {after:.1f} {'✓' if after - before <= allowed_mb else '✗'}"


def _count(name: str, before: float, after: float) -> str:
    allowed = GROWTH_COUNT.get(name, 0.0)
    return f"{before:.0f} → {after:.0f} {'✓' if after - before <= allowed else '✗'}"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} / {max(values):.1f}" if values else "–"


def _none(count: int) -> str:
    return f"{count} {'✗' if count else '✓'}"
