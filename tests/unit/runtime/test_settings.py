"""What an author, or the environment, says of a stream, and what is answered to what cannot be."""

from __future__ import annotations

import pytest

from reactor_nb.errors import ConfigError
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.nvenc_switch import SWITCH
from reactor_nb.media.quality import GRADES, QUALITIES
from reactor_nb.runtime.settings import MAX_BITRATE, StreamChoice, stream_settings


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MAX_BITRATE, raising=False)
    monkeypatch.delenv(SWITCH, raising=False)


def test_nothing_said_is_the_default() -> None:
    assert stream_settings(24.0) == StreamSettings(rate_fps=24.0)


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_quality_brings_its_own_cap(quality: str) -> None:
    chosen = stream_settings(30.0, StreamChoice(quality=quality))
    assert (chosen.quality, chosen.max_bitrate_bps) == (quality, GRADES[chosen.quality].cap_bps)


@pytest.mark.parametrize(
    ("bitrate", "bps"),
    [
        (8, 8_000_000),
        (2.5, 2_500_000),
        ("8", 8_000_000),
        ("8M", 8_000_000),
        ("800k", 800_000),
        ("1.5 Mbit/s", 1_500_000),
        ("0.1", 100_000),
    ],
)
def test_a_bitrate_is_in_megabits_unless_it_says_otherwise(bitrate: str | float, bps: int) -> None:
    assert stream_settings(30.0, StreamChoice(quality="high", bitrate=bitrate)).max_bitrate_bps == bps


@pytest.mark.parametrize("bitrate", [0, -3, "fast", "8G", "", True, "99k", 1001, float("nan"), float("inf")])
def test_a_bitrate_that_is_none_is_refused_with_the_line_to_type(bitrate: str | float) -> None:
    with pytest.raises(ConfigError, match=r"0\.1 to 1000, .*%reactor run --bitrate 8M"):
        stream_settings(30.0, StreamChoice(bitrate=bitrate))


def test_the_environment_caps_what_nobody_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MAX_BITRATE, "2.5")
    assert stream_settings(30.0, StreamChoice(quality="high")).max_bitrate_bps == 2_500_000
    assert stream_settings(30.0, StreamChoice(bitrate=4)).max_bitrate_bps == 4_000_000


def test_a_quality_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"quality is 'ballanced'; .* Type: %reactor run --quality balanced"):
        stream_settings(30.0, StreamChoice(quality="ballanced"))


@pytest.mark.parametrize(("smoothness", "read"), [("0", 0.0), (1, 1.0), ("0.25", 0.25)])
def test_smoothness_is_a_share(smoothness: str | float, read: float) -> None:
    assert stream_settings(30.0, StreamChoice(smoothness=smoothness)).smoothness == read


@pytest.mark.parametrize("smoothness", ["much", 1.1, -0.1, "nan", ""])
def test_smoothness_out_of_its_range_is_refused(smoothness: str | float) -> None:
    with pytest.raises(ConfigError, match=r"from 0 \(soonest\) to 1"):
        stream_settings(30.0, StreamChoice(smoothness=smoothness))


@pytest.mark.parametrize("switch", ["", "on", "Off", "0", "1"])
def test_the_card_is_asked_or_left_alone(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, switch)
    assert stream_settings(30.0) == StreamSettings(rate_fps=30.0)


def test_a_card_that_is_neither_asked_nor_left_alone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "maybe")
    with pytest.raises(ConfigError, match=r"REACTOR_NB_NVENC is 'maybe'; it is on or off. Type: %env REACTOR_NB_NVENC"):
        stream_settings(30.0)
