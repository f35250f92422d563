"""What %reactor config and --config-help show: every value and where it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reactor_nb.core.config import ModelConfig, load_config
from reactor_nb.core.config_file import places_of_keys
from reactor_nb.core.config_rows import ConfigRow, config_lines, explain_config
from reactor_nb.core.model import ModelSpec


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(folder: Path, text: str, overrides: Any = ()) -> ModelConfig:
    (folder / "a.yaml").write_text(text)
    return load_config(ModelSpec("plasma", "a.yaml"), overrides=overrides, folder=folder)


def sources(config: ModelConfig) -> dict[str, str]:
    return {row.key: row.source for row in explain_config(config)}


def test_each_value_names_its_line_of_the_file(folder: Path) -> None:
    config = loaded(folder, "fps: 30\n\nvae:\n  # how many at once\n  tiles: 2\n  sizes: [1, 2]\n")
    assert explain_config(config) == (
        ConfigRow("fps", 30, "a.yaml, line 1"),
        ConfigRow("vae.tiles", 2, "a.yaml, line 5"),
        ConfigRow("vae.sizes", [1, 2], "a.yaml, line 6"),
    )


def test_a_file_elsewhere_is_named_in_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = loaded(folder, "fps: 30")
    (folder / "other").mkdir()
    monkeypatch.chdir(folder / "other")
    assert sources(config) == {"fps": f"{folder / 'a.yaml'}, line 1"}


def test_a_value_typed_over_the_file_says_what_was_typed(folder: Path) -> None:
    config = loaded(folder, "fps: 30\nsteps: 8\n", ["steps=9", "steps=10", "new.key=a b"])
    assert explain_config(config)[1:] == (
        ConfigRow("steps", 10, "--model.steps=10"),
        ConfigRow("new.key", "a b", "--model.new.key=a b"),
    )


def test_overrides_from_python_are_told_as_python(folder: Path) -> None:
    config = loaded(folder, "vae: {size: 1, tiles: 2}", {"vae": {"size": 3}, "fps": 60})
    assert sources(config) == {
        "vae.size": "overrides={'vae': {'size': 3}}",
        "vae.tiles": "a.yaml, line 1",
        "fps": "overrides={'fps': 60}",
    }


def test_a_position_typed_into_a_list_stands_beside_its_file(folder: Path) -> None:
    config = loaded(folder, "layers: [1, 2]\nfps: 30", ["layers.1=5"])
    assert explain_config(config)[0] == ConfigRow("layers", [1, 5], "a.yaml, line 1, --model.layers.1=5")


def test_a_rate_that_nothing_names_is_the_default(folder: Path) -> None:
    assert explain_config(loaded(folder, "a: 1"))[-1] == ConfigRow("fps", 30.0, "default")
    assert explain_config(loaded(folder, "")) == (ConfigRow("fps", 30.0, "default"),)


def test_without_a_file_the_sources_are_what_was_typed(folder: Path) -> None:
    config = load_config(ModelSpec("p"), overrides=["layers=[1, 2]", "layers.0=7", "fps=24"], folder=folder)
    assert sources(config) == {"layers": "--model.layers=[1, 2]", "fps": "--model.fps=24"}


def test_an_interpolation_is_shown_with_its_value(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIZE", "64")
    config = loaded(folder, "size: ${oc.env:SIZE}\nfps: 30\nvae: {a: 1}\nother: ${vae}\n")
    assert explain_config(config) == (
        ConfigRow("size", "64", "a.yaml, line 1: ${oc.env:SIZE}"),
        ConfigRow("fps", 30, "a.yaml, line 2"),
        ConfigRow("vae.a", 1, "a.yaml, line 3"),
        ConfigRow("other.a", 1, "a.yaml, line 4: ${vae}"),
    )


def test_what_a_merge_key_brings_stands_where_it_was_written(folder: Path) -> None:
    text = "base: &base\n  a: 1\n  b: 2\nfps: 30\nmine:\n  <<: *base\n  b: 3\nboth:\n  <<: [*base, {c: 4}]\n"
    lines = sources(loaded(folder, text))
    assert (lines["mine.a"], lines["mine.b"]) == ("a.yaml, line 2", "a.yaml, line 7")
    assert (lines["both.a"], lines["both.c"]) == ("a.yaml, line 2", "a.yaml, line 9")


@pytest.mark.parametrize("text", ["hf_token: abc", "auth: {password: abc}", "key: ${oc.env:HF_TOKEN}"])
def test_a_secret_is_not_printed(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HF_TOKEN", "abc")
    lines = "\n".join(config_lines(loaded(folder, text, ["api_key=abc", "more={token: abc}"])))
    assert "abc" not in lines and lines.count("********") >= 3


def test_what_only_sounds_like_a_secret_is_printed(folder: Path) -> None:
    config = loaded(folder, "fps: 30\ntokenizer: gpt2\nmax_tokens: 77\ntoken: null", ["tokens=a"])
    assert [row.value for row in explain_config(config)] == [30, "gpt2", 77, None, "a"]
    assert sources(config)["tokens"] == "--model.tokens=a"


def test_the_lines_are_what_can_be_typed_and_end_with_the_source(folder: Path) -> None:
    config = loaded(
        folder, "fps: 30\nprompt: 'a cat: asleep'\nname: '1'\nnone: null\nempty: {}\nlist: [a, 1]\n", ["x=1.5"]
    )
    assert config_lines(config) == [
        "--model.fps=30                  a.yaml, line 1",
        "--model.prompt='a cat: asleep'  a.yaml, line 2",
        "--model.name='1'                a.yaml, line 3",
        "--model.none=null               a.yaml, line 4",
        "--model.empty={}                a.yaml, line 5",
        "--model.list=[a, 1]             a.yaml, line 6",
        "--model.x=1.5                   --model.x=1.5",
    ]


def test_a_long_value_leaves_the_other_sources_in_place(folder: Path) -> None:
    first, second = config_lines(loaded(folder, f"prompt: {'x' * 300}\nfps: 30\n"))
    assert first.endswith("  a.yaml, line 1") and len(second) < 90


def test_a_key_that_is_a_number_is_a_row_too(folder: Path) -> None:
    assert sources(loaded(folder, "fps: 30\nlayers: {1: a, x: b}")) == {
        "fps": "a.yaml, line 1",
        "layers.1": "a.yaml, line 2",
        "layers.x": "a.yaml, line 2",
    }


def test_a_file_that_is_gone_meanwhile_is_still_named(folder: Path) -> None:
    config = loaded(folder, "fps: 30")
    (folder / "a.yaml").unlink()
    assert sources(config) == {"fps": "a.yaml"}


def test_a_nested_key_of_a_file_that_is_gone_names_the_file(folder: Path) -> None:
    config = loaded(folder, "fps: 30\nvae: {size: 1}")
    (folder / "a.yaml").unlink()
    assert sources(config)["vae.size"] == "a.yaml"


def test_keys_that_are_no_words_have_no_place(folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text("? [1, 2]\n: 3\nb: &b [1, *b]\n")
    assert set(places_of_keys(path)) == {"b", "b.0", "b.1"}
