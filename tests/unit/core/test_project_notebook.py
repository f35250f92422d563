"""The model in the cells of a notebook file."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactor_nb.core.model import spec_of
from reactor_nb.core.project import find_model, find_project
from reactor_nb.core.source import class_text, folder_of
from reactor_nb.errors import ModelNotFoundError, SeveralModelsError
from tests.unit.core.projects import model_text, write, write_notebook
from tests.unit.core.projects import python_as_before as python_as_before


def found(path: Path) -> str:
    spec = spec_of(find_model(path))
    assert spec is not None
    return spec.name


def test_the_class_of_a_notebook_is_found_with_its_folder_and_its_text(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "my demo.ipynb", "%load_ext reactor_nb", model_text("plasma"), "%reactor run")
    cls = find_model(notebook)
    assert folder_of(cls) == tmp_path
    assert (class_text(cls) or "").startswith('@model(name="plasma"')


def test_magics_and_shell_lines_are_passed_over(tmp_path: Path) -> None:
    cells = ["!pip install x\n%matplotlib inline\nfiles = !ls\nname? \nif True:\n    %time 1\n", "%%bash\nexit 1",
             "%%time\n" + model_text("plasma"), "%%writefile x.py\nnot python"]  # fmt: skip
    assert found(write_notebook(tmp_path / "demo.ipynb", *cells)) == "plasma"


def test_only_what_the_class_uses_is_run(tmp_path: Path) -> None:
    cells = [
        "raise SystemExit('never run')",
        "from reactor_nb import VideoModel, get_ctx, model\nlevels = [1]\nlevels.append(7)\nother = 1 / 0",
        "def level():\n    return levels[-1]",
        '@model("plasma")\nclass Plasma(VideoModel):\n    level = level()\n    def start_session(self): ...',
        "Plasma({}).start_session()\nsession = Plasma.play()",
    ]
    cls = find_model(write_notebook(tmp_path / "demo.ipynb", *cells))
    assert vars(cls)["level"] == 7


def test_a_path_that_a_cell_adds_is_used(tmp_path: Path) -> None:
    write(tmp_path, {"src/parts.py": "DEPTH = 3"})
    first = f"import sys\nsys.path.insert(0, {str(tmp_path / 'src')!r})\nfrom parts import DEPTH\n"
    text = model_text("plasma").replace("    def __init__", "    depth = DEPTH\n\n    def __init__")
    assert vars(find_model(write_notebook(tmp_path / "demo.ipynb", first, text)))["depth"] == 3


def test_of_a_class_that_is_written_twice_the_last_counts(tmp_path: Path) -> None:
    last = model_text("plasma").replace("class Made(VideoModel):", "class Made(VideoModel):\n    is_last = True")
    notebook = write_notebook(tmp_path / "demo.ipynb", model_text("plasma"), last)
    assert vars(find_model(notebook))["is_last"]


def test_several_models_are_named_with_their_cells(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "demo.ipynb", model_text("one"), model_text("two", "Other"))
    with pytest.raises(SeveralModelsError) as several:
        find_model(notebook)
    assert f"one: class Made in {notebook}, cell 1, line 6" in str(several.value)
    assert f"two: class Other in {notebook}, cell 2, line 6" in str(several.value)


def test_a_failing_cell_is_named(tmp_path: Path) -> None:
    notebook = write_notebook(
        tmp_path / "demo.ipynb", "x = 1", "import cv2xyz\n" + model_text("plasma").replace("1)", "cv2xyz)")
    )
    with pytest.raises(ModelNotFoundError, match=r"demo\.ipynb, cell 2, line 1: .* Type: pip install cv2xyz"):
        find_model(notebook)


def test_a_cell_that_is_no_python_is_named(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "demo.ipynb", "def f(:", model_text("plasma"))
    with pytest.raises(ModelNotFoundError, match=r"demo\.ipynb, cell 1, line 1: SyntaxError"):
        find_model(notebook)


def test_a_file_that_is_no_notebook_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "demo.ipynb").write_text("hello")
    with pytest.raises(ModelNotFoundError, match="cannot be read as a notebook"):
        find_model(tmp_path / "demo.ipynb")


def test_a_folder_with_nothing_but_a_notebook_says_how_to_name_it(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "demo.ipynb", model_text("plasma"))
    with pytest.raises(ModelNotFoundError) as refused:
        find_project(tmp_path)
    assert str(refused.value).endswith(f'Type: --path "{notebook}"')
