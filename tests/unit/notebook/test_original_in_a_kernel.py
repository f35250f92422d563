"""Cells that were written for the original package, in a real kernel, and weights that they fetch."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.support.documents import run_cells

pytestmark = pytest.mark.timeout(90, func_only=True)

MODEL = """
from pathlib import Path
import numpy as np
from reactor_runtime import VideoModel, command, get_ctx, model

Path("far").mkdir()
Path("far/model.bin").write_bytes(bytes(1000))
Path("weights.yaml").write_text("vae: far/model.bin")

@model("dream", weights=["vae"])
class Dream(VideoModel):
    def __init__(self, config):
        self.path = VideoModel.weights("vae")

    @command("where")
    def where(self):
        return str(self.path / "model.bin")

    def start_session(self):
        while not get_ctx().should_stop():
            get_ctx().emit_block(np.zeros((48, 64, 3), np.uint8))
"""
PLAY = """
session = %reactor run
session.wait_ready(20)
print(Path(session.send("where")).stat().st_size, session.log.text())
%reactor stop
"""
UNLOAD = """
%unload_ext reactor_nb
import sys
print(sorted(name for name in sys.modules if name.startswith("reactor_runtime")))
try:
    import reactor_runtime
except ModuleNotFoundError as error:
    print(error)
"""


def test_a_cell_of_the_original_plays_with_weights_that_it_fetches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("REACTOR_WEIGHTS_PATH", raising=False)
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in ("%load_ext reactor_nb", MODEL, PLAY, UNLOAD)]
    run_cells(notebook, tmp_path, monkeypatch, cell_timeout_s=60)
    played, unloaded = ("".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells[2:])
    assert "1000 " in played
    assert "reactor: vae: fetched model.bin, 1 kB in" in played
    assert unloaded == "[]\nNo module named 'reactor_runtime'\n"
