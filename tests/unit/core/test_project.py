"""The one model of a folder, and what is said where there is none or several."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reactor_nb.core.model import spec_of
from reactor_nb.core.project import find_model, find_project
from reactor_nb.core.source import folder_of
from reactor_nb.errors import ModelNotFoundError, SeveralModelsError
from tests.unit.core.projects import model_text, write
from tests.unit.core.projects import python_as_before as python_as_before


def name_of(path: Path) -> str:
    spec = spec_of(find_model(path))
    assert spec is not None
    return spec.name


def refusal(path: Path, timeout_s: float = 30.0) -> str:
    with pytest.raises(ModelNotFoundError) as refused:
        find_model(path, timeout_s=timeout_s)
    return str(refused.value)


def test_the_only_model_of_a_folder_is_found(tmp_path: Path) -> None:
    write(tmp_path, {"model.py": model_text("plasma"), "_private.py": model_text("hidden"), "notes.txt": "hello"})
    assert name_of(tmp_path) == "plasma"
    assert folder_of(find_model(tmp_path)) == tmp_path


def test_a_file_that_names_neither_package_is_not_imported_while_there_is_a_model(tmp_path: Path) -> None:
    write(tmp_path, {"model.py": model_text("plasma"), "train.py": "raise SystemExit(3)"})
    assert find_project(tmp_path).failures == ()


def test_a_script_that_names_the_package_is_not_run_while_a_file_has_a_model(tmp_path: Path) -> None:
    script = "import reactor_nb, pathlib\npathlib.Path(__file__).with_name('ran').touch()\n"
    write(tmp_path, {"model.py": model_text("plasma"), "a_script.py": script})
    assert name_of(tmp_path) == "plasma"
    assert not (tmp_path / "ran").exists()


def test_a_model_behind_a_file_that_names_no_package_is_found_in_the_end(tmp_path: Path) -> None:
    parts = {"main.py": "from parts.net import Made", "parts/__init__.py": "", "parts/net.py": model_text("plasma")}
    assert name_of(write(tmp_path, parts)) == "plasma"


def test_the_decorator_is_known_under_other_names(tmp_path: Path) -> None:
    text = (
        model_text("plasma")
        .replace("@model(", "@rnb.model(")
        .replace("import numpy", "import reactor_nb as rnb\nimport numpy")
    )
    write(tmp_path, {"model.py": text, "z.py": "import reactor_nb\nraise SystemExit"})
    assert find_project(tmp_path).failures == ()


def test_a_file_by_itself_is_found_whatever_its_neighbours_are(tmp_path: Path) -> None:
    write(tmp_path, {"my model.py": model_text("plasma"), "other.py": model_text("tunnel")})
    assert name_of(tmp_path / "my model.py") == "plasma"


def test_neighbours_and_a_package_beside_the_model_are_imported(tmp_path: Path) -> None:
    text = "from pipeline import NAME\nfrom parts.net import DEPTH\n" + model_text("plasma")
    write(tmp_path, {"model.py": text, "pipeline.py": "NAME = 1", "parts/net.py": "DEPTH = 2"})
    assert name_of(tmp_path) == "plasma"


@pytest.mark.parametrize("has_init", [True, False])
def test_relative_imports_work_with_and_without_an_init_file(tmp_path: Path, has_init: bool) -> None:
    folder = write(tmp_path / "my-model", {"model.py": "from .pipeline import NAME\n" + model_text("plasma"),
                                           "pipeline.py": "NAME = 1"})  # fmt: skip
    if has_init:
        (folder / "__init__.py").touch()
    assert name_of(folder) == "plasma"


def test_a_file_named_like_a_standard_module_shadows_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"model.py": "import queue\nqueue.Queue()\n" + model_text("plasma"), "queue.py": "x = 1",
                     "types.py": "x = 1"})  # fmt: skip
    assert name_of(tmp_path) == "plasma"
    assert hasattr(sys.modules["queue"], "Queue")


def test_a_model_in_a_file_named_like_a_standard_module_is_found(tmp_path: Path) -> None:
    import queue

    assert name_of(write(tmp_path, {"queue.py": model_text("plasma")})) == "plasma"
    assert sys.modules["queue"] is queue


def test_a_file_that_two_others_import_is_one_model(tmp_path: Path) -> None:
    write(tmp_path, {"a_first.py": "import reactor_nb\nfrom model import Made", "model.py": model_text("plasma"),
                     "z_last.py": "import reactor_nb\nimport model"})  # fmt: skip
    assert name_of(tmp_path) == "plasma"


def test_a_changed_file_and_a_changed_neighbour_are_imported_anew(tmp_path: Path) -> None:
    text = "from pipeline import NAME\n" + model_text("x").replace('"x"', "NAME")
    write(tmp_path, {"model.py": text, "pipeline.py": 'NAME = "one"'})
    assert name_of(tmp_path) == "one"
    (tmp_path / "pipeline.py").write_text('NAME = "other"')
    assert name_of(tmp_path) == "other"


def test_two_projects_with_files_of_the_same_names_do_not_mix(tmp_path: Path) -> None:
    text = "from pipeline import NAME\n" + model_text("x").replace('"x"', "NAME")
    for name in ("one", "two"):
        write(tmp_path / name, {"model.py": text, "pipeline.py": f'NAME = "{name}"'})
    assert [name_of(tmp_path / name) for name in ("one", "two", "one")] == ["one", "two", "one"]


def test_a_file_does_not_read_the_command_line_of_reactor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["reactor", "run", "--for", "3s"])
    text = "import argparse\nargparse.ArgumentParser().parse_args()\n" + model_text("plasma")
    assert name_of(write(tmp_path, {"model.py": text})) == "plasma"
    assert sys.argv[1] == "run"


def test_several_models_are_an_error_that_names_them_and_their_places(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": model_text("b"), "b.py": model_text("a", "Other")})
    with pytest.raises(SeveralModelsError) as several:
        find_model(tmp_path)
    assert str(several.value) == (
        "Multiple models found: ['a', 'b']. Only one @model decorated class is allowed per project. "
        f'Name the file that is meant: --path "{tmp_path / "b.py"}"\n'
        f"  b: class Made in {tmp_path / 'a.py'}, line 6\n"
        f"  a: class Other in {tmp_path / 'b.py'}, line 6"
    )


def test_one_name_in_two_files_is_an_error_that_names_both(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": model_text("same"), "b.py": model_text("same")})
    with pytest.raises(SeveralModelsError, match=r"\['same', 'same'\]") as several:
        find_model(tmp_path)
    assert f"{tmp_path / 'a.py'}, line 6" in str(several.value)
    assert f"{tmp_path / 'b.py'}, line 6" in str(several.value)


def test_two_models_of_one_name_in_one_file_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": model_text("same") + model_text("same", "Other")})
    with pytest.raises(SeveralModelsError, match=r"Remove @model from the others"):
        find_model(tmp_path)


def test_a_folder_without_a_model_says_what_the_page_says_and_what_to_type(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        "No @model decorated class found in project. Ensure your VideoModel subclass has the @model decorator. "
        f"{tmp_path} has no .py files. Type: reactor init my-model"
    )
    write(tmp_path, {"a.py": "x = 1"})
    assert refusal(tmp_path).endswith("Looked at a.py. Type: reactor init my-model")


def test_an_undecorated_class_is_named_with_its_line(tmp_path: Path) -> None:
    text = model_text("x").replace('@model(name="x", author="tests")', "")
    assert refusal(write(tmp_path, {"model.py": text})).endswith(
        'Write @model(name="made") above class Made, model.py line 6.'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import reactor_nb\nimport cv2xyz", "a.py, line 2: ModuleNotFoundError: No module named 'cv2xyz'. "
         "Type: pip install cv2xyz"),
        ("import reactor_nb\nimport usb", "a.py, line 2: ModuleNotFoundError: No module named 'usb'. "
         "Type: pip install pyusb"),
        ("import reactor_nb\nimport numpy.nothere", "numpy is installed without it; another version may have it: "
         "pip install --upgrade numpy"),
        ("import reactor_nb\ndef f(:\n", "a.py, line 2: SyntaxError: invalid syntax"),
        ("import reactor_nb\nimport sys\nsys.exit(3)", "a.py, line 3: sys.exit(3) was called. Put what ends the "
         'program under: if __name__ == "__main__":'),
        ("import reactor_nb\n1 / 0", "a.py, line 2: ZeroDivisionError: division by zero"),
        ("import reactor_nb\nimport broken", "a.py, line 2: KeyError: 'x' (raised in broken.py, line 1)"),
        ("import reactor_nb\nfrom queue import Mine", "queue.py has the name of a module that others import. "
         "Rename it: mv queue.py my_queue.py"),
        ('from reactor_nb import *\n@model("A B")\nclass A(VideoModel): ...', "a.py, line 2: ModelDefinitionError"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_imported_is_named_with_its_line_and_its_mend(
    tmp_path: Path, text: str, said: str
) -> None:
    write(tmp_path, {"a.py": text, "broken.py": "{}['x']", "queue.py": "x = 1"})
    told = refusal(tmp_path)
    assert told.startswith("No @model decorated class found in project. ")
    assert said in told


def test_a_missing_module_points_at_the_requirements_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    write(tmp_path, {"a.py": "import reactor_nb, cv2xyz"})
    assert refusal(tmp_path).endswith(
        "Type: pip install cv2xyz, or all that the project needs: pip install -r requirements.txt"
    )


ENDLESS = (
    "while True:\n    pass",
    "import time\ntime.sleep(60)",
    "while True:\n    try:\n        1 / 0\n    except Exception:\n        pass",
)


@pytest.mark.parametrize("text", ENDLESS)
def test_an_endless_import_ends_at_the_limit_and_names_it(tmp_path: Path, text: str) -> None:
    told = refusal(write(tmp_path, {"a.py": text}), timeout_s=0.2)
    assert "its import did not end within 0.2 s" in told
    assert "REACTOR_IMPORT_TIMEOUT_S=300" in told


def test_an_endless_import_ends_on_another_thread_as_well(tmp_path: Path) -> None:
    # In a process of its own: the exception that ends it may land in a tracer, and coverage's then keeps its lock.
    write(tmp_path, {"a.py": "while True:\n    pass"})
    code = (
        "import sys, threading\n"
        "from reactor_nb.core.project import find_model\n"
        "def find():\n"
        "    try: find_model(sys.argv[1], timeout_s=0.2)\n"
        "    except LookupError as error: print(error)\n"
        "thread = threading.Thread(target=find); thread.start(); thread.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=15,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert re.search(r"a\.py, line [12]: its import did not end within 0\.2 s", done.stdout), done.stderr


def test_the_limit_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REACTOR_IMPORT_TIMEOUT_S", "0.2")
    write(tmp_path, {"a.py": "while True: pass"})
    with pytest.raises(ModelNotFoundError, match=r"within 0\.2 s"):
        find_model(tmp_path)


def test_a_broken_file_with_a_model_does_not_hide_the_one_that_is_found(tmp_path: Path) -> None:
    broken = model_text("tunnel") + "\n1 / 0\n"
    write(tmp_path, {"a_broken.py": broken, "model.py": model_text("plasma")})
    project = find_project(tmp_path)
    assert project.file.name == "model.py"
    assert str(project.failures[0]) == "a_broken.py, line 23: ZeroDivisionError: division by zero"
    assert 'File "' in project.failures[0].traceback_text


def test_a_path_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path / "my-model", {"model.py": model_text("plasma")})
    assert (
        refusal(tmp_path / "my-mode") == f'{tmp_path / "my-mode"} is not there. Type: --path "{tmp_path / "my-model"}"'
    )
    assert (
        refusal(tmp_path / "a" / "b")
        == f"{tmp_path / 'a' / 'b'} is not there. The nearest folder that is there: {tmp_path}"
    )


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.txt").touch()
    assert "is no folder, .py or .ipynb file" in refusal(tmp_path / "model.txt")


def test_ctrl_c_ends_the_search(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "import reactor_nb\nraise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        find_model(tmp_path)
