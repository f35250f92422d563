"""The lines of `reactor doctor`: what works on this machine, what is missing, and what to type then.

It looks at this machine alone and contacts nothing. One black picture is played to nobody, to see that the media runs.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from importlib import metadata, resources
from typing import Any, Final, NamedTuple

from reactor_nb.errors import ConfigError, ReactorError
from reactor_nb.media.link import MediaLink, StreamSettings
from reactor_nb.media.nvenc_switch import SWITCH, is_nvenc_off
from reactor_nb.runtime.base import Runtime
from reactor_nb.runtime.doctor_roads import road_lines
from reactor_nb.runtime.doctor_server import server_lines
from reactor_nb.runtime.doctor_sessions import AGAIN, session_lines
from reactor_nb.runtime.media_link import MEDIA, chosen_media
from reactor_nb.runtime.settings import MAX_BITRATE, refuse_bad_cap

OK: Final = "ok"
NOTE: Final = "note"
MISSING: Final = "MISSING"

MEDIA_TIMEOUT_S: Final = 10.0
TRIAL: Final = "reactor-doctor"
"""The name of the stream that is tried; it is closed at once."""

NOBODY: Final = "nobody asked for one"
BLOCK_BYTES: Final = 16 * 1024 * 1024

_PACKAGES: Final = ("numpy", "pydantic", "av", "aiortc", "aioice", "ipykernel", "ipywidgets", "anywidget")
_ALSO: Final = ("ipython", "traitlets", "jupyterlab", "notebook", "jupyterlab_widgets")
"""Told where they are installed: pages may be served from another environment."""
_SETTINGS: Final[Mapping[str, Callable[[], object]]] = {
    MEDIA: chosen_media,
    MAX_BITRATE: refuse_bad_cap,
    SWITCH: is_nvenc_off,
    "REACTOR_NB_INTERFACES": lambda: None,
}
"""Name -> what raises ConfigError for a value that cannot be used."""


class DoctorLine(NamedTuple):
    """What was found of one part. `verdict`: OK, NOTE (it works, and could be better) or MISSING."""

    part: str
    verdict: str
    text: str

    def __str__(self) -> str:
        first, *rest = self.text.splitlines() or [""]
        head = f"{self.verdict:<7}  {self.part:<10}  {first}"
        return "\n".join([head, *(f"{'':<21}{line}" for line in rest)])


def examine(runtime: Runtime, kernel: Iterable[tuple[str, str, str]] = ()) -> Iterator[DoctorLine]:
    """Each line as soon as it is known; the last one sums up.

    Args:
        runtime: whose media and sessions are looked at. A new one does, where nothing plays.
        kernel: (part, verdict, text) of what only the kernel's own side knows.
    """
    missing = notes = 0
    for line in _lines(runtime, kernel):
        missing += line.verdict == MISSING
        notes += line.verdict == NOTE
        yield line
    if missing:
        yield DoctorLine("", MISSING, f"{missing} of these to mend: type what stands there, then start again.")
    else:
        yield DoctorLine("", OK, "Nothing is missing; the notes are worth a look." if notes else "Nothing is missing.")


def _lines(runtime: Runtime, kernel: Iterable[tuple[str, str, str]]) -> Iterator[DoctorLine]:
    yield _python()
    yield from _packages()
    yield from (DoctorLine(*line) for line in (*kernel, *server_lines()))
    yield _viewer()
    yield _memory()
    settings = list(_settings())
    yield from settings
    yield from (DoctorLine(*line) for line in road_lines())
    yield from _media(runtime, {line.text for line in settings})
    yield from (DoctorLine(*line) for line in session_lines(runtime))


def _python() -> DoctorLine:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    words = f"{platform.python_version()} on {_system()} {platform.machine()}, {cores} cores"
    if cores == 1:
        return DoctorLine("python", NOTE, f"{words}: the encoder takes its time from the model's only core")
    return DoctorLine("python", OK, words)


def _system() -> str:
    try:
        named = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:  # another system than Linux, or one that does not say
        named = ""
    return f"{platform.system()} {platform.release()}" + (f" ({named})" if named else "")


def _packages() -> Iterator[DoctorLine]:
    found = {name: _version(name) for name in ("reactor-nb", *_PACKAGES)}
    absent = [name for name, version in found.items() if version is None and name != "reactor-nb"]
    found |= {name: _version(name) for name in _ALSO}
    shown = ", ".join(f"{name} {version}" for name, version in found.items() if version is not None)
    if absent:
        mend = f"{', '.join(absent)} not installed. Type: pip install {' '.join(absent)}"
        yield DoctorLine("packages", MISSING, f"{shown}\n{mend}")
    else:
        yield DoctorLine("packages", OK, shown)
    kernel = found["ipykernel"] or ""
    if kernel.startswith("7.0."):
        mend = "widgets cannot be sent to from a thread with it. Type: pip install --upgrade ipykernel"
        yield DoctorLine("ipykernel", MISSING, f"{kernel}: {mend}")
    elif kernel and int(kernel.partition(".")[0]) < 7:
        mend = "without WebRTC, controls wait while a cell runs. Type: pip install --upgrade ipykernel"
        yield DoctorLine("ipykernel", NOTE, f"{kernel}: {mend}")
    torch = _version("torch")
    loaded = sys.modules.get("torch")
    if loaded is not None:
        has_card = loaded.cuda.is_available()
        yield DoctorLine("torch", OK, f"{torch}, {loaded.cuda.get_device_name() if has_card else 'on the CPU'}")
    elif torch is not None:
        yield DoctorLine("torch", OK, f"{torch}, not imported yet")


def _viewer() -> DoctorLine:
    script = resources.files("reactor_nb").joinpath("static/viewer.js")
    if script.is_file():
        return DoctorLine("viewer", OK, "built")
    return DoctorLine(
        "viewer", MISSING, "the page's script was not built. In the clone, type: pip install --editable ."
    )


def _memory() -> DoctorLine:
    """Whether a block of frames can be shared with the media process."""
    if not hasattr(os, "memfd_create"):
        return DoctorLine(
            "memory", NOTE, f"{sys.platform} shares none without a name (memfd): frames stay in this process"
        )
    try:
        shared = os.memfd_create("reactor-nb-doctor", os.MFD_CLOEXEC)
        try:
            os.posix_fallocate(shared, 0, BLOCK_BYTES)
        finally:
            os.close(shared)
    except OSError as error:
        return DoctorLine("memory", NOTE, f"none can be shared ({error.strerror}): frames stay in this process")
    return DoctorLine("memory", OK, "shared without a name (memfd), so the size of /dev/shm does not matter")


def _settings() -> Iterator[DoctorLine]:
    for name, refuse in _SETTINGS.items():
        value = os.environ.get(name, "").strip()
        if not value:
            continue
        try:
            refuse()
        except ConfigError as refused:
            yield DoctorLine("setting", MISSING, str(refused))
        else:
            yield DoctorLine("setting", OK, f"{name}={value}")


def _media(runtime: Runtime, told: Container[str]) -> Iterator[DoctorLine]:
    """`told`: what stands there already, and need not be said again."""
    began_s = time.monotonic()
    try:
        link = runtime.link
        stats = _played(link)
    except (ReactorError, OSError) as error:
        if str(error) not in told:
            yield DoctorLine("media", MISSING, str(error))
        return
    took_s = time.monotonic() - began_s
    yield _where(link.where(), is_played=bool(stats.get("frames", {}).get("shown")), took_s=took_s)
    if "codecs" not in stats:
        return  # the media has never answered: what it can encode is not known
    codecs, errors = stats["codecs"], stats.get("errors", {})
    hardware = stats.get("no_hardware")
    where = f", encoded by the processor: {hardware}" if hardware else ""
    words = ", ".join(codecs) + where if codecs else "none"
    words = "\n".join([words, *(f"not {codec}: {why}" for codec, why in errors.items())])
    if not codecs:
        words += "\nType: pip install --force-reinstall av"
    yield DoctorLine("codecs", OK if codecs else MISSING, words)


def _played(link: MediaLink) -> Mapping[str, Any]:
    """The media's stats after one black picture was played to nobody, or after MEDIA_TIMEOUT_S."""
    from reactor_nb.core.frames import black_block

    sink = link.open_stream(TRIAL, StreamSettings(rate_fps=30.0))
    try:
        sink.put(black_block(16, 16, sink.reserve))
        deadline_s = time.monotonic() + MEDIA_TIMEOUT_S
        while True:
            stats = link.stats(TRIAL)
            if stats.get("frames", {}).get("shown") or time.monotonic() >= deadline_s:
                return stats
            time.sleep(0.02)  # asked, as the port tells of no frame that was played; the doctor is in no hurry
    finally:
        sink.close()
        link.close_name(TRIAL)


def _where(where: Mapping[str, Any], *, is_played: bool, took_s: float) -> DoctorLine:
    from reactor_nb.transport.process.spawn import missing

    why, restarts = where.get("why", ""), where.get("restarts", 0)
    is_process = where["media"] == "process"
    words = f"in a process of its own, pid {where['pid']}" if is_process else "on threads of this process"
    if not is_played:
        return DoctorLine("media", MISSING, f"{words}; no frame was played within {took_s:.0f} s.\nType: {AGAIN}")
    words += f"; a frame was played after {took_s:.2f} s"
    times = f"{restarts} time{'s' if restarts > 1 else ''}"
    if is_process and restarts:
        words += f"\nit was started again {times} after a crash"
    if not is_process:
        words += "\na cell that spins slows the picture. Why no process of its own: "
        words += (
            f"one was started again {times} after a crash, and then given up.\n{why}" if restarts else why or NOBODY
        )
        if why.startswith(MEDIA):
            words += f"\nType: %env {MEDIA}=process  and then: %reload_ext reactor_nb"
        elif why and "Restart the kernel." not in why and not missing():
            words += f"\nType: {AGAIN}"
    return DoctorLine("media", OK if is_process and not restarts else NOTE, words)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
