"""Where a named folder of weights is on this machine, and the order in which it is looked for.

1  $REACTOR_WEIGHTS_PATH/NAME
2  weights/NAME beside the model
3  NAME in the user's cache folder (~/.cache/reactor on Linux, where `reactor weights add` puts it)
4  the URL that weights.yaml beside the model has for NAME, fetched once into the same cache folder
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from reactor_nb.core.memory import in_words
from reactor_nb.core.weights_source import FILE_NAME, read_sources, source_from
from reactor_nb.errors import WeightsError

if TYPE_CHECKING:
    from reactor_nb.core.model import ModelSpec, VideoModel
    from reactor_nb.core.weights_source import WeightsSource

FOLDER_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
ENVIRONMENT: Final = "REACTOR_WEIGHTS_PATH"

_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_HALF_FETCHED: Final = frozenset({".aria2", ".crdownload", ".download", ".incomplete", ".part", ".partial"})


@dataclass(frozen=True)
class WeightPlace:
    """One place where the weights `name` are looked for.

    `state`: "used" is where the next look-up finds them, "hidden" a folder that an earlier place hides, "missing"
    no folder, "broken" a folder or an entry that is an error, "url" what the next look-up would fetch.
    `path` is absolute, None where the place is not set. `note` tells the rest, for people.
    """

    name: str
    origin: str
    path: Path | None
    state: Literal["used", "hidden", "missing", "broken", "url"]
    note: str = ""

    @property
    def is_found(self) -> bool:
        """Whether the weights are there, and whole."""
        return self.state in ("used", "hidden")

    def __str__(self) -> str:
        return f"{self.name}  {self.state:7}  {self.origin}: {self.path or '-'}{f' ({self.note})' if self.note else ''}"


def find_weights(spec: ModelSpec, name: str, folder: Path) -> Path:
    """The folder of the weights `name` of a model: absolute, and it exists. Fetches it where only a URL is known.

    Args:
        folder: the model's own folder.
    Raises:
        WeightsError: `name` is no folder name, is not in @model(weights=...), is nowhere, is there in part, or
            cannot be fetched.
    """
    _demand_declared(spec, name)
    places = [place / name for _, place in _roots(folder) if place is not None]
    for place in places:
        if place.is_dir():
            if problem := _problem(place):
                raise WeightsError(f"weights({name!r}): {problem}")
            return place
    sources = read_sources(folder)
    source = source_from(folder, name, sources)
    if source is not None:
        from reactor_nb.core.weights_fetch import fetch

        return fetch(source, _cache())
    looked = "".join(f"\n  {place}" for place in places)
    near = difflib.get_close_matches(name, [key for key in sources if key not in spec.weights], 1)
    question = f"\n{folder / FILE_NAME} has {near[0]}; is {name} meant?" if near else ""
    raise WeightsError(
        f"weights({name!r}): no such folder in{looked}{question}\n"
        f"Put the files of {name} into one of them, set {ENVIRONMENT} to the folder that holds {name}/, or write into "
        f"{folder / FILE_NAME} where they come from: {name}: https://..."
    )


def list_weights(cls: type[VideoModel]) -> list[WeightPlace]:
    """Every place of every declared weight folder, in the order of look-up. Fetches nothing."""
    spec, folder = _described(cls)
    return [place for name in spec.weights for place in _places(name, folder)]


def add_weights(name: str, folder: str | os.PathLike[str], cls: type[VideoModel]) -> Path:
    """Put a copy of `folder` into the user's cache folder, as the weights `name`; returns where it is.

    On one file system the copies are hard links and take no room; deleting `folder` afterwards changes nothing.

    Raises:
        WeightsError: `name` is not declared, `folder` is none, or is there in part, or `name` is there already.
    """
    from reactor_nb.core.weights_add import copy_folder

    spec, _ = _described(cls)
    _demand_declared(spec, name)
    source, target = Path(folder).expanduser().absolute(), _cache() / name
    if not source.is_dir():
        what = "a file" if source.exists() else "not there"
        raise WeightsError(f"{source} is {what}; it needs a folder. Type: reactor weights add {name} FOLDER")
    if problem := _problem(source):
        raise WeightsError(f"weights add {name}: {problem}")
    copy_folder(source, target)
    return target


def _places(name: str, folder: Path) -> Iterator[WeightPlace]:
    is_used = False
    for origin, root in _roots(folder):
        if root is None:
            yield WeightPlace(name, origin, None, "missing", "not set")
            continue
        path = root / name
        if not path.is_dir():
            yield WeightPlace(name, origin, path, "missing", "a file, not a folder" if path.exists() else "")
        elif problem := _problem(path):
            yield WeightPlace(name, origin, path, "broken", problem)
            is_used = True  # the look-up ends here, with this error
        else:
            yield WeightPlace(name, origin, path, "hidden" if is_used else "used", _contents(path))
            is_used = True
    try:
        source = source_from(folder, name, read_sources(folder))
    except WeightsError as error:
        yield WeightPlace(name, FILE_NAME, None, "broken", str(error))
        return
    if source is None:
        yield WeightPlace(name, FILE_NAME, None, "missing", "no URL")
    else:
        yield _fetched(source, is_used)


def _fetched(source: WeightsSource, is_used: bool) -> WeightPlace:
    from reactor_nb.core.weights_fetch import fetched_folder, problem_of

    path = fetched_folder(source, _cache())
    if not path.is_dir():
        partial = path.parent / "partial"
        has_come = f", fetched in part: {_contents(partial)}" if partial.is_dir() else ""
        return WeightPlace(source.name, FILE_NAME, path, "missing" if is_used else "url", source.shown_url + has_come)
    if problem := problem_of(source, _cache()):
        return WeightPlace(source.name, FILE_NAME, path, "broken", problem)
    note = f"{_contents(path)}, from {source.shown_url}"
    return WeightPlace(source.name, FILE_NAME, path, "hidden" if is_used else "used", note)


def _roots(folder: Path) -> list[tuple[str, Path | None]]:
    """Label and folder of each place that holds weight folders; None where it is not set."""
    named = os.environ.get(ENVIRONMENT)
    return [
        (ENVIRONMENT, Path(named).expanduser().absolute() if named else None),
        ("beside the model", (folder / "weights").absolute()),
        ("cache", _cache()),
    ]


def _cache() -> Path:
    # Imported when used: `reactor schema` of a model without weights does without.
    from platformdirs import user_cache_path

    path = user_cache_path("reactor", appauthor=False)
    # Older ones take a relative XDG_CACHE_HOME, which the XDG base directory specification says to ignore.
    return path if path.is_absolute() else Path.home() / ".cache" / "reactor"


def _problem(folder: Path) -> str | None:
    """What says that a folder has come in part: another program's unfinished file, or git's stand-in for one."""
    for path in _files(folder):
        if path.suffix.lower() in _HALF_FETCHED:
            return (
                f"{path} is the unfinished file of a download, so {folder} is not whole. Let the download go on, or "
                f"delete that file if nothing is missing: rm {path}"
            )
        if path.stat().st_size < 1024 and path.read_bytes().startswith(_LFS_POINTER):
            return (
                f"{path} is git's stand-in for a large file that was not fetched. Type in its repository: git lfs pull"
            )
    return None


def _files(folder: Path) -> Iterator[Path]:
    """Those in hidden folders left out: what a tool keeps there is its own."""
    for root, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (path for path in (Path(root, name) for name in sorted(names)) if path.is_file())


def _contents(folder: Path) -> str:
    sizes = [path.stat().st_size for path in _files(folder)]
    return f"{len(sizes)} file{'' if len(sizes) == 1 else 's'}, {in_words(sum(sizes))}" if sizes else "empty"


def _demand_declared(spec: ModelSpec, name: object) -> None:
    if not isinstance(name, str) or not FOLDER_NAME.fullmatch(name):
        raise WeightsError(
            f"weights({name!r}): the name of a weight folder has letters, digits, underscores and hyphens. "
            f"Declared by {spec.name}: {_listed(spec)}"
        )
    if name not in spec.weights:
        near = difflib.get_close_matches(name, spec.weights, 1)
        wanted = ", ".join(f'"{known}"' for known in (*spec.weights, name))
        mend = (
            f'Did you mean weights("{near[0]}")?' if near else f'Write @model(name="{spec.name}", weights=[{wanted}])'
        )
        raise WeightsError(f"weights({name!r}): {spec.name} declares no such weights, only {_listed(spec)}. {mend}")


def _described(cls: type[VideoModel]) -> tuple[ModelSpec, Path]:
    from reactor_nb.core.model import spec_of  # which imports this module
    from reactor_nb.core.source import folder_of

    spec = spec_of(cls)
    if spec is None:
        raise WeightsError(
            f"{cls.__name__} has no @model that names its weights. "
            'Write @model(name="my-model", weights=["my-weights"]) above it.'
        )
    return spec, folder_of(cls)


def _listed(spec: ModelSpec) -> str:
    return ", ".join(spec.weights) or "none"
