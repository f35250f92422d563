"""One encoder and its thread: the newest frame wins, keyframes are rationed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reactor_nb.core.buffer import BufferedFrame
from reactor_nb.media.audience import Takers
from reactor_nb.media.codecs import open_encoder
from reactor_nb.media.encoders import RTP_CLOCK_HZ, EncodedFrame, Encoder
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.quality import cap_bps
from reactor_nb.media.rate import WIDE_BPS

KEYFRAME_INTERVAL_S = 0.15
"""At most one keyframe in this time: a page that lost packets asks again and again until it has one."""

KEYFRAME_PAUSE_S = 2.0
"""On a narrow road the pause after a keyframe is longer, up to this: two of them on their way would choke it."""

_SMOOTHING = 0.1

_EVERYBODY = Takers(inter=True, keyframe=False)


class EncoderThread:
    """Encodes what it is shown, on the thread `reactor-encoder-<name>-<codec>`.

    Frames that come while it encodes, or while no view takes one, replace each other in a slot of one, and each
    replaced one is counted. A keyframe request encodes the newest frame again if no other comes: a paused model must
    be seen by a late view.

    Args:
        choose: who takes a frame that is encoded now; asked on this thread, without a lock, before each. Where nobody
            does it is asked again with the next frame, request or wake().
        deliver: called with each encoded frame on this thread; must not wait.
        fail: called once with the codec and the error when the encoder raises, and the frame that it had; None where
            it could not be made. The thread then ends.

    Threads: every method may be called from any; the encoder belongs to the thread.
    """

    def __init__(
        self,
        name: str,
        codec: str,
        settings: StreamSettings,
        epoch_s: float,
        deliver: Callable[[EncodedFrame], None],
        fail: Callable[[str, Exception, BufferedFrame | None], None],
        choose: Callable[[], Takers] = lambda: _EVERYBODY,
    ) -> None:
        self.codec = codec
        self._settings = settings
        self._rate_bps = WIDE_BPS
        self._epoch_s = epoch_s
        self._deliver = deliver
        self._fail = fail
        self._choose = choose
        self._changed = threading.Condition()  # guards everything below
        self._newest: BufferedFrame | None = None
        self._is_new = False
        self._is_in_hand = False
        self._is_closed = False
        self._is_stirred = False
        self._is_shut = False
        self._keyframe_wanted = False
        self._next_keyframe_s = float("-inf")
        # A view that looked away was sent frames by an encoder before this one, and never takes an older timestamp.
        self._last_timestamp = round((time.monotonic() - epoch_s) * RTP_CLOCK_HZ)
        self._counts: dict[str, Any] = {"encoded": 0, "skipped": 0, "keyframes": 0, "bytes": 0, "encode_ms": 0.0}
        self._counts["held"] = 0
        self._thread = threading.Thread(target=self._run, name=f"reactor-encoder-{name}-{codec.lower()}", daemon=True)
        self._thread.start()

    def show(self, frame: BufferedFrame) -> tuple[str, int]:
        """Encode this frame next. Why one that still waited is not encoded, and its number: the "encoder" was busy, or
        no "road" had room; "" if none waited."""
        with self._changed:
            skipped = ("road" if self._is_shut else "encoder") if self._is_new else ""
            number = -1 if self._newest is None else self._newest.number
            self._counts["skipped"] += skipped == "encoder"
            self._counts["held"] += skipped == "road"
            self._newest = frame
            self._is_new = True
            self._stir()
        return skipped, number

    def request_keyframe(self) -> None:
        """Make the next frame, or the newest once more, one that can be decoded alone."""
        with self._changed:
            self._keyframe_wanted = True
            self._stir()

    def wake(self) -> None:
        """A view that took no frame may take one now."""
        with self._changed:
            self._stir()

    def use(self, settings: StreamSettings) -> None:
        """Settings of a new session: the encoder is opened anew with its next frame."""
        with self._changed:
            self._settings = settings

    def follow(self, rate_bps: int) -> None:
        """Spend no more than this from the next frame on, whatever the settings allow."""
        with self._changed:
            self._rate_bps = rate_bps

    def counts(self) -> dict[str, Any]:
        """encoded, skipped, held (as no road had room), keyframes, bytes; rate_bps is the most that is sent now.

        encode_ms is a running mean of conversion and encoding.
        """
        with self._changed:
            return {**self._counts, "rate_bps": min(self._rate_bps, cap_bps(self.codec, self._settings))}

    def close(self) -> int:
        """End the thread; join() waits for it. How many frames are not delivered any more: one waited, one is in hand.

        Idempotent.
        """
        with self._changed:
            self._is_closed = True
            left = self._is_new + self._is_in_hand
            self._is_new = self._is_in_hand = False
            self._changed.notify()
        return left

    def join(self, timeout_s: float) -> bool:
        """Whether the thread is gone, at the latest after timeout_s. True on its own thread."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return True

    def _run(self) -> None:
        encoder: Encoder | None = None
        in_use: StreamSettings | None = None
        in_hand: BufferedFrame | None = None
        try:
            while (job := self._next_job()) is not None:
                frame, is_keyframe, settings, rate_bps = job
                in_hand = None
                if encoder is None or settings != in_use:
                    if encoder is not None:
                        encoder.close()
                    encoder, in_use = open_encoder(self.codec, settings), settings
                in_hand = frame
                encoder.follow(rate_bps)
                self._encode(encoder, frame, is_keyframe, min(rate_bps, cap_bps(self.codec, settings)))
        except Exception as error:
            self._fail(self.codec, error, in_hand)
        finally:
            if encoder is not None:
                encoder.close()

    def _next_job(self) -> tuple[BufferedFrame, bool, StreamSettings, int] | None:
        while self._await_change():
            takers = self._choose()
            with self._changed:
                self._is_shut = not any(takers)
                self._keyframe_wanted |= takers.keyframe
                if self._newest is None or self._is_shut:
                    continue
                is_keyframe = self._keyframe_wanted and self._next_keyframe_s <= time.monotonic()
                if is_keyframe or (self._is_new and takers.inter):
                    self._is_in_hand, self._is_new = self._is_new, False
                    self._keyframe_wanted &= not is_keyframe
                    return self._newest, is_keyframe, self._settings, self._rate_bps
        return None

    def _await_change(self) -> bool:
        """Wait until there may be something to encode; False at the end."""
        with self._changed:
            while not self._is_stirred and not self._is_closed:
                timeout_s: float | None = None
                if self._keyframe_wanted and self._newest is not None and not self._is_shut:
                    timeout_s = self._next_keyframe_s - time.monotonic()
                    if timeout_s <= 0:
                        break
                self._changed.wait(timeout_s)
            self._is_stirred = False
            return not self._is_closed

    def _stir(self) -> None:
        self._is_stirred = True
        self._changed.notify()

    def _encode(self, encoder: Encoder, frame: BufferedFrame, is_keyframe: bool, rate_bps: int) -> None:
        started_s = time.monotonic()
        encoded = encoder.encode(frame.pixels, self._timestamp(frame, started_s), is_keyframe)
        encoded_s = time.monotonic()
        spent_ms = (encoded_s - started_s) * 1000
        if encoded is None:
            return
        with self._changed:
            if self._is_closed:
                return  # An encoder after this one may serve the same views already.
            self._is_in_hand = False
            counts = self._counts
            counts["encode_ms"] += (spent_ms - counts["encode_ms"]) * (_SMOOTHING if counts["encoded"] else 1.0)
            counts["encoded"] += 1
            counts["bytes"] += len(encoded.payload)
            if encoded.is_keyframe:
                counts["keyframes"] += 1
                self._next_keyframe_s = started_s + keyframe_pause_s(len(encoded.payload), rate_bps)
        self._deliver(replace(encoded, number=frame.number, began_s=started_s, encoded_s=encoded_s))

    def _timestamp(self, frame: BufferedFrame, now_s: float) -> int:
        """When the clock played the frame; now, when it is encoded once more: timestamps must grow."""
        timestamp = round((frame.played_s - self._epoch_s) * RTP_CLOCK_HZ)
        if timestamp <= self._last_timestamp:
            timestamp = max(round((now_s - self._epoch_s) * RTP_CLOCK_HZ), self._last_timestamp + 1)
        self._last_timestamp = timestamp
        return timestamp


def keyframe_pause_s(size_bytes: int, rate_bps: int) -> float:
    """How long no other keyframe is made after one: until the road has carried it, and as much again."""
    return min(max(KEYFRAME_INTERVAL_S, 2 * 8 * size_bytes / rate_bps), KEYFRAME_PAUSE_S)
