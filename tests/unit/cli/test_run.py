"""`reactor run` without a terminal: into files, and by orders from standard input."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.unit.cli.conftest import Reactor
from tests.unit.core.projects import model_text, write


def test_a_run_for_a_time_ends_with_a_video(reactor: Reactor, project: Path) -> None:
    said = reactor("run", "--for", "500ms", "--out", "clip.mp4", "--model.fps=60")
    assert said.status == 0
    assert re.fullmatch(r"clip\.mp4: \d+ frames, 16x8, 0\.\d s at \d+\.\d fps\n", said.out)
    assert (project / "clip.mp4").stat().st_size > 0


def test_a_run_of_frames_ends_with_that_many_pictures(reactor: Reactor, project: Path) -> None:
    assert reactor("run", "--frames", "7", "--out", "pictures", "--model.fps=240").status == 0
    assert sorted(path.name for path in (project / "pictures").iterdir()) == [
        f"frame_{number:06d}.png" for number in range(7)
    ]


def test_without_a_place_the_pictures_go_where_the_original_puts_them(reactor: Reactor, project: Path) -> None:
    said = reactor("run", "--frames", "2", "--model.fps=240")
    folder = project / said.out.partition(":")[0]
    assert re.fullmatch(r"output/\d+", said.out.partition(":")[0])
    assert (folder / "frame_000001.png").is_file()


def test_a_place_that_cannot_be_written_is_refused_before_the_model_loads(reactor: Reactor, project: Path) -> None:
    said = reactor("run", "--frames", "2", "--out", "clip.gif")
    assert said.status == 1
    assert "Type: --out clip.mp4" in said.err


def test_a_run_leaves_a_picture_of_where_its_time_went(reactor: Reactor, project: Path) -> None:
    said = reactor("run", "--frames", "5", "--profile", "new/time.svg", "--model.fps=240")
    assert said.status == 0
    assert said.out.splitlines()[-1] == "new/time.svg: where the time of the last frames went"
    assert "5 frames" in (project / "new" / "time.svg").read_text()


def test_a_profile_that_is_no_svg_is_refused_before_the_model_plays(reactor: Reactor, project: Path) -> None:
    said = reactor("run", "--frames", "2", "--profile", "time.png", "--out", "pictures")
    assert (said.status, (project / "pictures").exists()) == (1, False)
    assert "needs .svg" in said.err


def test_the_prompt_tells_where_the_time_goes_and_draws_it(reactor: Reactor, project: Path) -> None:
    orders = "profile\nstart\nwait 3 frames\nprofile\nprofile time.svg\nstop\nprofile\n"
    said = reactor("run", "--model.fps=240", orders=orders)
    assert said.out.count("[ERROR] plasma does not play. Type: start") == 1
    assert said.out.count("emit_block copies the frame as uint8 RGB") == 2
    assert "[OK] time.svg" in said.out
    assert (project / "time.svg").read_text().startswith("<svg")


def test_messages_and_warnings_of_a_run_go_to_stderr(reactor: Reactor, project: Path) -> None:
    (project / "default.yaml").write_text("level: 3\n")
    text = model_text("plasma").replace('"plasma",', '"plasma", config="default.yaml",')
    text = text.replace("        while not", "        get_ctx().send({'hello': 1})\n        while not")
    write(project, {"model.py": text})
    said = reactor("run", "--frames", "2", "--model.levle=4")
    assert '[MESSAGE] {"hello": 1}' in said.err
    assert "[WARN] default.yaml has no key levle; it was added. Nearest: level." in said.err


def test_an_author_s_error_is_shown_with_the_traceback_first_and_in_the_words_of_a_shell(
    reactor: Reactor, project: Path
) -> None:
    text = model_text("plasma").replace("        while not", "        1 / 0\n        while not")
    write(project, {"model.py": text})
    said = reactor("run", "--frames", "2")
    assert said.status == 1
    assert said.err.index("Traceback") < said.err.index("Error: start_session of plasma raised ZeroDivisionError")
    assert "%reactor" not in said.err
    assert "save its file" in said.err


def test_config_help_shows_every_value_and_where_it_came_from(reactor: Reactor, project: Path) -> None:
    (project / "default.yaml").write_text("fps: 25\nlevel: 3\n")
    write(project, {"model.py": model_text("plasma").replace('"plasma",', '"plasma", config="default.yaml",')})
    said = reactor("run", "--config-help", "--model.level=9")
    assert said.out.splitlines() == ["--model.fps=25   default.yaml, line 1", "--model.level=9  --model.level=9"]


def test_orders_from_standard_input_are_answered_line_by_line(reactor: Reactor, project: Path) -> None:
    orders = 'start\n# louder\ncmd set_level {"level": 9}\ncmd set_level level=200\nwait 3 frames\nstop\nquit\n'
    said = reactor("run", "--model.fps=240", orders=orders)
    assert said.status == 0
    lines = said.out.splitlines()
    assert lines[0] == "[OK] plasma is starting"
    assert lines[1].startswith("[OK] plasma plays, loaded in ")
    assert lines[2:4] == ['[RESULT] {"level": 9}', '[RESULT] {"level": 200}']
    assert re.fullmatch(r"\[OK\] plasma has ended: \d+ frames of 16x8 in output/\d+", lines[-1])
    assert list(project.glob("output/*/frame_000002.png"))


def test_a_refused_order_is_told_with_its_mend_and_ends_with_1(reactor: Reactor, project: Path) -> None:
    orders = (
        'strat\ncmd set_level\nstart\nstart\ncmd set_level {level: 3}\ncmd set_levle {}\ncmd set_level ["3"]\nwait x\n'
    )
    said = reactor("run", orders=orders)
    assert said.status == 1
    errors = [line for line in said.out.splitlines() if line.startswith("[ERROR]")]
    assert [re.search(r"(Type|Send): .*", line) is not None for line in errors] == [True] * 7
    assert errors[0] == (
        "[ERROR] there is no 'strat'; there is start, stop, cmd, status, profile, wait, help, quit. Type: start"
    )
    assert errors[1] == "[ERROR] plasma does not play. Type: start"
    assert 'Type: cmd set_level {"level": 0}' in errors[3]


def test_a_command_that_raises_is_told_once_with_the_authors_traceback(reactor: Reactor, project: Path) -> None:
    said = reactor("run", orders="start\ncmd fail\n")
    assert said.out.count("fail raised ValueError: too dark") == 1
    assert 'model.py", line' in said.out
    assert said.status == 1


def test_a_model_that_fails_while_it_plays_is_told_at_once(reactor: Reactor, project: Path) -> None:
    text = model_text("plasma").replace(
        "            get_ctx().emit", "            1 / self.level\n            get_ctx().emit"
    )
    write(project, {"model.py": text})
    said = reactor("run", orders="start\nwait 1 frames\ncmd set_level 0\nwait 5s\ncmd set_level 1\nquit\n")
    assert said.out.count("[ERROR] start_session of plasma raised ZeroDivisionError") == 1
    assert "[ERROR] plasma does not play. Type: start" in said.out
    assert said.status == 1


def test_a_model_that_does_not_load_is_told_once_and_may_be_started_again(reactor: Reactor, project: Path) -> None:
    text = model_text("plasma").replace(
        "        self.level = config", "        raise OSError('no disk')\n        config"
    )
    write(project, {"model.py": text})
    said = reactor("run", orders="start\nstart\n")
    assert said.out.count("[ERROR] __init__ of plasma raised OSError: no disk") == 2


def test_a_model_that_returns_by_itself_is_told_and_starts_again(reactor: Reactor, project: Path) -> None:
    text = model_text("plasma").replace("while not get_ctx().should_stop()", "for _ in range(3)")
    write(project, {"model.py": text})
    said = reactor("run", "--model.fps=240", orders="start\nwait 5s\nstart\nwait 5s\nstop\n")
    assert said.out.count("[OK] start_session of plasma has returned") == 2
    assert said.out.count("plasma has ended: 3 frames of 16x8") == 2
    assert len(list(project.glob("output/*/frame_000002.png"))) == 2


def test_frames_that_wait_when_a_model_returns_are_written_too(reactor: Reactor, project: Path) -> None:
    text = model_text("plasma").replace("while not get_ctx().should_stop()", "for _ in range(1)")
    write(project, {"model.py": text.replace("np.full((8,", "np.full((9, 8,")})
    said = reactor("run", "--model.fps=30", orders="start\nwait 5s\nstop\n")
    assert "plasma has ended: 9 frames" in said.out
    assert len(list(project.glob("output/*/frame_*.png"))) == 9


def test_help_shows_the_orders_and_the_commands_as_lines_to_type(reactor: Reactor, project: Path) -> None:
    out = reactor("run", orders="help\n").out
    assert '  cmd set_level {"level": 0}    How bright\n' in out
    assert "  cmd fail\n" in out


def test_standard_input_without_orders_says_what_to_type(reactor: Reactor, project: Path) -> None:
    said = reactor("run")
    assert said.status == 0
    assert "reactor run --for 3s --out clip.mp4" in said.out


def test_capabilities_are_answered_at_the_prompt(reactor: Reactor, project: Path) -> None:
    out = reactor("run", orders="start\ncmd requestCapabilities\n").out
    line = next(line for line in out.splitlines() if line.startswith("[RESULT]"))
    assert "set_level" in json.loads(line.removeprefix("[RESULT] "))["commands"]
