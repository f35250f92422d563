"""What a person needs to know of an import that failed: the line, the error, and what to type."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path

from reactor_nb.core.failure import author_traceback, in_a_line
from reactor_nb.core.import_failure import Failure
from reactor_nb.core.time_limit import OverTime

# Module -> the package that has it, where the names differ.
_PACKAGES = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "clip": "git+https://github.com/openai/CLIP.git",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "git": "gitpython",
    "google.protobuf": "protobuf",
    "mpl_toolkits": "matplotlib",
    "OpenGL": "pyopengl",
    "PIL": "pillow",
    "pkg_resources": "setuptools",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "usb": "pyusb",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}


def failure_of(error: BaseException, file: Path) -> Failure:
    """What a person needs to know of `error`, which the import of `file` has raised."""
    entries = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename is not None:
        entries.append(traceback.FrameSummary(error.filename, error.lineno, "<module>"))
    own = [entry for entry in entries if entry.filename == str(file) or entry.filename.startswith(f"{file}, cell ")]
    if isinstance(error, SyntaxError) and str(error.filename).startswith("cell "):
        own = [traceback.FrameSummary(f"{file}, {error.filename}", error.lineno, "<module>")]
    line = own[-1].lineno if own else None
    cell = own[-1].filename.rpartition(", cell ")[2] if own else ""
    return Failure(
        file,
        line,
        _said(error) + _elsewhere(entries, file, own),
        _mend(error, file),
        author_traceback(error),
        int(cell) if cell.isdecimal() and file.suffix == ".ipynb" else None,
    )


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        code = "" if error.code is None else repr(error.code)
        return f"sys.exit({code}) was called"
    if isinstance(error, OverTime):
        return f"its import did not end within {error.limit_s:g} s; it was here when it was stopped"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    return in_a_line(error).rstrip(".")


def _elsewhere(entries: traceback.StackSummary, file: Path, own: list[traceback.FrameSummary]) -> str:
    """Where in another file of the project it was raised, if it was."""
    last = next((entry for entry in reversed(entries) if Path(entry.filename).is_relative_to(file.parent)), None)
    if last is None or last in own or "site-packages" in last.filename:
        return ""
    return f" (raised in {Path(last.filename).relative_to(file.parent)}, line {last.lineno})"


def _mend(error: BaseException, file: Path) -> str:
    if isinstance(error, SystemExit):
        return 'Put what ends the program under: if __name__ == "__main__":'
    if isinstance(error, OverTime):
        return "Move what takes long into __init__ of the model, or allow more: REACTOR_IMPORT_TIMEOUT_S=300"
    shadow = _shadow(error, file.parent)
    if shadow is not None:
        return (
            f"{shadow.name} has the name of a module that others import. Rename it: mv {shadow.name} my_{shadow.name}"
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing(error.name, file.parent)
    if isinstance(error, ImportError) and "relative import" in str(error):
        return f"Files beside {file.name} are imported by their name: from pipeline import ..."
    return ""


def _missing(name: str, folder: Path) -> str:
    top = name.partition(".")[0]
    if top == "reactor_runtime":
        return "Write: from reactor_nb import VideoModel, model, command, get_ctx"
    if top != name and name not in _PACKAGES and _is_there(top):
        place = folder / top
        if place.exists():
            return f"There is no {name.replace('.', '/')}.py in {folder}"
        return f"{top} is installed without it; another version may have it: pip install --upgrade {top}"
    package = _PACKAGES.get(name) or _PACKAGES.get(top) or top
    listed = folder / "requirements.txt"
    everything = f", or all that the project needs: pip install -r {listed.name}" if listed.is_file() else ""
    return f"Type: pip install {package}{everything}"


def _is_there(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _shadow(error: BaseException, folder: Path) -> Path | None:
    """The file of the folder whose name keeps somebody from another module, if that is what the error is about."""
    if not isinstance(error, ImportError | AttributeError):
        return None
    name = getattr(error, "name", None) if isinstance(error, ImportError) else None
    obj = getattr(error, "obj", None)
    name = name or getattr(obj, "__name__", None)
    if not isinstance(name, str):
        return None
    top = name.partition(".")[0]
    file = folder / f"{top}.py"
    if not file.is_file():
        return None
    is_standard = top in sys.stdlib_module_names
    is_circular = "partially initialized module" in str(error)
    return file if is_standard or is_circular or (isinstance(error, ModuleNotFoundError) and "." in name) else None
