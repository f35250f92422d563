"""The verbs of `reactor` and their options, as a table."""

from __future__ import annotations

from typing import Any, Final

from reactor_nb.cli.arguments import Flag, Verb
from reactor_nb.media.quality import QUALITIES

RUNTIMES: Final = ("headless", "http")
FORMATS: Final = ("reactor", "openapi", "json-schema")


def _duration_s(text: str) -> Any:
    from reactor_nb.core.typed import duration_s

    return duration_s(text, line="reactor run --for 3s --out clip.mp4")


def _count(text: str) -> Any:
    from reactor_nb.core.typed import count

    return count(text, line="reactor run --frames 90 --out clip.mp4")


_PATH = Flag(
    "--path", "path", "DIR|FILE", "the model's folder, .py file or .ipynb notebook; default: this folder", "my-model"
)
_CONFIG = Flag(
    "--config", "config", "FILE", "a YAML file instead of the one that @model names", "configs/big.yaml", short="-c"
)
_STREAM = (
    Flag(
        "--quality",
        "quality",
        "|".join(QUALITIES),
        "how sharp the stream to a page is; default: balanced",
        "high",
        "",
        QUALITIES,
    ),
    Flag("--bitrate", "bitrate", "RATE", "the most that is sent to a page, such as 8M or 800k", "8M"),
    Flag("--smoothness", "smoothness", "0..1", "0 shows frames as soon as they come, 1 most evenly", "0.5"),
)
_VERBOSE = Flag("--verbose", "is_verbose", "", "tell more: tracebacks, files that were not imported", short="-v")

VERBS: Final = (
    Verb(
        "run",
        "[--path DIR|FILE] [-c FILE] [--model.KEY=VALUE ...] [--for 3s] [--frames 90] [--out clip.mp4|FOLDER]",
        "Play the model: with --for, --frames or --out into a file, else with a prompt that takes commands.",
        (
            _PATH,
            Flag(
                "--runtime", "runtime", "headless|http", "where it plays; default: headless", "headless", "", RUNTIMES
            ),
            _CONFIG,
            Flag("--config-help", "asks_config", "", "show each configuration value and where it came from"),
            Flag("--for", "duration_s", "TIME", "stop after 3s, 500ms or 2m of frames", "3s", read=_duration_s),
            Flag("--frames", "frames", "COUNT", "stop after so many frames", "90", read=_count),
            Flag("--out", "out", "FILE.mp4|FOLDER", "where the frames go; a folder gets PNG files", "clip.mp4"),
            Flag("--profile", "profile", "FILE.svg", "a picture of where the time of the last frames went", "time.svg"),
            Flag("--input", "input", "VIDEO|FOLDER", "what the model's on_frame is shown", "walk.mp4"),
            *_STREAM,
            _VERBOSE,
        ),
        takes_overrides=True,
    ),
    Verb("init", "NAME", "Make a project in a new folder NAME that runs as it stands.", words=(1, 1)),
    Verb(
        "schema",
        "[--path DIR|FILE] [--format reactor|openapi|json-schema]",
        "Print the model's commands as JSON, with what @model says of it.",
        (
            _PATH,
            Flag("--format", "format", "|".join(FORMATS), "default: reactor", "openapi", "", FORMATS),
        ),
    ),
    Verb(
        "check",
        "[--path DIR|FILE] [-c FILE] [--model.KEY=VALUE ...]",
        "Try each part in turn, to three frames of a dry session; a line for each.",
        (_PATH, _CONFIG, _VERBOSE),
        takes_overrides=True,
    ),
    Verb("doctor", "", "Look at this machine: what works, what is missing, what to type. Contacts nothing."),
    Verb(
        "weights",
        "list | path NAME | add NAME FOLDER  [--path DIR|FILE]",
        "Show where the model's weights are looked for, print where one is, or put a folder there.",
        (_PATH,),
        words=(1, 3),
    ),
)
_SCHEMA = next(verb for verb in VERBS if verb.name == "schema")
ALL_VERBS: Final = (
    *VERBS,
    # The name that this verb has in the original.
    Verb("capabilities", _SCHEMA.usage, _SCHEMA.summary, _SCHEMA.flags, is_listed=False),
)

_WIDTH = max(len(verb.name) for verb in VERBS)
HELP: Final = (
    "reactor VERB [options]      plays real-time video models; also as python -m reactor_nb\n\n"
    + "".join(f"  {verb.name:<{_WIDTH}}  {verb.summary}\n" for verb in VERBS)
    + "\nreactor VERB --help shows the options of a verb, reactor --version the version.\n"
    "Exit status: 0 done, 1 it failed, 2 the command line cannot be read, 130 ended by Ctrl-C.\n"
)
