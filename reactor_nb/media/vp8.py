"""VP8 by libvpx, in its fastest real-time mode."""

from __future__ import annotations

from typing import ClassVar

from av.video.codeccontext import VideoCodecContext

from reactor_nb.media.encoders import PyAvEncoder, RateRange
from reactor_nb.media.quality import GRADES

BUFFER_S = 0.25
"""How much of the rate a keyframe may borrow."""

_DOWN, _UP = 0.85, 1.4


class Vp8Encoder(PyAvEncoder):
    """Real-time VP8 in constrained quality, held by the bitrate.

    libavcodec cannot change the rate of an open libvpx: it is opened anew, which costs a keyframe, when the road is
    far from what it was opened for.
    """

    codec: ClassVar[str] = "VP8"

    def _range(self, rate_bps: int) -> RateRange:
        return RateRange(round(rate_bps * _DOWN), rate_bps, round(rate_bps * _UP))

    def _open(self, width_px: int, height_px: int, rates: RateRange) -> VideoCodecContext:
        context = self._new_context("libvpx", width_px, height_px)
        context.bit_rate = rates.opened_bps
        context.options = {
            "deadline": "realtime",
            # Below zero: a fixed speed. Above, libvpx chooses by how busy the machine is.
            "cpu-used": "-12",
            "lag-in-frames": "0",
            "auto-alt-ref": "0",
            "crf": str(GRADES[self.settings.quality].vp8_level),
            "qmin": "2",
            "qmax": "63",
            "maxrate": str(rates.opened_bps),
            "bufsize": str(round(rates.opened_bps * BUFFER_S)),
            "undershoot-pct": "100",
            "overshoot-pct": "15",
        }
        context.open()
        return context
