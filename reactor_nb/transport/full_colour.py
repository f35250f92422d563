"""Whether a page decodes H.264 in full colour (4:4:4), and under which payload types it says so in its offer."""

from __future__ import annotations

import re
from typing import NamedTuple

_HIGH_444 = "f4"
"""How profile-level-id begins for High 4:4:4 Predictive. Chromium offers it; no other browser does today."""


class FullColour(NamedTuple):
    """The payload types of the pictures and of what is sent again (None: nothing is), and the format's parameters."""

    payload_type: int
    again_payload_type: int | None
    parameters: dict[str, int | str | None]


def full_colour_of(sdp: str) -> FullColour | None:
    """What an offer says of H.264 4:4:4 with packets of any size; None if it does not."""
    video = sdp[sdp.find("m=video") :] if "m=video" in sdp else ""
    h264 = set(re.findall(r"^a=rtpmap:(\d+) H264/90000\s*$", video, re.MULTILINE | re.IGNORECASE))
    again = dict(re.findall(r"^a=fmtp:(\d+) apt=(\d+)\s*$", video, re.MULTILINE))
    for payload_type, text in re.findall(r"^a=fmtp:(\d+) (.*)", video, re.MULTILINE):
        parameters = dict(_parameter(pair) for pair in text.rstrip().split(";"))
        profile = str(parameters.get("profile-level-id") or "").lower()
        if payload_type in h264 and profile.startswith(_HIGH_444) and parameters.get("packetization-mode") == 1:
            resent = next((int(other) for other, of in again.items() if of == payload_type), None)
            return FullColour(int(payload_type), resent, parameters)
    return None


def _parameter(pair: str) -> tuple[str, int | str | None]:
    name, equals, value = pair.strip().partition("=")
    if not equals:
        return name, None
    return name, int(value) if name in ("packetization-mode", "level-asymmetry-allowed") and value.isdigit() else value
