"""VP8 by libvpx: for pages that offer no H.264."""

from __future__ import annotations

from typing import ClassVar

from av.video.codeccontext import VideoCodecContext

from reactor_nb.media.encoders import PyAvEncoder

CQ_LEVEL = 10
"""Constrained quality (0 best, 63 worst): below this quantizer no bits are spent."""


class Vp8Encoder(PyAvEncoder):
    """Real-time VP8 in constrained quality, held by the bitrate cap."""

    codec: ClassVar[str] = "VP8"

    def _open(self, width_px: int, height_px: int) -> VideoCodecContext:
        context = self._new_context("libvpx", width_px, height_px)
        cap_bps = self.settings.max_bitrate_bps
        context.bit_rate = cap_bps
        context.options = {
            "deadline": "realtime",
            "cpu-used": "12",
            "lag-in-frames": "0",
            "auto-alt-ref": "0",
            "crf": str(CQ_LEVEL),
            "qmin": "2",
            "qmax": "56",
            "maxrate": str(cap_bps),
            "bufsize": str(cap_bps),
            "undershoot-pct": "100",
            "overshoot-pct": "15",
        }
        context.open()
        return context
