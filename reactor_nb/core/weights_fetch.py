"""Fetches a weight folder once for all processes of a machine: locked, resumed, checked, moved into place whole.

<cache>/.fetched/<key>.lock          held by the process that fetches
<cache>/.fetched/<key>/partial/      what has come so far
<cache>/.fetched/<key>/partial.json  which version of each file that is; touched while the fetch goes on
<cache>/.fetched/<key>/source.json   where it came from, with each file's size
<cache>/.fetched/<key>/NAME/         the folder, once it is whole
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from reactor_nb.core.memory import in_words
from reactor_nb.core.weights_progress import Progress
from reactor_nb.core.weights_source import WeightsSource
from reactor_nb.core.weights_transfer import RETRY_AFTER_S, Remote, RemoteFile, sha256_of
from reactor_nb.errors import WeightsError

FETCHED: Final = ".fetched"
"""A name that no weight folder can have."""

STALL_S: Final = 90.0
"""How long a process waits for another one's fetch that does not move."""

_ASK_EVERY_S: Final = 1.0


def fetched_folder(source: WeightsSource, cache: Path) -> Path:
    """Where the weights of `source` are, or will be."""
    return cache / FETCHED / source.key / source.name


def problem_of(source: WeightsSource, cache: Path) -> str | None:
    """What is wrong with a fetched folder: a file that was removed or cut short since. None if nothing is."""
    folder = fetched_folder(source, cache)
    told = _read_json(folder.parent / "source.json")
    if told is None:
        return f"{folder} was not put there by a fetch. Type: rm -r {folder.parent}"
    for name, size in told.get("files", {}).items():
        file = folder / name
        if not file.is_file() or file.stat().st_size != size:
            found = f"{file.stat().st_size} bytes" if file.is_file() else "missing"
            return f"{file} is {found}, and had {size} bytes when it was fetched. Type: rm -r {folder.parent}"
    return None


def fetch(
    source: WeightsSource, cache: Path, *, stall_s: float = STALL_S, retry_after_s: Sequence[float] = RETRY_AFTER_S
) -> Path:
    """The folder of the weights, fetched if no process has done so yet.

    Progress is written to standard error. What has come when it breaks off stays for the next call.

    Raises:
        WeightsError: nothing to fetch, a wrong checksum, no room, or another process whose fetch does not move.
    Threads: any; of several callers one fetches and the others wait for it.
    """
    folder = fetched_folder(source, cache)
    if not folder.is_dir():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WeightsError(f"{folder.parent} cannot be made: {error.strerror}. {_ELSEWHERE}") from error
        with _alone(source, folder, stall_s):
            if not folder.is_dir():
                try:
                    _fetch(source, folder, retry_after_s)
                except OSError as error:
                    raise WeightsError(f"{source.name} cannot be fetched into {folder.parent}: {error}") from error
    if problem := problem_of(source, cache):
        raise WeightsError(f"{source.name}: {problem}")
    return folder


_ELSEWHERE: Final = "Set XDG_CACHE_HOME, or put the folder where REACTOR_WEIGHTS_PATH points."


@contextmanager
def _alone(source: WeightsSource, folder: Path, stall_s: float) -> Iterator[None]:
    """Hold the lock of this source. The operating system gives it back if the process dies."""
    from filelock import FileLock, Timeout

    lock = FileLock(f"{folder.parent}.lock")
    is_waiting = False
    moved_s, seen = time.monotonic(), _heartbeat(folder)
    while True:
        try:
            lock.acquire(timeout=min(_ASK_EVERY_S, stall_s))
            break
        except Timeout:
            now_s, newest = time.monotonic(), _heartbeat(folder)
            if newest != seen:
                moved_s, seen = now_s, newest
            if now_s - moved_s >= stall_s:
                raise WeightsError(
                    f"{source.name} is being fetched by another process, which has not moved for {stall_s:g} s. "
                    f"End it and try again; it holds {lock.lock_file}"
                ) from None
            if not is_waiting:
                is_waiting = True
                Progress(source.name, None).note("another process is fetching it; waiting")
    try:
        yield
    finally:
        lock.release()


def _fetch(source: WeightsSource, folder: Path, retry_after_s: Sequence[float]) -> None:
    partial, state = folder.parent / "partial", folder.parent / "partial.json"
    state.touch()
    remote = Remote(source)
    files = remote.files()
    _keep_what_is_current(files, partial, state)
    total = None if any(file.size is None for file in files) else sum(file.size or 0 for file in files)
    done = sum((partial / file.name).stat().st_size for file in files if (partial / file.name).is_file())
    _demand_room(source, partial, total, done)
    progress = Progress(source.name, total, done, state.touch)
    progress.note(f"fetching {_counted(files)}{f', {in_words(total)}' if total else ''} from {source.shown_url}")
    for file in files:
        target = partial / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
        remote.fetch(file, target, progress, retry_after_s)
        _check(source, file, target, state)
        _to_disk(target)
    sizes = {file.name: (partial / file.name).stat().st_size for file in files}
    _write_json(folder.parent / "source.json", {"url": source.shown_url, "sha256": dict(source.sums), "files": sizes})
    os.replace(partial, folder)
    state.unlink()
    progress.note(f"fetched {_counted(files)}, {in_words(sum(sizes.values()))} in {progress.took_s():.1f} s")


def _keep_what_is_current(files: Sequence[RemoteFile], partial: Path, state: Path) -> None:
    """Drop what an earlier fetch has left of other versions of the files, or of files that are not there any more."""
    before = (_read_json(state) or {}).get("versions", {})
    versions = {file.name: file.version for file in files}
    if partial.is_dir():
        for path in [path for path in partial.rglob("*") if path.is_file()]:
            name = path.relative_to(partial).as_posix()
            if name not in versions or before.get(name) != versions[name]:
                path.unlink()
    partial.mkdir(exist_ok=True)
    _write_json(state, {"versions": versions})


def _demand_room(source: WeightsSource, partial: Path, total: int | None, done: int) -> None:
    free = shutil.disk_usage(partial).free
    if total is not None and total - done > free:
        raise WeightsError(
            f"{source.name} needs {in_words(total - done)} more, and {in_words(free)} are free in {partial}. "
            f"{_ELSEWHERE}"
        )


def _check(source: WeightsSource, file: RemoteFile, target: Path, state: Path) -> None:
    wanted = source.sums.get(file.name)
    if wanted is None:
        return
    checking = Progress(f"{source.name}: checking {file.name}", target.stat().st_size, on_report=state.touch)
    found = sha256_of(target, checking)
    if found != wanted:
        target.unlink()
        raise WeightsError(
            f"{source.name}: {file.name} from {source.shown_url} has the SHA-256\n  {found}, and weights.yaml says\n"
            f"  {wanted}. It was thrown away. If the new file is the right one, write its sum into weights.yaml."
        )


def _to_disk(path: Path) -> None:
    """So that a machine that loses power does not find a whole folder of empty files."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _heartbeat(folder: Path) -> int:
    try:
        return (folder.parent / "partial.json").stat().st_mtime_ns
    except OSError:
        return 0


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _write_json(path: Path, value: dict[str, Any]) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(value, indent=1, sort_keys=True), encoding="utf-8")
    os.replace(new, path)


def _counted(files: Sequence[RemoteFile]) -> str:
    return files[0].name if len(files) == 1 else f"{len(files)} files"
