"""The built files of the page, which lie in reactor_nb/static."""

from __future__ import annotations

from importlib.resources import files

_STATIC = files("reactor_nb") / "static"


def built(name: str) -> str:
    """The text of one of them.

    Read here and not by anywidget from a path: a missing build is then told with its mend.
    """
    try:
        return (_STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        raise ImportError(
            f"reactor_nb/static/{name} is not there; it is built when the package is installed. "
            "Run: pip install -e . (in the checkout)"
        ) from missing
