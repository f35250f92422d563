"""`reactor run`: the model plays into a file, at a prompt, or by orders from standard input."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reactor_nb.cli.arguments import Arguments
from reactor_nb.cli.console import LiveLine, in_shell, say, tell
from reactor_nb.cli.find import found_model
from reactor_nb.cli.statuses import DONE, FAILED, TERMINATED
from reactor_nb.core.model import VideoModel
from reactor_nb.errors import UsageError

if TYPE_CHECKING:
    from reactor_nb.core.session import Session, SessionEvent
    from reactor_nb.runtime.settings import StreamChoice

_DRIVEN = ("duration_s", "frames", "out", "input", "profile")


def perform(arguments: Arguments) -> int:
    """Play; 1 if an order of standard input was refused, else what main makes of errors."""
    values = arguments.values
    if values.get("runtime") == "http":
        raise UsageError(
            "the http runtime is not there yet; JupyterLab plays it in a browser, after %load_ext reactor_nb. "
            "Type: reactor run --for 3s --out clip.mp4"
        )
    if values.get("is_verbose"):
        import logging

        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    chosen = _stream_choice(values)
    cls = found_model(arguments)
    if values.get("asks_config"):
        return _show_config(cls, arguments)
    with _ended_by_sigterm():
        if any(key in values for key in _DRIVEN):
            return _play(cls, arguments)
        return _take_orders(cls, arguments, chosen)


def _stream_choice(values: dict[str, Any]) -> StreamChoice:
    """What was said of the stream, refused before anything is loaded."""
    from reactor_nb.runtime.settings import StreamChoice, stream_settings

    chosen = StreamChoice(values.get("quality"), values.get("bitrate"), values.get("smoothness"))
    stream_settings(30.0, chosen)
    return chosen


def _show_config(cls: type[VideoModel], arguments: Arguments) -> int:
    from reactor_nb.core.config import load_config
    from reactor_nb.core.config_rows import config_lines
    from reactor_nb.core.source import folder_of
    from reactor_nb.runtime.hosted import demand_spec

    file = arguments.values.get("config")
    config = load_config(demand_spec(cls), file=file, overrides=arguments.overrides, folder=folder_of(cls))
    for line in config_lines(config):
        say(line)
    for warning in config.warnings:
        tell(f"[WARN] {warning}")
    return DONE


def _play(cls: type[VideoModel], arguments: Arguments) -> int:
    from reactor_nb.runtime.play import play_headless
    from reactor_nb.runtime.profile import profile_of, svg_path
    from reactor_nb.runtime.shell import OUTPUT, new_folder

    values = arguments.values
    out = values.get("out") or new_folder(OUTPUT)
    profile_to = svg_path(values["profile"]) if "profile" in values else None
    played: list[Session] = []
    line = LiveLine()

    def begin(session: Session) -> None:
        played.append(session)
        _narrate(session, line)

    try:
        summary = play_headless(
            cls,
            config=values.get("config"),
            overrides=arguments.overrides,
            duration_s=values.get("duration_s"),
            frames=values.get("frames"),
            out=out,
            input=values.get("input"),
            on_progress=lambda now: line.show(f"{now.name}  {now.state}  {now.frames} frames  {now.rate_fps:.1f} fps"),
            on_session=begin,
        )
    except KeyboardInterrupt:
        line.above(f"[OK] ended by Ctrl-C; the frames that had come are in {out}")
        if profile_to is not None and played:
            profile_of(played[0]).save(profile_to)
        raise
    finally:
        line.close()
    if summary.frames == 0:
        say(f"{summary.name}: no frames came")
        return FAILED
    size = f"{summary.width_px}x{summary.height_px}"
    rate = f"{summary.played_s:.1f} s at {summary.rate_fps:.1f} fps"
    frames = f"{summary.frames} frame{'' if summary.frames == 1 else 's'}"
    say(f"{summary.path}: {frames}, {size}, {rate}")
    if profile_to is not None:
        say(f"{profile_of(played[0]).save(profile_to)}: where the time of the last frames went")
    return DONE


def _narrate(session: Session, line: LiveLine) -> None:
    """The messages of the model, and what the session notes, as they come."""
    from reactor_nb.runtime.log_lines import LogLines

    def listen(event: SessionEvent) -> None:
        if event.kind == "message":
            line.above(f"[MESSAGE] {json.dumps(event.data['data'], ensure_ascii=False)}")

    for warning in session.config.warnings:
        line.above(f"[WARN] {warning}")
    session.subscribe(listen)
    LogLines(lambda text: line.above(in_shell(text))).follow(session.log)


def _take_orders(cls: type[VideoModel], arguments: Arguments, stream: StreamChoice) -> int:
    from reactor_nb.runtime.shell import Shell

    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    shell = Shell(
        cls,
        arguments.values.get("config"),
        arguments.overrides,
        say=lambda text: say(in_shell(text)),
        stream=stream,
    )
    try:
        if is_terminal:
            from reactor_nb.runtime.prompt import read_terminal

            say(f"{shell.name}. Type start to play it, help for more.")
            read_terminal(shell)
        else:
            _read_lines(shell)
    finally:
        shell.close()
    return FAILED if shell.has_failed and not is_terminal else DONE


def _read_lines(shell: Any) -> None:
    has_orders = False
    for line in sys.stdin:
        has_orders = has_orders or bool(line.strip())
        if not shell.perform(line):
            return
    if not has_orders:
        say("[WARN] standard input had no orders. Without them, type: reactor run --for 3s --out clip.mp4")


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends as Ctrl-C does: what was written is finished. The exit status tells it."""

    def end(number: int, frame: Any) -> None:
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
