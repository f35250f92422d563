"""The media process: `python -P .../process/__main__.py CONTROL FRAMES PARENT`, three descriptors of spawn.py."""

from __future__ import annotations

import os
import signal
import sys


def main(arguments: list[str]) -> None:
    """Serve the kernel at the other end of the descriptors until it ends."""
    # Jupyter's interrupt goes to a process group that this is not in; a hand on a keyboard may still find it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _see_what_the_kernel_sees()
    import faulthandler
    import logging
    import socket

    from reactor_nb.transport.process.channel import Channel
    from reactor_nb.transport.process.control import TO_KERNEL, TO_MEDIA
    from reactor_nb.transport.process.host import Host
    from reactor_nb.transport.process.receiver import FrameReceiver

    faulthandler.enable()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    control, frames, parent = (int(each) for each in arguments)
    channel = Channel(socket.socket(fileno=control), TO_KERNEL, TO_MEDIA)
    Host(channel, FrameReceiver(socket.socket(fileno=frames), _end), parent, sys.stderr.fileno()).run()


def _end(why: str) -> None:
    """What the two sides share is out of step: the kernel starts another process, which begins anew."""
    sys.stderr.write(f"{why}\n")
    sys.stderr.flush()
    os._exit(3)


def _see_what_the_kernel_sees() -> None:
    """Import paths of the kernel after our own: a `queue.py` beside a notebook must hide no library."""
    import json

    for entry in json.loads(os.environ.pop("_REACTOR_NB_SYS_PATH", "[]")):
        if entry not in sys.path:
            sys.path.append(entry)


if __name__ == "__main__":
    status = 1
    try:
        main(sys.argv[1:])
        status = 0
    except SystemExit as end:
        sys.stderr.write(f"{end}\n")
    except BaseException:
        import traceback

        traceback.print_exc()
    # Past the interpreter's own end, which would wait for threads that may be stuck in a library.
    sys.stderr.flush()
    os._exit(status)
