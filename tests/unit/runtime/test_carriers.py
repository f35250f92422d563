"""Which roads a page may take: chosen, from the environment, by default."""

from __future__ import annotations

import pytest

from reactor_nb.errors import ConfigError
from reactor_nb.runtime.carriers import CARRIER, CARRIERS, chosen_carrier


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CARRIER, raising=False)


def test_the_best_that_works_is_the_default() -> None:
    assert chosen_carrier() == "auto"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_carrier_is_taken_from_the_line_and_from_the_environment(
    carrier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chosen_carrier(carrier) == carrier
    monkeypatch.setenv(CARRIER, carrier.upper())
    assert chosen_carrier() == carrier


def test_what_is_typed_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CARRIER, "jpeg")
    assert chosen_carrier("webrtc") == "webrtc"


def test_a_carrier_that_is_none_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="Type: %reactor run --carrier webrtc"):
        chosen_carrier("webrct")
    monkeypatch.setenv(CARRIER, "jpg")
    with pytest.raises(ConfigError, match=r"REACTOR_NB_CARRIER is 'jpg'.*Type: %env REACTOR_NB_CARRIER=jpeg"):
        chosen_carrier()
