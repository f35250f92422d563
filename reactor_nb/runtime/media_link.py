"""Where the media runs: in a process of its own, unless this machine or the author says otherwise."""

from __future__ import annotations

import os

from reactor_nb.errors import ConfigError
from reactor_nb.media.link import MediaLink

MEDIA = "REACTOR_NB_MEDIA"
PROCESS, THREADS = "process", "threads"


def media_link() -> MediaLink:
    """A link to a new media process; on threads of this one where REACTOR_NB_MEDIA says so, or there can be none.

    `where()` of the link says which, and why.

    Raises:
        ConfigError: REACTOR_NB_MEDIA is neither.
    """
    if chosen_media() == THREADS:
        return thread_link(f"{MEDIA}=threads")
    from reactor_nb.transport.process.spawn import missing

    why = missing()
    if why:
        return thread_link(why)
    from reactor_nb.transport.process.link import ProcessLink

    try:
        return ProcessLink()
    except OSError as error:
        return thread_link(f"no media process can be made: {error}")


def chosen_media() -> str:
    """What REACTOR_NB_MEDIA says: process, which is the default, or threads.

    Raises:
        ConfigError: it is neither.
    """
    chosen = os.environ.get(MEDIA, "").strip().lower() or PROCESS
    if chosen not in (PROCESS, THREADS):
        raise ConfigError(f"{MEDIA} is {chosen!r}; it is process or threads. Type: %env {MEDIA}=process")
    return chosen


def thread_link(why: str = "") -> MediaLink:
    """The media on threads of this process."""
    from reactor_nb.transport.thread_link import ThreadLink

    return ThreadLink(why)
