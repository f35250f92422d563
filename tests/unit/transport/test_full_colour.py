"""Which offers name H.264 in full colour, as Chromium writes them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_nb.transport.full_colour import FullColour, full_colour_of

OFFER = """v=0
m=audio 9 UDP/TLS/RTP/SAVPF 41
a=rtpmap:41 H264/90000
a=fmtp:41 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=f4001f
m=video 9 UDP/TLS/RTP/SAVPF 108 109 43 41 42
a=rtpmap:108 H264/90000
a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:109 rtx/90000
a=fmtp:109 apt=108
a=rtpmap:43 H264/90000
a=fmtp:43 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=f4001f
{}"""
FULL = """a=rtpmap:41 H264/90000
a=fmtp:41 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=F4001f
"""
AGAIN = """a=rtpmap:42 rtx/90000
a=fmtp:42 apt=41
"""
PARAMETERS: dict[str, int | str | None] = {
    "level-asymmetry-allowed": 1,
    "packetization-mode": 1,
    "profile-level-id": "F4001f",
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_offer_that_names_it_is_understood(line_end: str) -> None:
    sdp = OFFER.format(FULL + AGAIN).replace("\n", line_end)
    assert full_colour_of(sdp) == FullColour(41, 42, PARAMETERS)


def test_without_retransmission_it_is_taken_all_the_same() -> None:
    assert full_colour_of(OFFER.format(FULL)) == FullColour(41, None, PARAMETERS)


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        OFFER.format(""),
        OFFER.format(FULL.replace("H264", "VP9")),
        OFFER.format("a=fmtp:41 packetization-mode=1;profile-level-id=f4001f\n"),
        OFFER.format("a=rtpmap:41 H264/90000\na=fmtp:41 profile-level-id=f4001f\n"),
    ],
)
def test_other_offers_do_not_name_it(sdp: str) -> None:
    assert full_colour_of(sdp) is None


@given(st.text(alphabet="a=fmtp:rmv41 H264/90000;packetization-mode=1profile-level-idf4\r\n", max_size=300))
def test_no_text_whatever_breaks_the_reading(text: str) -> None:
    full_colour_of("m=video" + text)


def test_a_line_of_blanks_is_read_in_no_time() -> None:
    began_s = time.process_time()
    full_colour_of("m=video 9\na=fmtp:41 " + " " * 50_000 + "x\n")
    assert time.process_time() - began_s < 0.5
