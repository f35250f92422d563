"""The picture of one model name: sessions come and go, the views stay."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from reactor_nb.core.frame_queue import BufferedFrame, FrameSource
from reactor_nb.errors import CarrierError, ClosedError
from reactor_nb.media.audience import Audience, Deliver, Ready
from reactor_nb.media.clock import Clock
from reactor_nb.media.codec_errors import CodecErrors, size_of
from reactor_nb.media.codecs import CODECS, COMM_CODECS, broken_codecs
from reactor_nb.media.encoder_thread import EncoderThread
from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.exact_still import DeliverStill, ExactStills
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.nvenc import missing_hardware
from reactor_nb.media.quality import FULL_COLOUR, GRADES, UNCHAINED
from reactor_nb.media.rate import WIDE_BPS
from reactor_nb.media.timeline import Timeline

_SMOOTHING = 0.1

_log = logging.getLogger(__name__)


class Stream:
    """Clock, encoders and fan-out of one model name.

    One clock per session, one encoder thread per codec that a view watches; with no view nothing is
    converted or encoded. The newest frame is kept, so that a late view sees a paused or ended model. A frame of a size
    that no codec takes is skipped, once each has failed at it.

    Args:
        codec_failed: called with a codec whose encoder raised, after its views were detached; on that
            encoder's thread, must not wait.

    Threads: every method may be called from any.
    """

    def __init__(self, name: str, codec_failed: Callable[[str], None]) -> None:
        self.name = name
        self.epoch_s = time.monotonic()
        """The monotonic time at RTP timestamp 0."""
        self.wait_s = 0.0
        """From emission until the clock plays a frame, of late: what a page cannot see of a frame's age."""
        self.timeline = Timeline()
        self._codec_failed = codec_failed
        self._lock = threading.Lock()
        self._settings = StreamSettings(rate_fps=30.0)
        self._clock: Clock | None = None
        self._newest: BufferedFrame | None = None
        self._views: dict[str, str] = {}
        self._audiences: dict[str, Audience] = {}
        self._roads_bps: dict[str, int] = {}
        self._encoders: dict[str, EncoderThread] = {}
        self._ending: list[EncoderThread] = []
        self._stills = ExactStills(name)
        self._errors = CodecErrors()
        self._is_closed = False

    def open(self, settings: StreamSettings, source: FrameSource, timeout_s: float = 1.0) -> None:
        """Play the frames of a new session; the source before is closed and its clock joined."""
        with self._lock:
            self._refuse_closed()
            clock_before, self._clock = self._clock, None
        if clock_before is not None:
            clock_before.close(timeout_s)
        with self._lock:
            self._refuse_closed()
            self._settings = settings
            # What a codec could not take may have been the frames of the session before: forget both.
            if self._refusals():
                self._newest = None
            self._errors.clear()
            self.timeline.begin()
            self.wait_s = 0.0
            self._stills.use(settings.quality == "exact")
            for encoder in self._encoders.values():
                encoder.use(settings)
            self._clock = Clock(self.name, source, self._show)

    def codecs(self) -> tuple[str, ...]:
        """What a view may be offered by WebRTC, best first, without those that failed at frames like the newest."""
        with self._lock:
            return self._codecs_without(self._refusals())

    def comm_codecs(self) -> tuple[str, ...]:
        """The same for the notebook's own connection."""
        with self._lock:
            return self._codecs_without(self._refusals(), COMM_CODECS)

    def codec_errors(self) -> dict[str, str]:
        """codec -> why it is not offered."""
        with self._lock:
            return {**broken_codecs(), **self._refusals()}

    def attach(
        self,
        view_id: str,
        codec: str,
        deliver: Deliver,
        deliver_still: DeliverStill | None = None,
        ready: Ready | None = None,
    ) -> None:
        """Send a view every frame in `codec`, beginning with a keyframe of the newest; and its stills, if it takes any.

        `ready`: whether its road has room for one more frame. It is asked before each is encoded, and misses the frame
        where it says no; see wake(). What no view of a codec has room for is not encoded, and counted as skipped by
        the `road`.

        Raises:
            CarrierError: the codec failed before, at frames like the newest.
        """
        with self._lock:
            self._refuse_closed()
            refusals = self._refusals()
            if codec in refusals:
                raise CarrierError(f"The {codec} encoder failed: {refusals[codec]}. Connect again for another one.")
            if self._views.get(view_id, codec) != codec:
                self._detach(view_id)
            self._views[view_id] = codec
            if deliver_still is not None:
                self._stills.attach(view_id, codec, deliver_still)
            encoder = self._encoders.get(codec)
            if encoder is None:
                audience = self._audiences[codec] = Audience(codec not in UNCHAINED, self._view_failed)
                audience.attach(view_id, deliver, ready)
                encoder = self._encoders[codec] = EncoderThread(
                    self.name, codec, self._settings, self.epoch_s, self._fan_out, self._encoder_failed, audience.choose
                )
                if self._newest is not None:
                    encoder.show(self._newest)
            else:
                self._audiences[codec].attach(view_id, deliver, ready)
            self._follow(codec)
            encoder.request_keyframe()
            self._ending = [ending for ending in self._ending if not ending.join(0)]

    def detach(self, view_id: str) -> None:
        """Stop sending to a view; the encoder that no view watches any more ends. Never waits."""
        with self._lock:
            self._detach(view_id)

    def follow(self, view_id: str, rate_bps: int) -> None:
        """The road to a view carries this much. One encoder serves all views of a codec: the narrowest road counts."""
        with self._lock:
            if view_id in self._views:
                self._roads_bps[view_id] = rate_bps
                self._follow(self._views[view_id])

    def wake(self, view_id: str) -> None:
        """A view that was not ready may be now: ask it again. Never waits."""
        with self._lock:
            encoder = self._encoders.get(self._views.get(view_id, ""))
        if encoder is not None:
            encoder.wake()

    def request_keyframe(self, codec: str) -> None:
        """Ask the encoder of `codec` for a frame that can be decoded alone."""
        with self._lock:
            encoder = self._encoders.get(codec)
        if encoder is not None:
            encoder.request_keyframe()

    def stats(self) -> dict[str, Any]:
        """rate_fps, views, encoders (counts per codec in use), errors (per codec), stills."""
        codecs = self.codecs()
        frames = self.timeline.summary()  # sorts: not while the clock would wait for the lock
        with self._lock:
            return {
                "frames": frames,
                "codecs": list(codecs),
                "no_hardware": missing_hardware(),
                "rate_fps": self._settings.rate_fps,
                "views": len(self._views),
                "encoders": {codec: encoder.counts() for codec, encoder in self._encoders.items()},
                "errors": {**broken_codecs(), **self._refusals()},
                "stills": self._stills.counts(),
            }

    def close(self, timeout_s: float = 2.0) -> list[str]:
        """End clock and encoders, and wait for their threads; the names of those still there. Idempotent."""
        deadline_s = time.monotonic() + timeout_s
        with self._lock:
            self._is_closed = True
            clock, self._clock = self._clock, None
            self._ending += self._encoders.values()
            encoders = self._ending
            self._encoders, self._ending = {}, []
            self._views.clear()
            self._audiences.clear()
            self._newest = None
        stuck = []
        if clock is not None and not clock.close(timeout_s):
            stuck.append(f"reactor-clock-{self.name}")
        for encoder in encoders:
            encoder.close()
        if not self._stills.close(max(deadline_s - time.monotonic(), 0.05)):
            stuck.append(f"reactor-still-{self.name}")
        for encoder in encoders:
            if not encoder.join(max(deadline_s - time.monotonic(), 0.05)):
                stuck.append(f"reactor-encoder-{self.name}-{encoder.codec.lower()}")
        return stuck

    def _show(self, frame: BufferedFrame) -> None:
        with self._lock:
            if self._is_closed:
                return
            waited_s = frame.played_s - frame.emitted_s
            self.wait_s = waited_s if self.wait_s == 0.0 else self.wait_s + (waited_s - self.wait_s) * _SMOOTHING
            self.timeline.shown(frame, is_watched=bool(self._encoders))
            refusals = self._errors.at(size_of(frame))
            if refusals and not self._codecs_without(refusals) and not self._encoders.keys() & UNCHAINED:
                # No codec takes such a frame: who watches keeps the picture before it, and who comes is shown that.
                self.timeline.skip("codec", len(self._encoders))
                return
            self._newest = frame
            for codec, encoder in self._encoders.items():
                skipped, number = encoder.show(frame)
                if skipped == "road":
                    self.timeline.hold(codec, number)
                elif skipped:
                    self.timeline.skip(skipped)
        self._stills.show(frame)

    def _refusals(self) -> dict[str, str]:
        return self._errors.at(None if self._newest is None else size_of(self._newest))

    def _codecs_without(self, refusals: Mapping[str, str], codecs: tuple[str, ...] = CODECS) -> tuple[str, ...]:
        wanted = (FULL_COLOUR, *codecs) if GRADES[self._settings.quality].is_full_colour else codecs
        return tuple(codec for codec in wanted if codec not in refusals and codec not in broken_codecs())

    def _detach(self, view_id: str) -> None:
        codec = self._views.pop(view_id, "")
        self._roads_bps.pop(view_id, None)
        self._stills.detach(view_id)
        audience = self._audiences.get(codec)
        if audience is not None:
            audience.detach(view_id)
        if codec and codec not in self._views.values():
            self._audiences.pop(codec, None)
            encoder = self._encoders.pop(codec, None)
            if encoder is not None:
                for _ in range(encoder.close()):
                    self.timeline.leave()
                self._ending.append(encoder)
        self._follow(codec)

    def _follow(self, codec: str) -> None:
        encoder = self._encoders.get(codec)
        if encoder is not None:
            views = [view_id for view_id, watched in self._views.items() if watched == codec]
            encoder.follow(min((self._roads_bps.get(view_id, WIDE_BPS) for view_id in views), default=WIDE_BPS))

    def _fan_out(self, frame: EncodedFrame) -> None:
        self.timeline.encoded(frame)
        with self._lock:
            self._errors.took(frame.codec, (frame.width_px, frame.height_px))
            audience = self._audiences.get(frame.codec)
        # First: a page that is told in time does not draw over a still what shows the same.
        self._stills.encoded(frame)
        if audience is not None:
            self.timeline.skip("view", audience.hand_out(frame))

    def _view_failed(self, view_id: str) -> None:
        """One view cannot be sent frames: it is detached, the others and their codec go on."""
        with self._lock:
            audience = self._audiences.get(self._views.get(view_id, ""))
            if audience is None or audience.has(view_id):
                return  # It has left, or attached once more meanwhile.
            self._detach(view_id)
        _log.exception("View %s of %s cannot be sent its frames and gets no more.", view_id, self.name)

    def _encoder_failed(self, codec: str, error: Exception, frame: BufferedFrame | None) -> None:
        _log.error(
            "The %s encoder of %s failed; its views connect again with another codec.", codec, self.name, exc_info=error
        )
        with self._lock:
            size = None if frame is None else size_of(frame)
            self._errors.failed(codec, size, f"{type(error).__name__}: {error}")
            self._views = {view_id: watched for view_id, watched in self._views.items() if watched != codec}
            self._audiences.pop(codec, None)
            ended = self._encoders.pop(codec, None)
            if ended is not None:
                # The newest frame is encoded once more when the views come back, if another codec takes it.
                left = ended.close() - bool(self._codecs_without(self._refusals()))
                self.timeline.skip("codec", left)
                self._ending.append(ended)
        self._codec_failed(codec)

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise ClosedError(f"The stream of {self.name} is closed; open a new one with open_stream({self.name!r}).")
