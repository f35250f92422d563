"""The road that the pages of one name share by comm: what each has heard, and whether all have room for more."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from reactor_nb.media.flow import FlowWindow
from reactor_nb.media.rate import WIDE_BPS

PASSED_OVER_S: Final = 2.0
"""A page that says nothing for so long, while others do, holds them no more: its tab or its machine has gone."""

LOST_S: Final = 60.0
"""After so long of that it is sent nothing until it is heard again."""

_KEPT_SEQUENCES: Final = 512


@dataclass(slots=True)
class _Listener:
    """One page. `heard_s`: when it said something last; `waits_s`: since when it has something to say."""

    flow: FlowWindow
    heard_s: float
    waits_s: float = math.inf
    is_passed_over: bool = False

    def begin_anew(self, now_s: float) -> None:
        self.flow.restart(now_s)
        self.heard_s = now_s
        self.waits_s = math.inf
        self.is_passed_over = False


class CommRoad:
    """Everyone who hears what is sent by comm.

    Jupyter sends each message to every page that is connected to the kernel, and its server keeps what a page has not
    read, without bound. So a packet weighs on the road of every page that stands by or watches, and the slowest sets
    the pace. One that was silent for PASSED_OVER_S, while others were heard, is not waited for.

    Threads: one at a time. All times are of one monotonic clock.
    """

    def __init__(self) -> None:
        self._listeners: dict[str, _Listener] = {}
        self._ordinal = 0
        self._sent: deque[tuple[int, int]] = deque(maxlen=_KEPT_SEQUENCES)
        self._is_deaf = False

    def __contains__(self, view_id: str) -> bool:
        return view_id in self._listeners

    def join(self, view_id: str, now_s: float) -> None:
        """A page hears the comm from now on; one that did so before begins anew."""
        listener = self._listeners.get(view_id)
        if listener is None:
            flow = FlowWindow(now_s)
            flow.deafen(self._is_deaf, now_s)
            self._listeners[view_id] = _Listener(flow, now_s)
        else:
            listener.begin_anew(now_s)

    def leave(self, view_id: str) -> None:
        self._listeners.pop(view_id, None)

    def sent(self, sequence: int, size_bytes: int, now_s: float) -> None:
        """A packet goes out to all."""
        self._ordinal += 1
        self._sent.append((sequence, self._ordinal))
        for listener in self._waited_for(now_s):
            listener.flow.sent(self._ordinal, size_bytes, now_s)
            listener.waits_s = min(listener.waits_s, now_s)

    def acked(self, view_id: str, sequence: int, now_s: float) -> None:
        """A page has heard this packet, and all that were sent before it. What was never sent is passed over."""
        listener = self._listeners.get(view_id)
        ordinal = next((ordinal for known, ordinal in reversed(self._sent) if known == sequence), None)
        if listener is None or ordinal is None or listener.is_passed_over:
            self.heard(view_id, now_s)
            return
        listener.heard_s = now_s
        listener.flow.acked(ordinal, now_s)
        listener.waits_s = math.inf if ordinal == self._ordinal else now_s

    def heard(self, view_id: str, now_s: float) -> None:
        """A page said something: it is there."""
        listener = self._listeners.get(view_id)
        if listener is None:
            return
        if listener.is_passed_over:
            listener.begin_anew(now_s)
        else:
            listener.heard_s = now_s
            listener.flow.heard(now_s)

    def may_send(self, now_s: float) -> bool:
        """Whether every page that is waited for has room; False where there is none."""
        flows = [each.flow for each in self._waited_for(now_s) if not each.flow.is_suspended(now_s)]
        return bool(flows) and all(flow.may_send(now_s) for flow in flows)

    def next_look_s(self, now_s: float) -> float:
        """When may_send may have changed by time alone; inf: it takes a word of a page."""
        looks_s = [each.flow.next_look_s(now_s) for each in self._waited_for(now_s)]
        if len(self._listeners) > 1:
            looks_s += [each.waits_s + PASSED_OVER_S for each in self._waited_for(now_s)]
        return min((each for each in looks_s if each > now_s), default=math.inf)

    def is_lost(self, view_id: str, now_s: float) -> bool:
        """Whether nothing is sent for this page's sake until it is heard again."""
        listener = self._listeners.get(view_id)
        if listener is None:
            return True
        if listener.is_passed_over:
            return now_s - listener.heard_s > LOST_S
        return listener.flow.is_suspended(now_s)

    def rate_bps(self) -> int:
        """What one more second can carry on the narrowest road."""
        rates_bps = [each.flow.rate_bps for each in self._listeners.values() if not each.is_passed_over]
        return min(rates_bps, default=WIDE_BPS)

    def throughput_bytes_per_s(self) -> float:
        """What the narrowest road carries, as far as it was tried; 0 before that."""
        listeners = [each for each in self._listeners.values() if not each.is_passed_over]
        return min((each.flow.throughput_bytes_per_s for each in listeners), default=0.0)

    def ack_every(self) -> int:
        """After how many packets a page is to say what it heard."""
        every = [each.flow.ack_every for each in self._listeners.values() if not each.is_passed_over]
        return min(every, default=1)

    def deafen(self, is_deaf: bool, now_s: float) -> None:
        """No page can be heard; or again."""
        self._is_deaf = is_deaf
        for listener in self._listeners.values():
            listener.flow.deafen(is_deaf, now_s)

    def longest_unheard(self) -> str | None:
        """The page that said nothing for longest."""
        return min(self._listeners, key=lambda view_id: self._listeners[view_id].heard_s, default=None)

    def stats(self, view_id: str, now_s: float) -> dict[str, Any]:
        """Counts of one page's road."""
        listener = self._listeners.get(view_id)
        if listener is None:
            return {}
        return {**listener.flow.stats(now_s), "is_passed_over": listener.is_passed_over}

    def _waited_for(self, now_s: float) -> Iterator[_Listener]:
        """Those that are not passed over, looked at anew."""
        heard_s = max((each.heard_s for each in self._listeners.values()), default=-math.inf)
        for listener in self._listeners.values():
            # Heard after this one should have been: so the kernel was not busy, it is this page that is silent.
            silent_s = max(listener.waits_s, listener.heard_s)
            if now_s - silent_s > PASSED_OVER_S and heard_s > silent_s + PASSED_OVER_S / 2:
                listener.is_passed_over = True
            if not listener.is_passed_over:
                yield listener
