"""The line magic %reactor: reads a line, calls the runtime, returns or prints. No logic of its own."""

from __future__ import annotations

import json
import sys
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from IPython.core.magic import no_var_expand
from IPython.utils.text import DollarFormatter

from reactor_nb.core.check import check_project
from reactor_nb.core.command import find_command
from reactor_nb.core.config import load_config
from reactor_nb.core.config_rows import config_lines
from reactor_nb.core.discovery import choose, models_in
from reactor_nb.core.export import schema_of
from reactor_nb.core.model import VideoModel
from reactor_nb.core.project import find_model
from reactor_nb.core.session import Session
from reactor_nb.core.source import folder_of
from reactor_nb.errors import CallTimeoutError, ReactorError, SeveralModelsError
from reactor_nb.notebook import arguments
from reactor_nb.notebook.kernel_facts import kernel_lines
from reactor_nb.notebook.play import play
from reactor_nb.runtime.doctor import examine
from reactor_nb.runtime.hosted import demand_spec
from reactor_nb.runtime.profile import profile_of

if TYPE_CHECKING:
    from reactor_nb.notebook.extension import Extension

SEND_TIMEOUT_S = 30.0

HELP = """\
%reactor run [NAME] [-c FILE] [--model.KEY=VALUE ...] [--no-poster]
                                  play the notebook's @model class
             --quality high       low, balanced, high; exact: stills lossless
             --bitrate 8M         the most that is sent
             --smoothness 0.5     0: frames as soon as they can be, 1: as evenly
             --carrier auto       webrtc, comm or jpeg: that road to pages alone
%reactor run --for 10s            wait, then stop (also --frames 300)
%reactor run --path FOLDER        the model of a folder, file or notebook
%reactor send COMMAND NAME=VALUE ...      also COMMAND VALUE, or a JSON object
              --on MODEL          when several models play
%reactor stop [NAME]              end the session; the model stays loaded
%reactor unload [NAME]            end it and free the model's memory
%reactor status                   what plays, how fast, for whom
%reactor profile [NAME]           draw where the time goes; --out FILE.svg
%reactor doctor                   what works here, what is missing, what to type
%reactor schema [NAME]            the commands as JSON
%reactor config [NAME]            each value, and where it came from
%reactor check [NAME]             try a model, part by part
%reactor session [NAME]           the running Session, to use from Python

  session = %reactor run          keep it without showing it
  session.send("move", direction="left"), .frame(), .stats(), .stop()

{x} and $x are expanded outside JSON; paths start at the notebook's folder.
"""


