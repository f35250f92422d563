"""Opens the same cells in each front end, and runs them as its user would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import BrowserContext

from tests.environments.installed import CURRENT, LAB_4_4, Environment
from tests.environments.servers import REPOSITORY, WebServer
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import OPEN_TIMEOUT_MS, Lab
from tests.support.views import Views

NBCLASSIC_READY = """() => {
  const notebook = window.Jupyter?.notebook;
  if (!notebook?.kernel?.is_connected() || !notebook.kernel.widget_manager) return false;
  return notebook.get_cell(0).output_area.mime_types().includes("application/vnd.jupyter.widget-view+json");
}"""
"""Its widgets come by an extension that loads by itself: what a cell shows before that is no widget."""

Playing = Callable[[Sequence[str], BrowserContext, Path], AbstractContextManager[Views]]
"""Runs cells in a new server below the folder; gives the page that shows them; ends the server after it."""


class Notebook7(Lab):
    """One notebook in one tab of Notebook 7, which is JupyterLab's code in another shell."""

    def open_file(self, path: str) -> None:
        self.path = path
        self.page.goto(f"{self.server.url}/notebooks/{path}?token={self.server.token}", timeout=OPEN_TIMEOUT_MS)
        self._until_open("idle")


def _jupyter(environment: Environment, application: str, make: type[Lab]) -> Playing:
    @contextmanager
    def playing(cells: Sequence[str], context: BrowserContext, folder: Path) -> Iterator[Views]:
        server = JupyterLab(
            root=folder / "notebooks",
            state=folder / "state",
            python=str(environment.python),
            application=application,
            exposes_app=True,
            env={"PYTHONPATH": str(REPOSITORY)},
        )
        server.root.mkdir()
        server.state.mkdir()
        server.start()
        try:
            lab = make(server, context)
            lab.open(cells)
            lab.run_all(wait=False)
            yield lab
        finally:
            server.stop()

    return playing


@contextmanager
def _nbclassic(cells: Sequence[str], context: BrowserContext, folder: Path) -> Iterator[Views]:
    command = [
        *(str(CURRENT.python), "-m", "nbclassic", "--no-browser", "--ServerApp.port={port}", "--allow-root"),
        *("--ServerApp.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True"),
    ]
    name = write_notebook(cells, folder)
    with WebServer(command, folder / "state", folder) as server:
        page = context.new_page()
        page.goto(f"{server.url}/nbclassic/notebooks/{name}", timeout=OPEN_TIMEOUT_MS)
        page.wait_for_function(NBCLASSIC_READY, timeout=OPEN_TIMEOUT_MS)
        # It draws widget outputs anew while it still looks for the widgets of its kernel, just after opening.
        page.evaluate("window.Jupyter.notebook.execute_cells([0])")
        page.wait_for_function("Number.isInteger(window.Jupyter.notebook.get_cell(0).input_prompt_number)")
        page.wait_for_load_state("networkidle")
        page.evaluate("window.Jupyter.notebook.execute_cell_range(1, window.Jupyter.notebook.ncells())")
        yield Views(page)


@contextmanager
def _voila(cells: Sequence[str], context: BrowserContext, folder: Path) -> Iterator[Views]:
    """All cells have been run when the page comes, so before it can connect."""
    name = write_notebook(cells, folder)
    command = [str(CURRENT.python), "-m", "voila", name, "--no-browser", "--port={port}", "--show_tracebacks=True"]
    with WebServer(command, folder / "state", folder) as server:
        page = context.new_page()
        page.goto(server.url, timeout=OPEN_TIMEOUT_MS)
        yield Views(page)


def write_notebook(cells: Sequence[str], folder: Path) -> str:
    """A notebook of these code cells; returns its name."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(notebook, folder / "played.ipynb")
    return "played.ipynb"


FRONT_ENDS: dict[str, Playing] = {
    "JupyterLab 4.4": _jupyter(LAB_4_4, "jupyterlab", Lab),
    "JupyterLab": _jupyter(CURRENT, "jupyterlab", Lab),
    "Notebook 7.4": _jupyter(LAB_4_4, "notebook", Notebook7),
    "Notebook": _jupyter(CURRENT, "notebook", Notebook7),
    "nbclassic": _nbclassic,
    "Voila": _voila,
}
