"""Puts a folder of weights where the look-up finds it: whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from reactor_nb.core.memory import in_words
from reactor_nb.errors import WeightsError


def copy_folder(source: Path, target: Path) -> None:
    """Make `target` a copy of the folder `source`, of hard links where the file system allows them.

    Symbolic links are followed, so that the copy stands for itself.

    Raises:
        WeightsError: `target` exists, `source` lies around it or cannot be read, or there is no room.
    """
    if target.exists() or target.is_symlink():
        raise WeightsError(f"{target} is there already. To replace it, type: rm -r {target}")
    if target.is_relative_to(source):
        raise WeightsError(f"{source} holds the cache folder {target.parent}; name the folder of {target.name} alone.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # The dot keeps a half-made copy from ever being found as the weights of that name.
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise WeightsError(f"{target.parent} cannot be written: {error.strerror}. {_ELSEWHERE}") from error
    try:
        _demand_room(source, staging)
        shutil.copytree(source, staging / target.name, copy_function=_link_or_copy)
        os.rename(staging / target.name, target)
    except (OSError, shutil.Error) as error:
        raise WeightsError(f"{source} cannot be copied to {target}: {error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


_ELSEWHERE = "Set REACTOR_WEIGHTS_PATH to the folder that holds it instead."


def _demand_room(source: Path, staging: Path) -> None:
    files = [path for path in source.rglob("*") if path.is_file()]
    if not files or _is_linked(files[0], staging / "probe"):
        return
    needed = sum(path.stat().st_size for path in files)
    free = shutil.disk_usage(staging).free
    if needed > free:
        raise WeightsError(
            f"{source} takes {in_words(needed)}, and {in_words(free)} are free in {staging.parent}. {_ELSEWHERE}"
        )


def _is_linked(source: Path, target: Path) -> bool:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system, or one without links
        return False
    return True


def _link_or_copy(source: str, target: str) -> str:
    if not _is_linked(Path(source), Path(target)):
        shutil.copy2(source, target)
    return target
