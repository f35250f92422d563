"""What the kernel says to its media process, as control messages: see TO_MEDIA in control.py. Pure."""

from __future__ import annotations

import dataclasses

from reactor_nb import __version__
from reactor_nb.media.link import CommSettings, PeerSettings
from reactor_nb.transport.process.control import CONTROL_VERSION, Message
from reactor_nb.transport.process.opened import OpenedName


def hello() -> Message:
    """The first one."""
    return {"type": "hello", "version": CONTROL_VERSION, "package": __version__}


def is_of_this_release(ready: Message) -> bool:
    """Whether the `ready` that answers it came from the same code."""
    return (ready["version"], ready["package"]) == (CONTROL_VERSION, __version__)


def opening(known: OpenedName) -> Message:
    """The question to open the newest session of a name, whose settings are known."""
    assert known.settings is not None
    return {
        "type": "open",
        "name": known.name,
        "stream": known.stream,
        "session": known.session,
        "settings": dataclasses.asdict(known.settings),
    }


def offering(name: str, view_id: str, sdp: str, settings: PeerSettings) -> Message:
    """The question to answer a page's offer."""
    return {"type": "offer", "name": name, "view_id": view_id, "sdp": sdp, "settings": dataclasses.asdict(settings)}


def carrying(name: str, view_id: str, settings: CommSettings) -> Message:
    """A page wants the picture by comm, or stands by."""
    return {
        "type": "carry",
        "name": name,
        "view_id": view_id,
        "codecs": list(settings.codecs),
        "is_watching": settings.is_watching,
    }
