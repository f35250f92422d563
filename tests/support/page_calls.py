"""Calls that a page makes one after the other while something happens to its road."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.eventually import eventually
from tests.support.views import Views

_START = """(root, [command, parameter, interval_ms]) => {
  const calls = (root.reactorCalls = { sent: 0, answered: [], refused: [], waited_ms: [] });
  calls.timer = setInterval(() => {
    const number = calls.sent++;
    const began_ms = performance.now();
    root.reactor.call(command, { [parameter]: number }).then(
      () => { calls.answered.push(number); calls.waited_ms.push(performance.now() - began_ms) },
      (error) => calls.refused.push(`${number}: ${error.message}`),
    );
  }, interval_ms);
}"""

_STOP = "(root) => clearInterval(root.reactorCalls.timer)"
_READ = "(root) => { const { timer, ...calls } = root.reactorCalls; return calls; }"


@dataclass(frozen=True, slots=True)
class Calls:
    """What became of calls 0 to sent - 1."""

    sent: int
    answered: list[int]
    refused: list[str]
    waited_ms: list[float]


class PageCalls:
    """Numbers sent to a command of one integer parameter, at an interval. Threads: playwright's."""

    def __init__(self, views: Views, command: str, parameter: str, index: int = 0) -> None:
        self._views, self._index = views, index
        self._command, self._parameter = command, parameter

    def start(self, interval_ms: int = 100) -> None:
        self._views.viewer(self._index).evaluate(_START, [self._command, self._parameter, interval_ms])

    def stop(self, timeout_s: float = 15.0) -> Calls:
        """Sends no more; returns when every call was answered or refused."""
        self._views.viewer(self._index).evaluate(_STOP)
        return eventually(self._finished, timeout_s, interval_s=0.05)[0]

    def _finished(self) -> list[Calls]:
        calls = Calls(**self._views.viewer(self._index).evaluate(_READ))
        return [calls] if calls.sent == len(calls.answered) + len(calls.refused) else []
