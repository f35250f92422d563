"""`make demo`: JupyterLab on the quickstart notebook, in this checkout's own Jupyter folders."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import webbrowser
from pathlib import Path
from types import FrameType

from tests.support.jupyterlab import JupyterLab

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = "notebooks/01_quickstart.ipynb"


def main() -> int:
    choice = os.environ.pop("BROWSER", "")
    if choice and choice != "none":
        os.environ["BROWSER"] = choice
    lab = JupyterLab(root=ROOT, state=ROOT / ".jupyter")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    with contextlib.suppress(KeyboardInterrupt):
        try:
            lab.start()
            address = lab.address_of(NOTEBOOK)
            print(address, flush=True)
            if choice != "none":
                webbrowser.open(address)
            print("Ctrl-C ends JupyterLab and its kernels.", flush=True)
            lab.wait()
        finally:
            lab.stop()
    return 0


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