class ReactorMagic:
    """`%reactor VERB ...`. Threads: the kernel's."""

    def __init__(self, extension: Extension) -> None:
        self._extension = extension
        self._runtime = extension.runtime
        self.__name__ = "reactor"
        self.__doc__ = HELP

    @no_var_expand  # expanded here instead, so that the braces of a JSON object are safe
    def __call__(self, line: str) -> Any:
        verb, rest = arguments.split_verb(arguments.expand(line, self._expand_text))
        return getattr(self, f"_{verb}")(rest)

    def _run(self, rest: str) -> Session:
        wanted = arguments.parse_run(rest)
        chosen = wanted.stream
        session = play(
            self._model(wanted, "run"),
            wanted.config,
            wanted.overrides,
            poster=wanted.has_poster,
            quality=chosen.quality,
            bitrate=chosen.bitrate,
            smoothness=chosen.smoothness,
            carrier=chosen.carrier,
        )
        for warning in session.config.warnings:
            print(f"reactor: {warning}", file=sys.stderr)
        if wanted.waits:
            self._extension.display_once(session)
            _play_through(session, wanted.duration_s, wanted.frames)
        return session

    def _send(self, rest: str) -> Any:
        wanted = arguments.parse_send(rest)
        session = self._playing(wanted.model_name, "send --on", rest)
        spec = find_command(session.commands, wanted.command)
        params = arguments.parameters_of(wanted, spec)
        if session.state == "loading":
            session.wait_ready(SEND_TIMEOUT_S)
        return _result(session.submit(spec.name, params, source="magic"), spec.name)

    def _stop(self, rest: str) -> None:
        name = arguments.one_name(rest, "stop")
        loading = {each for each, session in self._runtime.sessions().items() if session.state == "loading"}
        stopped = self._runtime.stop(name)
        for each in loading.intersection(stopped):
            print(f"{each} stopped while it loads; the loading goes on, and %reactor run {each} waits for it.")
        loaded = [each for each in stopped if each not in loading]
        if loaded or not stopped:
            _say(loaded, "stopped; the model stays loaded and %reactor run starts it again", "Nothing plays.")

    def _unload(self, rest: str) -> None:
        name = arguments.one_name(rest, "unload")
        unloaded = self._runtime.unload(name)
        _say(unloaded, "unloaded; its memory is free", "No model is loaded.")

    def _status(self, rest: str) -> None:
        name = arguments.one_name(rest, "status")
        rows = [_status_row(session) for each, session in self._runtime.sessions().items() if name in (None, each)]
        if not rows:
            print("Nothing plays. Type: %reactor run")
            return
        head = ("model", "state", "rate", "size", "frames", "dropped", "skipped", "views", "to paint")
        rows = [head, *rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def _profile(self, rest: str) -> Any:
        name, out = arguments.parse_profile(rest)
        profile = profile_of(self._playing(name, "profile", rest))
        if out is None:
            return profile
        print(f"{profile.save(out)}: the last {len(profile.rows)} frames of {profile.name}")
        return None

    def _doctor(self, rest: str) -> None:
        arguments.refuse_words(rest, "doctor")
        for line in examine(self._runtime, kernel_lines(self._extension)):
            print(line, flush=True)

    def _schema(self, rest: str) -> None:
        name = arguments.one_name(rest, "schema")
        model = choose(self._extension.shell.user_ns, name, verb="schema")
        print(json.dumps(schema_of(model), indent=2))

    def _config(self, rest: str) -> None:
        wanted = arguments.parse_run(rest)
        model = self._model(wanted, "config")
        config = load_config(
            demand_spec(model), file=wanted.config, overrides=wanted.overrides, folder=folder_of(model)
        )
        print("\n".join([*config_lines(config), *config.warnings]))

    def _check(self, rest: str) -> None:
        wanted = arguments.parse_run(rest)
        checked = wanted.path or self._model(wanted, "check")
        for line in check_project(checked, config=wanted.config, overrides=wanted.overrides):
            print(line, flush=True)

    def _session(self, rest: str) -> Session:
        return self._playing(arguments.one_name(rest, "session"), "session", rest)

    def _help(self, rest: str) -> None:
        print(HELP, end="")

    def _playing(self, name: str | None, verb: str, rest: str) -> Session:
        """The session of a name, or the only one; of several, the line that was typed is told with a name in it."""
        try:
            return self._runtime.session(name)
        except SeveralModelsError:
            live = [session.name for session in self._runtime.sessions().values() if not session.is_over]
            mend = f"%reactor {verb} {live[0]} {rest}".rstrip() if live else "%reactor status"
            raise SeveralModelsError(f"{len(live)} models play: {', '.join(live)}. Say which. Type: {mend}") from None

    def _model(self, wanted: arguments.RunArguments, verb: str) -> type[VideoModel]:
        if wanted.path is not None:
            return find_model(wanted.path)
        return choose(self._extension.shell.user_ns, wanted.name, verb=verb)

    def _expand_text(self, text: str) -> str:
        """As IPython does it: what cannot be expanded stays as it was typed."""
        if "{" not in text and "$" not in text:
            return text
        shell = self._extension.shell
        names = dict(shell.user_ns)
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_globals is not shell.user_ns:
            frame = frame.f_back
        if frame.f_globals is shell.user_ns:
            names.update(frame.f_locals)  # the function of the user's that called the magic
        try:
            return str(DollarFormatter().vformat(text, (), names))
        except Exception:  # any code may stand in the braces; IPython leaves such text alone too
            return text


def model_names(extension: Extension) -> list[str]:
    """For completion: what %reactor run and the other verbs may name."""
    return sorted({*models_in(extension.shell.user_ns), *extension.runtime.sessions()})


def _play_through(session: Session, duration_s: float | None, frames: int | None) -> None:
    """Wait as asked, stop, and raise what went wrong. Ctrl-C stops waiting, never the session."""
    session.wait_ready()
    over = session.wait(timeout_s=duration_s, frames=frames)
    if not over or not session.is_over:
        session.stop()
    session.result()
    stats = session.stats()
    print(f"{session.name}: {stats['produced']} frames, {stats['rate_fps']:.1f} fps")


def _result(future: Future[Any], name: str) -> Any:
    try:
        return future.result(SEND_TIMEOUT_S)
    except TimeoutError as late:
        if isinstance(late, ReactorError):
            raise
        raise CallTimeoutError(
            f"{name} has not returned after {SEND_TIMEOUT_S:g} s; it goes on in the model. "
            f'To wait longer, type: %reactor session  and then  _.send("{name}", 120, ...)'
        ) from None


def _say(names: list[str], what: str, otherwise: str) -> None:
    print("\n".join(f"{name} {what}." for name in names) if names else otherwise)


def _status_row(session: Session) -> tuple[str, ...]:
    stats = session.stats()
    size = f"{stats['width_px']}x{stats['height_px']}" if stats["width_px"] else "-"
    latency_ms = stats["latency_ms"]
    return (
        session.name,
        session.state,
        f"{stats['rate_fps']:.1f} fps",
        size,
        str(stats["produced"]),
        str(stats["dropped"]),
        str(sum(stats["skipped"].values())),
        str(stats["views"]),
        f"{latency_ms['p50']:.0f} ms" if latency_ms is not None else "-",
    )
