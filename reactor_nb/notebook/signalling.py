"""Answers the Views of one model over the widget's comm: handshake, offers, buttons, calls."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from reactor_nb.errors import CarrierError, ReactorError
from reactor_nb.media.link import PeerSettings
from reactor_nb.runtime.base import Runtime
from reactor_nb.transport.protocol import PROTOCOL_VERSION, answer_to, check

Tell = Callable[[dict[str, Any]], None]


class Signalling:
    """Between one Viewer and the media link.

    Threads: `receive` comes on the kernel's thread or the front end's subshell and returns at once;
    answers are sent from the media loop.
    """

    def __init__(self, name: str, runtime: Runtime, tell: Tell) -> None:
        self._name = name
        self._runtime = runtime
        self._tell = tell

    def receive(self, content: dict[str, Any]) -> None:
        """One message of a page; a malformed one is answered with what is wrong in it."""
        try:
            message = check(content)
        except ReactorError as malformed:
            self._tell(answer_to(malformed))
            return
        kind = message["type"]
        if kind == "ready":
            self._hello(message["view_id"])
        elif kind == "offer":
            self._answer(message)
        elif kind == "bye":
            self._runtime.link.close_view(self._name, message["view_id"])
        else:
            self._runtime.handle_page_message(self._name, message, self._tell)

    def close(self) -> None:
        """End the peers of every View of this model."""
        if not self._runtime.is_closed:  # else the link has ended them already
            self._runtime.link.close_name(self._name)

    def _hello(self, view_id: str) -> None:
        try:
            servers = ice_servers()
        except CarrierError as unreadable:
            self._refuse({"view_id": view_id, "offer_id": ""}, unreadable)
            return
        self._tell({"type": "hello", "view_id": view_id, "protocol": PROTOCOL_VERSION, "ice_servers": servers})

    def _answer(self, message: dict[str, Any]) -> None:
        view_id, offer_id = message["view_id"], message["offer_id"]

        def answered(answer: Future[str]) -> None:
            error = answer.exception()
            if error is None:
                self._tell({"type": "answer", "view_id": view_id, "offer_id": offer_id, "sdp": answer.result()})
            else:
                self._refuse(message, error)

        try:
            settings = PeerSettings(
                hostname=message["hostname"], ice_servers=tuple(ice_servers()), interfaces=interfaces()
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


def ice_servers() -> list[dict[str, Any]]:
    """The ICE servers of REACTOR_NB_ICE_SERVERS, a JSON list as RTCConfiguration takes it; none by default."""
    text = os.environ.get("REACTOR_NB_ICE_SERVERS", "").strip()
    if not text:
        return []
    example = 'REACTOR_NB_ICE_SERVERS=\'[{"urls": "turn:turn.example.org", "username": "u", "credential": "p"}]\''
    try:
        servers = json.loads(text)
    except ValueError as broken:
        raise CarrierError(f"REACTOR_NB_ICE_SERVERS is not JSON ({broken}). Set: {example}") from None
    if not isinstance(servers, list) or not all(isinstance(each, dict) and "urls" in each for each in servers):
        raise CarrierError(f"REACTOR_NB_ICE_SERVERS needs a list of objects with `urls`. Set: {example}")
    return servers


def interfaces() -> tuple[str, ...]:
    """Addresses of this machine that may be offered besides the page's own: REACTOR_NB_INTERFACES, by commas."""
    return tuple(part.strip() for part in os.environ.get("REACTOR_NB_INTERFACES", "").split(",") if part.strip())
