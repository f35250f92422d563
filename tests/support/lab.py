"""The page object of the browser tests: one notebook in one tab of a real JupyterLab."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

import nbformat
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page
from playwright.sync_api import Error as PlaywrightError

from tests.support.eventually import eventually
from tests.support.jupyterlab import JupyterLab
from tests.support.kernel import KernelChannel
from tests.support.views import Views

OPEN_TIMEOUT_MS = 60_000

# Run inside the page with `panel` bound to the notebook of this tab.
_IN_PANEL = """async ([path, arg]) => {
  const app = window.jupyterapp;
  let panel = null;
  for (const widget of app.shell.widgets("main"))
    if (widget.context && widget.context.path === path) panel = widget;
  if (!panel) throw new Error("no open notebook " + path);
  const notebook = panel.content;
  %s
}"""

# A kernel that is gone does not answer; the tab is then emptied all the same.
_EMPTY = """async () => {
  if (!window.jupyterapp) return;
  for (const widget of [...window.jupyterapp.shell.widgets("main")]) {
    const late = new Promise((done) => setTimeout(done, 5000));
    if (widget.sessionContext?.session) await Promise.race([widget.sessionContext.shutdown().catch(() => {}), late]);
    widget.dispose();
  }
}"""


# After a reload JupyterLab opens again what was open, later than one may think; and a dialog, say of a
# killed kernel, takes every click. Such a tab is loaded anew.
_IS_AS_WE_LEFT_IT = "Boolean(window.jupyterapp && window.labTab) && !document.querySelector('.jp-Dialog')"


class Lab(Views):
    """Drives one notebook. Cells are numbered from 0.

    Args:
        server: where the notebook file is written and served.
        context: the browser context for new tabs.
        page: a tab that an earlier test gave back; booting JupyterLab costs more than all else in a test.
        url: where this browser finds the server, if it is not on this machine or there is a proxy between.
    Threads: playwright's, the one of the test.
    """

    def __init__(self, server: JupyterLab, context: BrowserContext, page: Page | None = None, url: str = "") -> None:
        self.server = server
        self.url = url or server.url
        self.context = context
        self.path = ""
        super().__init__(page or context.new_page())
        self.page.set_default_timeout(20_000)
        self.console_errors: list[str] = []
        self._others: list[Lab] = []
        self._channel: KernelChannel | None = None
        self._channel_kernel = ""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_page_error)

    def _on_page_error(self, error: PlaywrightError) -> None:
        self.console_errors.append(f"uncaught: {error.message}\n{error.stack}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors.append(f"{message.text} ({message.location.get('url', '')})")

    def errors_of_ours(self) -> list[str]:
        """Console errors that name the viewer; JupyterLab's own (a missing favicon, say) are not ours."""
        return [error for error in self.console_errors if re.search(r"reactor|anywidget|uncaught", error, re.I)]

    # ------------------------------------------------------------------ the notebook and its tab

    def open(self, sources: Sequence[str], *, name: str | None = None) -> None:
        """Write a notebook of these code cells and open it; returns when its kernel is idle."""
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
        name = name or f"test-{uuid.uuid4().hex[:8]}.ipynb"
        nbformat.write(notebook, self.server.root / name)
        self.open_file(name)

    def open_file(self, path: str) -> None:
        """Open a notebook below the server's root; returns when its kernel is idle."""
        self.path = path
        if not self.page.evaluate(_IS_AS_WE_LEFT_IT):
            # A workspace of its own: two tabs on one workspace would close each other's notebooks.
            workspace = f"{self.url}/lab/workspaces/w{uuid.uuid4().hex[:8]}/tree/{path}"
            self.page.goto(f"{workspace}?token={self.server.token}", timeout=OPEN_TIMEOUT_MS)
            self.page.evaluate("window.labTab = true")
        else:
            open_it = "(path) => window.jupyterapp.commands.execute('docmanager:open', { path }).then(() => true)"
            self.page.evaluate(open_it, path)
        self._until_open("idle")

    def _until_open(self, status: str = "") -> None:
        """Until the notebook is shown and its kernel connected, and has this status if one is given."""
        self.page.wait_for_function(
            """([path, status]) => {
              if (!window.jupyterapp) return false;
              for (const { context, sessionContext } of window.jupyterapp.shell.widgets("main"))
                if (context && context.path === path) {
                  const kernel = sessionContext.session?.kernel;
                  const isThere = context.isReady && kernel?.connectionStatus === "connected";
                  return isThere && (!status || kernel.status === status);
                }
              return false;
            }""",
            arg=[self.path, status],
            timeout=OPEN_TIMEOUT_MS,
        )

    def reload(self) -> None:
        """Reload the page; returns when the notebook is open again and connected, the kernel busy or not."""
        self.page.reload(timeout=OPEN_TIMEOUT_MS)
        self._until_open()

    def second_tab(self) -> Lab:
        """The same notebook and kernel in another tab of the same browser."""
        other = Lab(self.server, self.context, url=self.url)
        self._others.append(other)
        other.open_file(self.path)
        return other

    def close_tab(self) -> None:
        """Close the tab, as a person does; the kernel stays."""
        self._drop_channel()
        self.page.close(run_before_unload=False)

    def close(self) -> None:
        """End the notebook's kernel and close its tabs. Idempotent."""
        if page := self.release():
            page.close(run_before_unload=False)

    def release(self) -> Page | None:
        """End the notebook's kernel and close its other tabs; gives the tab back, empty, if it can be used again."""
        self._drop_channel()
        for other in self._others:
            if not other.page.is_closed():
                other.close_tab()
        if self.page.is_closed():
            return None
        if self.path:
            self.page.evaluate(_EMPTY)
            self.path = ""
        self.page.remove_listener("console", self._on_console)
        self.page.remove_listener("pageerror", self._on_page_error)
        if not self.page.evaluate(_IS_AS_WE_LEFT_IT):
            self.page.close(run_before_unload=False)
            return None
        return self.page

    def _in_panel(self, body: str, arg: Any = None) -> Any:
        return self.page.evaluate(_IN_PANEL % body, [self.path, arg])

    # ------------------------------------------------------------------ cells

    def run(self, index: int, *, wait: bool = True) -> None:
        """Run one cell. With `wait` returns when the kernel has finished it; errors stay in its output."""
        self._in_panel(
            """notebook.activeCellIndex = arg[0];
            notebook.deselectAll();
            const done = app.commands.execute("notebook:run-cell");
            if (arg[1]) await done; else done.catch(() => {});""",
            [index, wait],
        )

    def run_all(self, *, wait: bool = True) -> None:
        self._in_panel(
            """const done = app.commands.execute("notebook:run-all-cells");
            if (arg) await done; else done.catch(() => {});""",
            wait,
        )

    def run_new(self, source: str, *, wait: bool = True) -> int:
        """Add a cell at the end and run it; returns its number."""
        index = self.add(source)
        self.run(index, wait=wait)
        return index

    def add(self, source: str) -> int:
        """Add a code cell at the end; returns its number."""
        return int(
            self._in_panel(
                """const at = notebook.model.cells.length;
                notebook.model.sharedModel.insertCell(at, { cell_type: "code", source: arg });
                return at;""",
                source,
            )
        )

    def edit(self, index: int, source: str) -> None:
        """Replace the source of a cell."""
        self._in_panel("notebook.model.cells.get(arg[0]).sharedModel.setSource(arg[1]);", [index, source])

    def clear_output(self, index: int) -> None:
        """What "Clear Cell Output" does."""
        self._in_panel(
            """notebook.activeCellIndex = arg; notebook.deselectAll();
            await app.commands.execute("notebook:clear-cell-output");""",
            index,
        )

    def clear_all_outputs(self) -> None:
        self._in_panel('await app.commands.execute("notebook:clear-all-cell-outputs");')

    def command(self, index: int, *commands: str) -> None:
        """Run commands of JupyterLab on one cell, as its menus do."""
        self._in_panel(
            """notebook.activeCellIndex = arg[0]; notebook.deselectAll();
            for (const each of arg[1]) await app.commands.execute(each);""",
            [index, commands],
        )

    def delete_cell(self, index: int) -> None:
        self._in_panel(
            """notebook.activeCellIndex = arg; notebook.deselectAll();
            await app.commands.execute("notebook:delete-cell");""",
            index,
        )

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """The outputs of a cell as nbformat has them."""
        outputs: list[dict[str, Any]] = self._in_panel(
            "return notebook.model.cells.get(arg).sharedModel.toJSON().outputs;", index
        )
        return outputs

    def text(self, index: int) -> str:
        """What a cell printed, or the names and values of its errors and results, as one text."""
        parts = []
        for output in self.outputs(index):
            if output["output_type"] == "stream":
                parts.append(_joined(output["text"]))
            elif output["output_type"] == "error":
                parts.append(f"{output['ename']}: {output['evalue']}")
            else:
                parts.append(_joined(output.get("data", {}).get("text/plain", "")))
        return "".join(parts)

    def output_area(self, index: int) -> Locator:
        """The rendered outputs of a cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-Cell-outputArea")

    def save(self) -> nbformat.NotebookNode:
        """Save the notebook, widget state included where JupyterLab does so, and read the file."""
        self._in_panel("await panel.context.save();")
        notebook: nbformat.NotebookNode = nbformat.read(self.server.root / self.path, as_version=4)
        return notebook

    # ------------------------------------------------------------------ the kernel

    @property
    def kernel_id(self) -> str:
        return str(self._in_panel("return panel.sessionContext.session.kernel.id;"))

    def kernel_status(self) -> str:
        return str(self._in_panel("return panel.sessionContext.session?.kernel?.status ?? 'none';"))

    def wait_idle(self, timeout_s: float = 30.0) -> None:
        """Until the kernel runs nothing and no cell waits."""
        eventually(lambda: self.kernel_status() == "idle" and not self._waiting_cells(), timeout_s, interval_s=0.05)

    def _waiting_cells(self) -> int:
        return self.page.locator(".jp-InputPrompt", has_text="[*]").count()

    def restart_kernel(self) -> None:
        """Restart, without the dialog; returns when the new kernel process is idle."""
        self._drop_channel()
        self._in_panel("await panel.sessionContext.session.kernel.restart();")
        self.wait_idle()

    def interrupt_kernel(self) -> None:
        self._in_panel("await panel.sessionContext.session.kernel.interrupt();")

    def shut_down_kernel(self) -> None:
        self._drop_channel()
        self._in_panel("await panel.sessionContext.shutdown();")

    def evaluate(self, expression: str, timeout_s: float = 20.0) -> Any:
        """The value of a Python expression in the kernel, through JSON; waits for a running cell."""
        return self.channel.evaluate(expression, timeout_s)

    def execute(self, code: str, timeout_s: float = 20.0) -> None:
        """Run Python in the kernel without a cell; its prints are not shown."""
        self.channel.run(code, timeout_s)

    @property
    def channel(self) -> KernelChannel:
        kernel_id = self.kernel_id
        if self._channel is None or self._channel_kernel != kernel_id:
            self._drop_channel()
            self._channel = KernelChannel(self.server.runtime_folder / f"kernel-{kernel_id}.json")
            self._channel_kernel = kernel_id
        return self._channel

    def _drop_channel(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def kernel_pid(self) -> int:
        return int(self.evaluate("__import__('os').getpid()"))


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
