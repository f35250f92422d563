"""The magic in a real kernel without a page, as papermill and nbconvert run a notebook."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

from tests.browser.cells import COUNTER, LOAD
from tests.support.documents import run_cells

pytestmark = pytest.mark.timeout(90, func_only=True)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs cells after the model's; returns the outputs of each."""

    def run(*sources: str, allow_errors: bool = False) -> list[list[Any]]:
        notebook = nbformat.v4.new_notebook()
        notebook.cells = [nbformat.v4.new_code_cell(source) for source in (LOAD, COUNTER, *sources)]
        if allow_errors:
            for cell in notebook.cells:
                cell.metadata["tags"] = ["raises-exception"]
        run_cells(notebook, tmp_path, monkeypatch, cell_timeout_s=60)
        return [cell.outputs for cell in notebook.cells[2:]]

    return run


def text(outputs: list[Any]) -> str:
    parts = []
    for output in outputs:
        if output.output_type == "error":
            parts.append("\n".join(output.traceback))
        else:
            parts.append(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(parts)


def test_frames_waits_stops_and_leaves_a_poster(run: Any) -> None:
    (outputs,) = run("session = %reactor run --frames 20\nprint(session.state)")
    assert "ended" in text(outputs)
    posters = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert len(posters) == 1
    assert base64.b64decode(posters[0]).startswith(b"\x89PNG")


def test_a_run_without_a_page_ends_no_sooner_than_its_poster_is_there(run: Any) -> None:
    (outputs,) = run("%reactor run")
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_for_plays_so_long_and_shows_once(run: Any) -> None:
    (outputs,) = run("%reactor run --for 500ms")
    views = [output for output in outputs if "application/vnd.jupyter.widget-view+json" in output.get("data", {})]
    assert len(views) == 1
    assert "fps" in text(outputs)


def test_no_poster_leaves_none(run: Any) -> None:
    (outputs,) = run("%reactor run --frames 5 --no-poster")
    assert not [output for output in outputs if "image/png" in output.get("data", {})]


def test_a_failing_model_fails_a_run_that_waits(run: Any) -> None:
    broken = COUNTER.replace("frame = np.zeros", "raise OSError('disk gone')\n        frame = np.zeros")
    outputs = run(broken, "%reactor run --for 5s", "1 + 1", allow_errors=True)
    assert "disk gone" in text(outputs[1])
    assert "generate" in text(outputs[1]), "the author's own frames"
    assert "2" in text(outputs[2])


def test_papermill_runs_a_notebook_that_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = (LOAD, COUNTER, "%reactor run --frames 10")
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(notebook, tmp_path / "in.ipynb")
    done = papermill.execute_notebook(tmp_path / "in.ipynb", tmp_path / "out.ipynb", progress_bar=False)
    assert [output for output in done.cells[-1].outputs if "image/png" in output.get("data", {})]


def test_names_of_the_notebook_are_expanded_and_json_is_safe(run: Any) -> None:
    outputs = run(
        "grey = 0.25\nwhich = 'counter'\n%reactor run {which};",
        "session = %reactor session $which\nsession.wait(frames=1)\n%reactor send set_level level={grey}",
        '%reactor send set_level {"level": 0.75}',
        "def inner():\n    half = 0.5\n    return get_ipython().run_line_magic('reactor', 'send set_level {half}')\n"
        "inner()",
    )
    assert "0.25" in text(outputs[1])
    assert "0.75" in text(outputs[2])
    assert "0.5" in text(outputs[3])


def test_verbs_names_commands_and_values_are_completed(run: Any) -> None:
    outputs = run(
        "session = %reactor run\nsession.wait(frames=1)",
        "def of(line):\n    return get_ipython().complete(None, line, len(line))[1]",
        "print(of('%reactor st'), of('%reactor run co'), of('%reactor send pai'), of('%reactor send paint colour='))"
        "\nprint(of('%reactor run --carrier '))",
    )
    said = text(outputs[2])
    for word in ("status", "stop", "counter", "paint", "colour=green", "webrtc"):
        assert word in said, said


def test_unload_leaves_no_reference_to_the_model(run: Any) -> None:
    outputs = run(
        "import weakref, gc, sys\nALIVE = []\n"
        + COUNTER.replace("        LOADED.append(self.__class__)", "        ALIVE.append(weakref.ref(self))"),
        "%reactor run",
        "session = %reactor session\nsession.wait(frames=1)\nsession",
        "session.send('fail', why='now')",
        "%reactor send fail now",
        "sys.last_value",
        "%reactor unload",
        "gc.collect()\n[ref() for ref in ALIVE], len(Out) > 1",
        allow_errors=True,
    )
    assert "the author said now" in text(outputs[3])
    assert "([None], True)" in text(outputs[7]), text(outputs[7])


def test_a_changed_source_frees_the_old_model_before_the_new_one_loads(run: Any) -> None:
    watched = "import weakref, gc\nALIVE = globals().get('ALIVE', [])\n" + COUNTER.replace(
        "        LOADED.append(self.__class__)",
        "        print('alive', [ref() is not None for ref in ALIVE])\n        ALIVE.append(weakref.ref(self))",
    )
    outputs = run(
        watched,
        "session = %reactor run\nsession.wait(frames=2)",
        watched.replace("self.number += 1", "self.number += 3"),
        "session = %reactor run\nsession.wait(frames=2)\nprint(session.log.text())",
    )
    assert "alive [False]" in text(outputs[3])


def test_tqdm_auto_draws_its_bar_into_the_log(run: Any) -> None:
    loading = COUNTER.replace(
        "        LOADED.append(self.__class__)",
        "        from tqdm.auto import tqdm\n        for i in tqdm(range(5), desc='shards'): time.sleep(0.05)",
    )
    outputs = run(loading, "session = %reactor run\nsession.wait(frames=1)\nprint(session.log.text())")
    assert "shards" in text(outputs[1])
    assert "100%" in text(outputs[1])


def test_a_profile_is_drawn_without_a_page_and_saved_as_a_file(run: Any) -> None:
    shown, saved, table = run(
        "session = %reactor run\nsession.wait(10, frames=20)\n%reactor profile",
        "%reactor profile --out time.svg\nprint(open('time.svg').read()[:4])",
        "%reactor status",
    )
    drawn = [output.data["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert len(drawn) == 1
    assert drawn[0].startswith("<svg")
    assert "time.svg: the last" in text(saved)
    assert "<svg" in text(saved)
    assert "to paint" in text(table)


def test_help_fits_a_screen(run: Any) -> None:
    (outputs,) = run("%reactor help")
    lines = text(outputs).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


def test_a_send_that_takes_long_says_where_the_result_is_to_be_had(run: Any) -> None:
    outputs = run(
        "import reactor_nb.notebook.magics as magics\nmagics.SEND_TIMEOUT_S = 0.2\nsession = %reactor run\n"
        "session.wait(frames=1)",
        "%reactor send slow 1",
        allow_errors=True,
    )
    assert "has not returned" in text(outputs[1])


def test_the_model_of_a_folder_plays(run: Any) -> None:
    outputs = run(
        "import pathlib\npathlib.Path('far').mkdir()\n"
        "pathlib.Path('far/model.py').write_text('''\nimport numpy as np\n"
        'from reactor_nb import VideoModel, model, get_ctx\n@model(name="far-away", config="far.yaml")\n'
        "class Far(VideoModel):\n    def __init__(self, config):\n        self.size = config.size\n"
        "    def start_session(self):\n        while not get_ctx().should_stop():\n"
        "            get_ctx().emit_block(np.zeros((self.size, self.size, 3), np.uint8))\n''')\n"
        "pathlib.Path('far/far.yaml').write_text('size: 32\\n')",
        "session = %reactor run --path far --model.size=64 --frames 3\nprint(session.name, session.frame().shape)",
        "%reactor config --path far --model.size=64",
        "%reactor check --path far",
    )
    assert "far-away (64, 64, 3)" in text(outputs[1])
    assert "--model.size=64" in text(outputs[2])
    assert "FAILED" not in text(outputs[3])
    assert text(outputs[3]).count("ok") >= 5


def test_the_stream_is_set_from_the_line_and_from_python_and_what_cannot_be_stops_nothing(run: Any) -> None:
    outputs = run(
        "session = %reactor run --quality low --bitrate 800k --smoothness 0",
        "%reactor run --quality best",
        "import reactor_nb\nreactor_nb.run(Counter, quality='high', bitrate='lots')",
        "print(session.wait(timeout_s=0))\nreactor_nb.run(Counter, quality='exact', bitrate=4).wait_ready()",
        "%reactor stop",
        "%reactor run --carrier pigeon",
        "reactor_nb.run(Counter, carrier='jpeg')\n%env REACTOR_NB_ICE_SERVERS=[3]",
        "%reactor run",
        allow_errors=True,
    )
    assert text(outputs[0]) == ""
    assert "carrier is 'pigeon'; it is auto, webrtc, comm or jpeg. Type: %reactor run --carrier" in text(outputs[5])
    assert "REACTOR_NB_ICE_SERVERS, server 1 has no `urls`" in text(outputs[7])
    assert "quality is 'best'; it is low, balanced, high or exact. Type: %reactor run --quality" in text(outputs[1])
    assert "bitrate is 'lots'; it is the most that is sent" in text(outputs[2])
    assert "False" in text(outputs[3])
    assert "stopped" in text(outputs[4])
