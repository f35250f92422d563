"""One kind of bad input and its answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

Maker = Callable[[Path], object]


class MessageCase(NamedTuple):
    """`make` is given an empty folder and raises `error`; in `text` that folder is called FOLDER."""

    error: type[BaseException]
    text: str
    make: Maker

    @property
    def what(self) -> str:
        """What was done, in words: the name of the maker."""
        return self.make.__name__.replace("_", " ")


class Cases(list[MessageCase]):
    """Collects the cases of one file."""

    def answered(self, error: type[BaseException], text: str) -> Callable[[Maker], Maker]:
        """The input made below is answered with this error and this sentence."""

        def keep(make: Maker) -> Maker:
            self.append(MessageCase(error, text, make))
            return make

        return keep
