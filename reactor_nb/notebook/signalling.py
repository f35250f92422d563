"""Answers the Views of one model over the widget's comm: greeting, offers, the picture by comm, buttons, calls."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from reactor_nb.errors import CarrierError, ReactorError
from reactor_nb.media.link import CommSettings, PeerSettings
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.ice import IceServers, read_ice_servers
from reactor_nb.transport.protocol import PROTOCOL_VERSION, answer_to, refusal, take

MAX_RELAYED = 256
"""So many views are known to need a relay; of the rest the oldest ask again."""

MAX_GREETED = 64
"""So many views are known to be there: as many as the media keeps."""

_OF_THE_MEDIA = ("ack", "keyframe", "watching", "painted", "ping")

_log = logging.getLogger(__name__)


class Tell(Protocol):
    """Sends one message to every View of the model, with bytes beside it. Returns at once."""

    def __call__(self, message: dict[str, Any], payload: bytes = b"", /) -> None: ...


class Signalling:
    """Between one Viewer and the media link.

    Args:
        heard: called for every message of a page, on the thread on which it came.
    Threads: `receive` comes on the kernel's thread or the front end's subshell and returns at once;
        answers and packets are sent from threads of the link's.
    """

    def __init__(self, name: str, runtime: Runtime, tell: Tell, heard: Callable[[], None] = lambda: None) -> None:
        self._name = name
        self._runtime = runtime
        self._tell = tell
        self._heard = heard
        self._lock = threading.Lock()
        self._relayed: dict[str, None] = {}  # the views that asked for a relay, oldest first
        self._greeted: dict[str, None] = {}  # the views that came and have not left, oldest first

    def receive(self, content: dict[str, Any]) -> None:
        """One message of a page; a malformed one is answered with what is wrong in it."""
        self._heard()
        try:
            message = take(content)
        except ReactorError as malformed:
            self._tell(answer_to(malformed))
            return
        try:
            self._take(message)
        except ReactorError as refused:
            if message["type"] not in (*_OF_THE_MEDIA, "bye"):  # those ask nothing, and come all the time
                to = {"to": [message["view_id"]]} if "view_id" in message else {}
                self._tell({"type": "error", "error": refused.to_wire(), **to})
        except Exception as failed:  # as a validator of the author's: who asked is not to wait in vain
            _log.exception("A %s message of %s was not followed.", message["type"], self._name)
            self._tell(refusal(message, failed))

    def close(self) -> None:
        """End what is sent to every View of this model."""
        if not self._runtime.is_closed:  # else the link has ended it already
            self._runtime.link.close_name(self._name)

    def leave(self) -> None:
        """End what is sent to these Views; others of the model, and its stream, go on."""
        with self._lock:
            greeted, self._greeted = list(self._greeted), {}
        if not self._runtime.is_closed:
            for view_id in greeted:
                self._runtime.link.close_view(self._name, view_id)

    def _take(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "ready":
            self._hello(message["view_id"])
        elif kind == "offer":
            self._answer(message)
        elif kind == "carry":
            settings = CommSettings(tuple(message["codecs"]), message["is_watching"])
            self._runtime.link.carry(self._name, message["view_id"], settings)
        elif kind in _OF_THE_MEDIA:
            if "view_id" in message:
                self._runtime.link.heard(self._name, message["view_id"], message)
        elif kind == "servers":
            self._relays(message["view_id"])
        elif kind == "bye":
            with self._lock:
                self._relayed.pop(message["view_id"], None)
                self._greeted.pop(message["view_id"], None)
            self._runtime.link.close_view(self._name, message["view_id"])
        else:
            self._runtime.handle_page_message(self._name, message, self._tell)

    def _hello(self, view_id: str) -> None:
        with self._lock:
            _note_newest(self._greeted, view_id, MAX_GREETED)
        servers = self._servers(view_id)
        self._runtime.link.listen_packets(self._name, self._tell)
        self._tell(
            {
                "type": "hello",
                "view_id": view_id,
                "protocol": PROTOCOL_VERSION,
                "ice_servers": list(servers.open),
                "carrier": self._runtime.carrier(self._name),
                "has_relay": bool(servers.relays),
            }
        )

    def _relays(self, view_id: str) -> None:
        """The one message with secrets in it, to a View that has found no other way."""
        with self._lock:
            _note_newest(self._relayed, view_id, MAX_RELAYED)
        self._tell({"type": "relays", "view_id": view_id, "ice_servers": list(self._servers(view_id).all)})

    def _servers(self, view_id: str) -> IceServers:
        """None where they cannot be read; the View says why, and does without."""
        try:
            return read_ice_servers()
        except ReactorError as unreadable:
            self._tell({"type": "error", "error": unreadable.to_wire(), "to": [view_id]})
            return IceServers()

    def _answer(self, message: dict[str, Any]) -> None:
        view_id, offer_id = message["view_id"], message["offer_id"]

        def answered(answer: Future[str]) -> None:
            error = answer.exception()
            if error is None:
                self._tell({"type": "answer", "view_id": view_id, "offer_id": offer_id, "sdp": answer.result()})
            else:
                self._refuse(message, error)

        with self._lock:
            wants_relay = view_id in self._relayed
        try:
            settings = PeerSettings(
                hostname=message["hostname"],
                ice_servers=read_ice_servers().all,
                interfaces=interfaces(),
                wants_relay=wants_relay,
            )
            self._runtime.link.offer(self._name, view_id, message["sdp"], settings).add_done_callback(answered)
        except ReactorError as refused:
            self._refuse(message, refused)

    def _refuse(self, message: dict[str, Any], error: BaseException) -> None:
        wire = error.to_wire() if isinstance(error, ReactorError) else CarrierError(repr(error)).to_wire()
        self._tell(
            {
                "type": "refused",
                "view_id": str(message.get("view_id", "")),
                "offer_id": str(message.get("offer_id", "")),
                "error": wire,
            }
        )


def _note_newest(kept: dict[str, None], view_id: str, most: int) -> None:
    kept.pop(view_id, None)
    kept[view_id] = None
    while len(kept) > most:
        del kept[next(iter(kept))]


def interfaces() -> tuple[str, ...]:
    """Addresses of this machine that may be offered besides the page's own: REACTOR_NB_INTERFACES, by commas."""
    return tuple(part.strip() for part in os.environ.get("REACTOR_NB_INTERFACES", "").split(",") if part.strip())
