"""The views of one name that hear the comm: who is sent which codec, and when there is room for a frame."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from reactor_nb.errors import CarrierError
from reactor_nb.media.link import CommSettings, PacketListener
from reactor_nb.media.stream import Stream
from reactor_nb.transport.allowance import Allowance
from reactor_nb.transport.comm import CommCarrier, CommGroup
from reactor_nb.transport.comm_road import CommRoad
from reactor_nb.transport.comm_stills import CommStills
from reactor_nb.transport.loop import MediaLoop

MOST_VIEWS: Final = 64
"""Views that are kept: a tab that is closed without a word leaves its own behind. The one unheard for longest goes."""

MOST_MESSAGES_PER_S: Final = 300
"""What a model says by comm beyond this is dropped and counted: Jupyter's server drops *everything* of a kernel that
sends it 1000 messages a second (`iopub_msg_rate_limit`), the picture with it."""


class CommViews:
    """Brings one Stream to pages by comm.

    Args:
        dropped: called with a view that is forgotten.
    Threads: methods on the loop, but `stats`, `say` and those that a CommGroup names, from any.
    """

    def __init__(self, name: str, stream: Stream, loop: MediaLoop, dropped: Callable[[str], None]) -> None:
        self.name = name
        self.listener: PacketListener | None = None
        self._stream = stream
        self._loop = loop
        self._dropped = dropped
        self._lock = threading.Lock()
        self._road = CommRoad()
        self._stills = CommStills(self._road, self._lock, lambda: self.listener, self._look_soon)
        self._carriers: dict[str, CommCarrier] = {}
        self._groups: dict[str, CommGroup] = {}
        self._allowance = Allowance(MOST_MESSAGES_PER_S)
        self._made = 0
        self._look: asyncio.TimerHandle | None = None
        self._rate_bps = 0
        self._is_closed = False

    def get(self, view_id: str) -> CommCarrier | None:
        with self._lock:
            return self._carriers.get(view_id)

    def view_ids(self) -> list[str]:
        with self._lock:
            return list(self._carriers)

    def carry(self, view_id: str, settings: CommSettings) -> None:
        """Bring a view the picture, or have it stand by.

        Raises:
            CarrierError: none of its codecs is encoded here.
        """
        now_s = time.monotonic()
        with self._lock:
            if self._is_closed:
                return
            carrier = self._carriers.get(view_id)
            if carrier is None:
                carrier = self._carriers[view_id] = CommCarrier(
                    view_id, lambda text: self.say_text([view_id], text), self.drop, self._road, self._stills
                )
            self._road.join(view_id, now_s)
            oldest = self._road.longest_unheard() if len(self._carriers) > MOST_VIEWS else None
        if oldest is not None:
            self.drop(oldest)
        carrier.codecs = settings.codecs
        carrier.is_wanted = settings.is_watching
        carrier.stands_in = False
        self._stills.forget(view_id)
        self._place(carrier, is_anew=True)

    def watch(self, view_id: str, is_watching: bool) -> None:
        """Whether somebody can see the picture, as the page says."""
        carrier = self.get(view_id)
        if carrier is not None and carrier.is_wanted != is_watching:
            carrier.is_wanted = is_watching
            self._place(carrier)

    def stand_in(self, view_id: str, stands_in: bool) -> None:
        """Send a view frames that did not ask for them, as its WebRTC is silent; or no more."""
        carrier = self.get(view_id)
        if carrier is not None and carrier.stands_in != stands_in:
            carrier.stands_in = stands_in
            self._place_or_tell(carrier)

    def acked(self, view_id: str, sequence: int) -> None:
        with self._lock:
            self._road.acked(view_id, sequence, time.monotonic())
        self._road_changed()

    def heard(self, view_id: str) -> None:
        """A view said something."""
        with self._lock:
            self._road.heard(view_id, time.monotonic())
        self._road_changed()

    def keyframe_wanted(self, view_id: str) -> None:
        carrier = self.get(view_id)
        if carrier is not None and carrier.codec:
            with self._lock:
                carrier.is_in_step = False
            self._stream.request_keyframe(carrier.codec)

    def deafen(self, is_deaf: bool) -> None:
        """No page can be heard by comm; or again."""
        with self._lock:
            self._road.deafen(is_deaf, time.monotonic())
        self._road_changed()

    def codecs_changed(self, failed: str = "") -> None:
        """A session began, or a codec failed: each view that is sent another codec from now on changes to it."""
        group = self._groups.pop(failed, None)
        if group is not None:
            self._stream.detach(group.key)  # its stills as well
            for carrier in group.members:
                group.leave(carrier)
        with self._lock:
            carriers = [each for each in self._carriers.values() if each.is_watching]
        for carrier in carriers:
            self._place_or_tell(carrier)

    def drop(self, view_id: str) -> None:
        """Forget a view, if it is there."""
        carrier = self.get(view_id)
        if carrier is None:
            return
        with self._lock:
            del self._carriers[view_id]
            self._road.leave(view_id)
        self._stills.forget(view_id)
        self._leave_group(carrier)
        self._road_changed()
        self._dropped(view_id)

    def close(self) -> None:
        """Forget every view, and send nothing more. Idempotent."""
        for view_id in self.view_ids():
            self.drop(view_id)
        with self._lock:
            self._is_closed = True
            self.listener = None
        if self._look is not None:
            self._look.cancel()

    def say(self, view_ids: list[str], message: dict[str, Any]) -> bool:
        """Send one message for these views; whether it was taken."""
        listener = self.listener
        if listener is None or not view_ids:
            return False
        if message["type"] == "message" and not self._allowance.take(time.monotonic()):
            return False
        try:
            listener({**message, "to": view_ids}, b"")
        except CarrierError:  # a kernel that does not read
            return False
        return True

    def stats(self) -> dict[str, dict[str, Any]]:
        """By view."""
        with self._lock:
            return {view_id: carrier.stats() for view_id, carrier in self._carriers.items()}

    def say_text(self, view_ids: list[str], text: str) -> bool:
        """As say, with a message that protocol.encode has made text of."""
        return bool(view_ids) and self.say(view_ids, json.loads(text))

    def _place_or_tell(self, carrier: CommCarrier) -> None:
        """As _place, where the page did not ask: what goes wrong is told to it."""
        try:
            self._place(carrier)
        except CarrierError as error:
            self.say([carrier.view_id], {"type": "error", "error": error.to_wire()})

    def _place(self, carrier: CommCarrier, *, is_anew: bool = False) -> None:
        """Put a view into the group of its codec, or into none; `is_anew`: it begins again in any case."""
        if not carrier.is_watching:
            self._leave_group(carrier)
            return
        tried: dict[str, str] = {}
        while True:
            codec = self._codec_for(carrier, tried)
            if codec == carrier.codec:
                if is_anew:
                    self.keyframe_wanted(carrier.view_id)
                return
            self._leave_group(carrier)
            try:
                self._join_group(carrier, codec)
            except CarrierError as refused:  # it does not take frames like the newest
                self._leave_group(carrier)
                tried[codec] = str(refused)
            else:
                return

    def _codec_for(self, carrier: CommCarrier, tried: dict[str, str]) -> str:
        offered = self._stream.comm_codecs()
        for codec in carrier.codecs:
            if codec in offered and codec not in tried:
                return codec
        failed = "; ".join(f"{codec}: {why}" for codec, why in {**self._stream.codec_errors(), **tried}.items())
        raise CarrierError(
            f"The page decodes {', '.join(carrier.codecs) or 'nothing'}; this machine encodes "
            f"{', '.join(offered) or 'nothing'}. {failed}".strip()
        )

    def _join_group(self, carrier: CommCarrier, codec: str) -> None:
        group = self._groups.get(codec)
        if group is not None:
            group.join(carrier)
            self._stream.request_keyframe(codec)
            return
        self._made += 1
        group = self._groups[codec] = CommGroup(
            codec,
            self._made,
            self._stream,
            self._road,
            self._lock,
            lambda: self.listener,
            self._stills,
            self._look_soon,
        )
        group.join(carrier)
        self._stream.attach(group.key, codec, group.deliver, group.show_still, group.ready)
        self._rate_bps = 0
        self._road_changed()

    def _leave_group(self, carrier: CommCarrier) -> None:
        group = self._groups.get(carrier.codec)
        if group is not None and group.leave(carrier):
            del self._groups[group.codec]
            self._stream.detach(group.key)
            self._rate_bps = 0
        carrier.codec = ""

    def _look_soon(self) -> None:
        """Threads: any."""
        with self._lock:  # close() comes before the loop's end, so no packet can meet a closed loop
            if not self._is_closed:
                self._loop.post(self._road_changed)

    def _road_changed(self) -> None:
        """Look whether there is room, and when to look again."""
        now_s = time.monotonic()
        self._stills.pump(now_s)
        with self._lock:
            if self._is_closed:
                return
            may_send = self._road.may_send(now_s)
            rate_bps = self._road.rate_bps() // max(len(self._groups), 1)
            next_s = math.inf if may_send else self._road.next_look_s(now_s)
        if rate_bps != self._rate_bps:
            self._rate_bps = rate_bps
            for group in self._groups.values():
                self._stream.follow(group.key, rate_bps)
        for group in self._groups.values() if may_send else ():
            if group.waits:
                self._stream.wake(group.key)
        if self._look is not None:
            self._look.cancel()
            self._look = None
        if next_s < math.inf and self._groups:
            self._look = asyncio.get_running_loop().call_later(max(next_s - now_s, 0.001), self._road_changed)
