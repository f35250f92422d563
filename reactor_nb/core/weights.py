"""Where a named folder of weights is on this machine."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reactor_nb.errors import WeightsError

if TYPE_CHECKING:
    from reactor_nb.core.model import ModelSpec

FOLDER_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")


def find_weights(spec: ModelSpec, name: str, folder: Path) -> Path:
    """The folder of the weights `name` of a model: absolute, and it exists.

    Looked for, in this order: $REACTOR_WEIGHTS_PATH/NAME, `folder`/weights/NAME,
    ~/.cache/reactor/NAME ($XDG_CACHE_HOME/reactor/NAME where that is set).

    Args:
        folder: the model's own folder.
    Raises:
        WeightsError: `name` is no folder name, is not in @model(weights=...), or is nowhere.
    """
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
    places = [place / name for place in _roots(folder)]
    for place in places:
        if place.is_dir():
            return place
    looked = "".join(f"\n  {place}" for place in places)
    raise WeightsError(
        f"weights({name!r}): no such folder in{looked}\n"
        f"Put the files of {name} into one of them, or set REACTOR_WEIGHTS_PATH to the folder that holds {name}/."
    )


def _roots(folder: Path) -> list[Path]:
    named = os.environ.get("REACTOR_WEIGHTS_PATH")
    # An empty or relative XDG_CACHE_HOME is to be ignored, says the XDG base directory specification.
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    roots = [Path(named)] if named else []
    roots += [folder / "weights", (cache if cache.is_absolute() else Path.home() / ".cache") / "reactor"]
    return [root.expanduser().absolute() for root in roots]


def _listed(spec: ModelSpec) -> str:
    return ", ".join(spec.weights) or "none"
