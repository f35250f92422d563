"""H.264 by libx264, set for the least delay that still looks sharp."""

from __future__ import annotations

from typing import ClassVar

from av.video.codeccontext import VideoCodecContext

from reactor_nb.media.encoders import SLOWEST, PyAvEncoder, RateRange
from reactor_nb.media.quality import GRADES

BUFFER_S = 0.15
"""How much of the rate a keyframe may borrow: enough for it to be no hitch, little enough to be sent at once."""

HEADROOM = 2
"""On a road narrower than the cap the codec is opened for a multiple of it, to be opened again less often."""

_DOWN = 4

_COLOURS = "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m:range=tv"
"""Untagged H.264 is decoded as BT.709 by Chromium, up to 15 % off per channel."""

# Wider dead zones than x264's 21 and 11 spend the bits of the grain, which nobody can predict, on what lies below.
_DEAD_ZONES = "deadzone-inter=26:deadzone-intra=14"


class H264Encoder(PyAvEncoder):
    """Constrained-baseline H.264 (what every browser takes over WebRTC), Annex B, headers with each keyframe.

    A constant rate with a least quantizer is constant quality with a cap: where the picture is easy the quantizer
    stops at its least and the rate falls. Of all modes of libx264 it is the one whose rate libavcodec changes in an
    open codec, without a keyframe.
    """

    codec: ClassVar[str] = "H264"
    _profile: ClassVar[str] = "baseline"

    def _range(self, rate_bps: int) -> RateRange:
        opened_bps = min(rate_bps * HEADROOM, self.settings.max_bitrate_bps)
        return RateRange(opened_bps // _DOWN, opened_bps, opened_bps)

    def _open(self, width_px: int, height_px: int, rates: RateRange) -> VideoCodecContext:
        context = self._new_context("libx264", width_px, height_px)
        most_bps = round(rates.opened_bps * SLOWEST)
        context.bit_rate = most_bps
        least = GRADES[self.settings.quality].h264_qp
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": self._profile,
            "maxrate": str(most_bps),
            "bufsize": str(round(rates.opened_bps * BUFFER_S)),
            "bf": "0",
            "forced-idr": "1",
            "x264-params": f"scenecut=0:cabac=0:qpmin={least}:{_DEAD_ZONES}:{_COLOURS}",
        }
        context.open()
        return context

    def _retune(self, context: VideoCodecContext, rate_bps: int, slowness: float) -> None:
        # Without delay x264 knows no time but the number of frames: of a slow model each may take more.
        context.bit_rate = round(rate_bps * slowness)


class FullColourEncoder(H264Encoder):
    """The same in High 4:4:4 Predictive: every pixel keeps a colour of its own.

    At the same rate it costs a tenth more time than 4:2:0, the same luma, and keeps coloured lines and text as they
    are. Chromium decodes it, and says so in its offer; other browsers do not.
    """

    codec: ClassVar[str] = "H264-444"
    pixel_format: ClassVar[str] = "yuv444p"
    _profile: ClassVar[str] = "high444"
