"""What a test sees of our Views in a page, whichever front end drew it."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import FrameLocator, Locator, Page

from tests.support import barcode
from tests.support.eventually import eventually


class Views:
    """The Views of one page, numbered from 0, top to bottom. Threads: playwright's, the one of the test.

    Args:
        page: the tab; pictures are taken of it.
        inside: the frame of the page that the Views are in, where a front end puts outputs into one.
    """

    def __init__(self, page: Page, inside: FrameLocator | None = None) -> None:
        self.page: Page = page
        self.inside = inside

    def viewers(self) -> Locator:
        """Root elements of the Views in the page, top to bottom."""
        return (self.inside or self.page).locator(".reactor-viewer")

    def viewer(self, index: int = 0) -> Locator:
        return self.viewers().nth(index)

    def frame_number(self, index: int = 0) -> int | None:
        """The frame number painted into the picture of a View now, or None where none is readable."""
        # A View out of sight draws nothing, as it should.
        script = f"""(root) => {{ const canvas = root.reactor?.canvas; canvas?.scrollIntoView({{ block: "nearest" }});
            return canvas ? ({barcode.READ_JS})(canvas) : null; }}"""
        number = self._on_viewer(index, script)
        return None if number is None else int(number)

    def wait_for_frame(self, at_least: int = 0, *, index: int = 0, timeout_s: float = 20.0) -> int:
        """Until the View shows a frame whose number is `at_least` or more; returns the number."""

        def newest() -> tuple[int] | None:
            number = self.frame_number(index)
            return (number,) if number is not None and number >= at_least else None

        return eventually(newest, timeout_s, interval_s=0.02)[0]  # type: ignore[index]

    def wait_for_motion(self, *, index: int = 0, frames: int = 5, timeout_s: float = 20.0) -> int:
        """Until the picture has moved on by some frames; returns the number that is shown."""
        return self.wait_for_frame(self.wait_for_frame(index=index, timeout_s=timeout_s) + frames, index=index)

    def pixels(self, index: int = 0) -> NDArray[np.uint8]:
        """The View's picture as (H, W, 4) uint8, at the canvas's own size."""
        script = """(root) => { const canvas = root.reactor.canvas;
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
            copy.drawImage(canvas, 0, 0);
            const bytes = copy.getImageData(0, 0, canvas.width, canvas.height).data;
            let text = "";
            for (let at = 0; at < bytes.length; at += 32768)
              text += String.fromCharCode(...bytes.subarray(at, at + 32768));
            return [canvas.width, canvas.height, btoa(text)]; }"""
        width_px, height_px, text = self._on_viewer(index, script)
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height_px, width_px, 4)

    def stats(self, index: int = 0) -> dict[str, Any]:
        """What the View says of itself: `reactor.stats()`."""
        stats: dict[str, Any] = self._on_viewer(index, "(root) => root.reactor.stats()")
        return stats

    def carrier(self, index: int = 0) -> str:
        """The road that a View says it is on; empty while it says none, or does not answer."""
        return str((self.stats(index) or {}).get("carrier") or "")

    def call(self, name: str, params: dict[str, Any] | None = None, index: int = 0) -> Any:
        """Call a command from the page: `reactor.call(name, params)`; raises what the promise rejects with."""
        script = "(root, [name, params]) => root.reactor.call(name, params)"
        return self.viewer(index).evaluate(script, [name, params or {}])

    def _on_viewer(self, index: int, script: str) -> Any:
        """None while the View is not there: a re-run cell replaces it."""
        try:
            if self.viewers().count() <= index:
                return None
            return self.viewer(index).evaluate(script, timeout=2000)
        except PlaywrightError as error:
            if "detached" in str(error) or "Timeout" in str(error) or "context was destroyed" in str(error):
                return None
            raise

    @contextmanager
    def pictured(self, name: str) -> Iterator[None]:
        """A screenshot of the page when its block fails, while the server still runs."""
        try:
            yield
        except BaseException:
            self.screenshot(f"failed-{name}")
            raise

    def screenshot(self, name: str) -> Path | None:
        """A PNG of the page in the folder REACTOR_NB_SHOTS; nothing where that is not set."""
        folder = os.environ.get("REACTOR_NB_SHOTS")
        if not folder:
            return None
        path = Path(folder) / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.viewers().count():
            self.viewers().last.evaluate("(root) => root.scrollIntoView({ block: 'center' })")
        self.page.screenshot(path=path)
        return path
