"""Finds the model of a folder, of a file or of a notebook file."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from reactor_nb.core.discovery import models_in, undecorated_in
from reactor_nb.core.import_failure import Failure
from reactor_nb.core.importing import forget, import_file, import_notebook, import_timeout_s
from reactor_nb.core.model import VideoModel, proposed_name, spec_of
from reactor_nb.core.source import file_of, place_of
from reactor_nb.core.source_scan import Scan, scan_text
from reactor_nb.core.upstream import recognised
from reactor_nb.errors import ModelNotFoundError, SeveralModelsError

NONE_FOUND = "No @model decorated class found in project."


@dataclass(frozen=True)
class Project:
    """`cls` was found in `file`. `failures` are files that should hold a model as well, and cannot be imported."""

    cls: type[VideoModel]
    file: Path
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    file: Path
    scan: Scan


def find_model(path: str | os.PathLike[str] = ".", *, timeout_s: float | None = None) -> type[VideoModel]:
    """The one @model class of a project: see find_project."""
    return find_project(path, timeout_s=timeout_s).cls


def find_project(path: str | os.PathLike[str] = ".", *, timeout_s: float | None = None) -> Project:
    """Find the one @model class of a project, importing as little of it as that takes.

    Of a folder, the `*.py` directly in it are read first, in the order of their names, those that start with an
    underscore left out. The files with an @model class are imported; only if there is none, those that name
    reactor_nb or reactor_runtime, and then the others. Of a notebook, the model's class and what it uses are run.
    Files are imported anew each time, as they are now, with the folder on the search path.

    Args:
        path: a folder, a .py file or an .ipynb file.
        timeout_s: how long one file may take to import; by default REACTOR_IMPORT_TIMEOUT_S, else 60.
    Raises:
        ModelNotFoundError: there is none; each file that cannot be imported is named with its mend.
        SeveralModelsError: there is more than one; says where each is.
    Threads: any, one at a time; the files run on the calling one.
    Source: seed 000, "Running Your Model" and "Import Errors".
    """
    place = Path(path).expanduser().absolute()
    limit_s = import_timeout_s() if timeout_s is None else timeout_s
    if place.is_dir():
        return _of_folder(place.resolve(), limit_s)
    if not place.is_file():
        raise ModelNotFoundError(f"{place} is not there. {_nearest(place)}")
    place = place.resolve()
    if place.suffix == ".ipynb":
        forget(place.parent)
        return _chosen([(place, import_notebook(place, timeout_s=limit_s))], place)
    if place.suffix != ".py":
        raise ModelNotFoundError(
            f"{place} is no folder, .py or .ipynb file. Name one that holds a model: --path {place.parent}"
        )
    forget(place.parent)
    return _chosen(list(_imported([_candidate(place)], limit_s)), place)


def _of_folder(folder: Path, limit_s: float) -> Project:
    files = sorted(file for file in folder.glob("*.py") if file.is_file() and not file.name.startswith("_"))
    candidates = [_candidate(file) for file in files]
    forget(folder)
    seen: list[tuple[Path, dict[str, Any] | Failure]] = []
    for rank in (0, 1, 2):
        seen += _imported([each for each in candidates if each.scan.rank == rank], limit_s)
        if _places(seen, folder):
            break
    return _chosen(seen, folder)


def _candidate(file: Path) -> _Candidate:
    return _Candidate(file, scan_text(file.read_text(encoding="utf-8", errors="replace")))


def _imported(candidates: Iterable[_Candidate], limit_s: float) -> Iterator[tuple[Path, dict[str, Any] | Failure]]:
    for each in candidates:
        yield each.file, import_file(each.file, is_relative=each.scan.has_relative_import, timeout_s=limit_s)


def _chosen(seen: list[tuple[Path, dict[str, Any] | Failure]], project: Path) -> Project:
    places = _places(seen, project if project.is_dir() else project.parent)
    failures = tuple(result for _, result in seen if isinstance(result, Failure))
    if not places:
        namespaces = [result for _, result in seen if not isinstance(result, Failure)]
        raise ModelNotFoundError(_none_found(project, [file for file, _ in seen], failures, namespaces))
    if len(places) > 1:
        raise SeveralModelsError(_several(places))
    ((cls, file),) = places.items()
    return Project(cls, file, failures)


def _places(seen: Iterable[tuple[Path, dict[str, Any] | Failure]], folder: Path) -> Mapping[type[VideoModel], Path]:
    """The distinct models, each with the file that it was found in. One of the project hides those it has imported."""
    found: dict[type[VideoModel], Path] = {}
    statements: set[object] = set()
    for file, result in seen:
        for cls in _models_of(file, result) if not isinstance(result, Failure) else ():
            # A file that was imported under two names has made its class twice.
            home = file_of(cls)
            statement = (home, cls.__qualname__) if home is not None else cls
            if statement not in statements:
                statements.add(statement)
                found[cls] = file
    own = {cls: file for cls, file in found.items() if (home := file_of(cls)) is not None and home.parent == folder}
    return own or found


def _models_of(file: Path, namespace: Mapping[str, Any]) -> Iterable[type[VideoModel]]:
    if file.suffix == ".ipynb":
        # A cell that decorates a name again replaces the class.
        return models_in(namespace).values()
    values = map(recognised, list(namespace.values()))
    return [cast("type[VideoModel]", value) for value in values if spec_of(value) is not None]


def _none_found(
    project: Path, files: list[Path], failures: tuple[Failure, ...], namespaces: list[dict[str, Any]]
) -> str:
    if failures:
        plural = "These files cannot" if len(failures) > 1 else "This file cannot"
        lines = "".join(f"\n  {failure}" for failure in failures)
        return f"{NONE_FOUND} {plural} be imported:{lines}"
    undecorated = [cls for namespace in namespaces for cls in undecorated_in(namespace)]
    if undecorated:
        cls = undecorated[-1]
        place = place_of(cls)
        where = f", {Path(place.filename).name} line {place.line}" if place is not None else ""
        return (
            f"{NONE_FOUND} Ensure your VideoModel subclass has the @model decorator. "
            f'Write @model(name="{proposed_name(cls.__name__)}") above class {cls.__name__}{where}.'
        )
    if files:
        names = ", ".join(file.name for file in files[:12])
        more = f" and {len(files) - 12} more" if len(files) > 12 else ""
        looked = f"Looked at {names}{more}."
    else:
        looked = f"{project} has no .py files."
    notebooks = sorted(project.glob("*.ipynb")) if project.is_dir() else []
    mend = f'--path "{notebooks[0]}"' if notebooks else "reactor init my-model"
    return f"{NONE_FOUND} Ensure your VideoModel subclass has the @model decorator. {looked} Type: {mend}"


def _several(places: Mapping[type[VideoModel], Path]) -> str:
    names = sorted(spec.name for cls in places if (spec := spec_of(cls)) is not None)
    lines = []
    for cls, file in places.items():
        spec, place = spec_of(cls), place_of(cls)
        assert spec is not None
        home = file_of(cls) or file
        cell = place.filename.rpartition(", cell ")[2] if place is not None and home.suffix == ".ipynb" else ""
        where = f"{home}{f', cell {cell}' if cell else ''}{f', line {place.line}' if place is not None else ''}"
        lines.append(f"\n  {spec.name}: class {cls.__name__} in {where}")
    files = list(dict.fromkeys(places.values()))
    mend = f'Name the file that is meant: --path "{files[-1]}"' if files[1:] else "Remove @model from the others."
    rule = "Only one @model decorated class is allowed per project."
    return f"Multiple models found: {names}. {rule} {mend}{''.join(lines)}"


def _nearest(place: Path) -> str:
    parent = place.parent
    while not parent.is_dir():
        parent = parent.parent
    names = [entry.name for entry in parent.iterdir()] if parent == place.parent else []
    near = difflib.get_close_matches(place.name, names, 1)
    return f'Type: --path "{parent / near[0]}"' if near else f"The nearest folder that is there: {parent}"
