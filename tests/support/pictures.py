"""Makes the pictures of README and docs from the real thing: `make pictures`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support.chromium import chromium_args, find_chromium
from tests.support.jupyterlab import JupyterLab
from tests.support.lab import Lab

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
DARK = "JupyterLab Dark"


def main() -> None:
    """Run the quickstart in a JupyterLab of its own and take its picture, light and dark."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder) / "notebooks"
        shutil.copytree(ROOT / "notebooks", root)
        server = JupyterLab(root=root, state=Path(folder), exposes_app=True, env={"PYTHONPATH": str(ROOT)})
        server.start()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=chromium_args())
        context = browser.new_context(viewport={"width": 1180, "height": 1000}, device_scale_factor=1.5)
        lab = Lab(server, context)
        try:
            _quickstart(lab)
            _profile(lab)
        finally:
            lab.close()
            browser.close()
            server.stop()


def _quickstart(lab: Lab) -> None:
    lab.open_file("01_quickstart.ipynb")
    for cell in range(4):
        lab.run(cell)
    lab.viewer().scroll_into_view_if_needed()
    lab.page.wait_for_function("document.querySelector('.reactor-viewer')?.reactor.stats().painted > 90")
    lab.page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
    for theme, name in (("JupyterLab Light", "quickstart.png"), (DARK, "quickstart-dark.png")):
        lab.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        lab.page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")
        lab.viewer().scroll_into_view_if_needed()
        lab.viewer().hover()
        painted = lab.stats()["painted"]
        lab.page.wait_for_function(
            f"document.querySelector('.reactor-viewer').reactor.stats().painted > {painted + 60}"
        )
        lab.page.screenshot(path=IMAGES / name)
        sys.stdout.write(f"docs/images/{name}\n")


def _profile(lab: Lab) -> None:
    """Where the time of its last 300 frames went; the file is readable on light and on dark ground."""
    painted = lab.stats()["painted"]
    lab.page.wait_for_function(f"document.querySelector('.reactor-viewer').reactor.stats().painted > {painted + 330}")
    path = IMAGES / "profile.svg"
    lab.execute(f"get_ipython().run_line_magic('reactor', 'profile --out {path}')")
    sys.stdout.write("docs/images/profile.svg\n")


if __name__ == "__main__":
    main()
