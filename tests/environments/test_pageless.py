"""Where no page draws widgets: the session runs, and what it leaves can be looked at."""

from __future__ import annotations

import base64
import io
import subprocess
from pathlib import Path

import nbformat
import numpy as np
import pexpect  # type: ignore[import-untyped]
import pytest
from PIL import Image

from tests.browser.cells import COUNTER, LOAD, RUN
from tests.environments.front_ends import write_notebook
from tests.environments.installed import CURRENT, OLD_KERNEL
from tests.environments.servers import isolated
from tests.support import barcode

pytestmark = pytest.mark.timeout(120, func_only=True)

COMMANDS = {
    "nbconvert": ["nbconvert", "--to", "notebook", "--execute", "played.ipynb", "--output", "out.ipynb"],
    "papermill": ["papermill", "played.ipynb", "out.ipynb"],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("run", [RUN, "%reactor run --for 1s"])
def test_the_output_holds_a_poster(name: str, run: str, tmp_path: Path) -> None:
    write_notebook([LOAD, COUNTER, run], tmp_path)
    command = [str(CURRENT.python), "-m", *COMMANDS[name]]
    subprocess.run(command, cwd=tmp_path, env=isolated(tmp_path / "state"), check=True, capture_output=True, timeout=90)
    outputs = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[2].outputs
    posters = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert len(posters) == 1
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(posters[0]))))
    assert barcode.read(picture) is not None, "a frame of the model"


def test_on_an_old_kernel_posters_go_into_the_notebook_and_not_into_the_log(tmp_path: Path) -> None:
    write_notebook([LOAD, COUNTER, "session = %reactor run --for 1s\nprint(session.log.text())"], tmp_path)
    command = [str(OLD_KERNEL.python), "-m", *COMMANDS["nbconvert"]]
    subprocess.run(command, cwd=tmp_path, env=isolated(tmp_path / "state"), check=True, capture_output=True, timeout=90)
    outputs = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[2].outputs
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert "loaded in" in printed and "session 1" not in printed


def test_a_console_is_told_what_to_type_and_that_works(tmp_path: Path) -> None:
    (tmp_path / "counter.py").write_text(COUNTER)
    console = pexpect.spawn(
        str(CURRENT.python),
        ["-m", "jupyter_console", "--simple-prompt"],
        cwd=str(tmp_path),
        env=isolated(tmp_path / "state"),
        encoding="utf8",
        timeout=30,
    )
    try:
        for number, line in enumerate(
            (
                "%load_ext reactor_nb",
                "%run -i counter.py",
                "%reactor run",
                "session = %reactor session",
                "session.wait(10, frames=3)",
                "session.snapshot().save('frame.png')",
                "exit()",
            ),
            1,
        ):
            console.expect_exact(f"In [{number}]")
            console.sendline(line)
            if line == "%reactor run":
                console.expect_exact("Without widgets it plays unseen: session = %reactor session")
        console.expect(pexpect.EOF)
    finally:
        console.close(force=True)
    assert barcode.read(np.asarray(Image.open(tmp_path / "frame.png"))) is not None
