"""What a test changes in the media, wherever it runs: in threads of the test, or in a process of its own.

As a program it is the media process with one of the patches: `patches.py CONTROL FRAMES PARENT NAME`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

SetAttribute: TypeAlias = Callable[[Any, str, Any], None]

FAILING_WIDTH_PX = 332


def none(set_attribute: SetAttribute) -> None:
    """Everything as it is."""


def short_silence(set_attribute: SetAttribute) -> None:
    """A view that says nothing for a second is gone."""
    from reactor_nb.transport import webrtc

    set_attribute(webrtc, "SILENCE_S", 1.0)


def failing_h264(set_attribute: SetAttribute) -> None:
    """H.264 cannot encode pictures of FAILING_WIDTH_PX."""
    from reactor_nb.media.h264 import H264Encoder

    opened = H264Encoder._open

    def fail(self: H264Encoder, width_px: int, *more: Any) -> Any:
        if width_px == FAILING_WIDTH_PX:
            raise ValueError("no such encoder here")
        return opened(self, width_px, *more)

    set_attribute(H264Encoder, "_open", fail)


def other_version(set_attribute: SetAttribute) -> None:
    """What another release would say of itself."""
    from reactor_nb.transport.process import host

    set_attribute(host, "__version__", "0.0.0")


def late_word(set_attribute: SetAttribute) -> None:
    """A page says something that is still on its way when the kernel closes the link."""
    from reactor_nb.transport.process.host import Host

    end = Host._end

    def speak(self: Host) -> None:
        self._say({"type": "said", "name": "plasma", "view_id": "v", "message": {"type": "stop"}})
        end(self)

    set_attribute(Host, "_end", speak)


PATCHES = {patch.__name__: patch for patch in (none, short_silence, failing_h264, other_version, late_word)}


if __name__ == "__main__":
    from reactor_nb.transport.process.__main__ import main

    *descriptors, name = sys.argv[1:]
    PATCHES[name](setattr)
    main(descriptors)
