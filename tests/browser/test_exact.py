"""`--quality exact` in a real JupyterLab: what stands still is on the canvas as the model emitted it."""

from __future__ import annotations

import pytest

from tests.browser.cells import LOAD
from tests.support.eventually import eventually
from tests.support.lab import Lab

pytestmark = pytest.mark.browser

# Noise, which no codec keeps: moves for a second, stands for a second.
FLICKER = """
import time
import numpy as np
from reactor_nb import VideoModel, model, get_ctx

@model(name="flicker")
class Flicker(VideoModel):
    def start_session(self):
        random = np.random.default_rng(1)
        while not get_ctx().should_stop():
            for _ in range(20):
                get_ctx().emit_block(random.integers(0, 256, (360, 640, 3), dtype=np.uint8))
            time.sleep(1.5)
"""
IN_KERNEL = """
import hashlib, numpy as np
from reactor_nb.runtime.base import get_runtime
def digest():
    frame = get_runtime().session("flicker").frame()
    return hashlib.sha256(np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]).tobytes()).hexdigest()
"""
DIGEST_JS = """
async (root) => {
  const { canvas } = root.reactor
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height })
  const context = copy.getContext("2d", { willReadFrequently: true })
  context.drawImage(canvas, 0, 0)
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
"""


def test_a_resting_picture_is_exact_and_again_after_it_has_moved(lab: Lab) -> None:
    lab.open([f"{LOAD}\n{FLICKER}", "%reactor run --quality exact"])
    lab.run_all()
    lab.execute(IN_KERNEL)
    seen: set[str] = set()

    def is_exact() -> bool:
        digest = lab.viewer().evaluate(DIGEST_JS)
        if digest == lab.evaluate("digest()"):
            seen.add(digest)
        return len(seen) >= 2

    eventually(is_exact, timeout_s=15.0)
