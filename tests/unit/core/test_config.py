"""Configuration: which file is read, what is typed over it, and what is said of a bad one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import DictConfig, OmegaConf

from reactor_nb.core.config import ModelConfig, load_config, rate_of
from reactor_nb.core.config_file import read_file
from reactor_nb.core.model import ModelSpec
from reactor_nb.errors import ConfigError

SEED = "fps: 30\nnum_steps: 8\nguidance_scale: 7.5\n"
SPEC = ModelSpec("plasma", "configs/plasma.yaml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model's folder, apart from the working directory."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    (tmp_path / "model" / "configs").mkdir(parents=True)
    (tmp_path / "model" / "configs" / "plasma.yaml").write_text(SEED)
    return tmp_path / "model"


def with_text(folder: Path, text: str, overrides: Any = ()) -> ModelConfig:
    (folder / "configs" / "plasma.yaml").write_text(text)
    return load_config(SPEC, overrides=overrides, folder=folder)


def plain(config: ModelConfig) -> Any:
    return OmegaConf.to_container(config.values)


def test_the_file_of_the_decorator_is_read_from_the_models_folder(folder: Path) -> None:
    config = load_config(SPEC, folder=folder)
    assert isinstance(config.values, DictConfig)
    assert plain(config) == {"fps": 30, "num_steps": 8, "guidance_scale": 7.5}
    assert config.values.get("nothing", 5) == 5
    assert (config.warnings, config.file) == ((), folder / "configs" / "plasma.yaml")


def test_without_any_file_the_configuration_is_empty(folder: Path) -> None:
    config = load_config(ModelSpec("plasma"), folder=folder)
    assert (plain(config), config.file) == ({}, None)


def test_a_file_that_is_typed_beats_the_decorators(folder: Path) -> None:
    Path("big.yaml").write_text("size: 720")
    assert plain(load_config(SPEC, file="big.yaml", folder=folder)) == {"size": 720}
    assert plain(load_config(SPEC, file=Path("big.yaml").absolute(), folder=folder)) == {"size": 720}


def test_a_typed_path_may_start_at_the_models_folder_too(folder: Path) -> None:
    assert plain(load_config(ModelSpec("p"), file="configs/plasma.yaml", folder=folder))["num_steps"] == 8
    (Path.cwd() / "configs").mkdir()
    (Path.cwd() / "configs" / "plasma.yaml").write_text("here: 1")
    assert plain(load_config(ModelSpec("p"), file="configs/plasma.yaml", folder=folder)) == {"here": 1}


def test_overrides_are_merged_on_top_in_both_forms(folder: Path) -> None:
    text = "fps: 30\nvae: {size: 1, tiles: 2}\n"
    assert plain(with_text(folder, text, ["fps=60", "vae.size=3"])) == {"fps": 60, "vae": {"size": 3, "tiles": 2}}
    assert plain(with_text(folder, text, {"fps": 60, "vae": {"size": 3}}))["vae"] == {"size": 3, "tiles": 2}
    assert plain(with_text(folder, text, {"vae.size": 3}))["vae"] == {"size": 3, "tiles": 2}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=1e-3", 0.001),
        ("a=true", True),
        ("a=[1, x]", [1, "x"]),
        ("a={b: 1}", {"b": 1}),
        ("a='1'", "1"),
        ("a=", None),
        ("a=null", None),
        ("a=x=y", "x=y"),
        ("a=a cat: sleeping", "a cat: sleeping"),
        ("a=configs/x.yaml", "configs/x.yaml"),
        ('a="x y"', "x y"),
        ("a=#ff8800", "#ff8800"),
        ("a=night # with stars", "night # with stars"),
        ("a='#ff8800'", "#ff8800"),
        ("a=first\nsecond: 2", "first\nsecond: 2"),
        ("a=${oc.env:PLASMA_SIZE}", "${oc.env:PLASMA_SIZE}"),
    ],
)
def test_the_right_side_of_an_override_is_yaml(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, value: Any
) -> None:
    monkeypatch.setenv("PLASMA_SIZE", "64")
    assert plain(load_config(ModelSpec("p"), overrides=[text], folder=folder)) == {"a": value}


def test_overrides_alone_make_a_configuration_without_warnings(folder: Path) -> None:
    config = load_config(ModelSpec("p"), overrides=["model.size.width=3", "fps=24"], folder=folder)
    assert plain(config) == {"model": {"size": {"width": 3}}, "fps": 24}
    assert config.warnings == ()


def test_an_unknown_key_is_added_with_a_warning_that_names_the_nearest(folder: Path) -> None:
    config = load_config(SPEC, overrides=["guidence_scale=2"], folder=folder)
    assert plain(config)["guidence_scale"] == 2
    assert config.warnings == (
        "plasma.yaml has no key guidence_scale; it was added. "
        "Nearest: guidance_scale. Type --model.guidance_scale=VALUE",
    )


def test_an_unknown_key_that_is_near_to_nothing_gets_the_list(folder: Path) -> None:
    (warning,) = load_config(SPEC, overrides={"zzz": 2}, folder=folder).warnings
    assert "Its keys: fps, guidance_scale, num_steps" in warning


def test_each_unknown_key_of_a_mapping_is_told_and_known_ones_are_not(folder: Path) -> None:
    config = with_text(folder, "vae: {size: 1}", {"vae": {"size": 2, "sise": 3}})
    assert len(config.warnings) == 1
    assert "has no key vae.sise" in config.warnings[0] and "Nearest: vae.size" in config.warnings[0]


def test_fps_is_known_to_every_model(folder: Path) -> None:
    assert with_text(folder, "a: 1", ["fps=60"]).warnings == ()


def test_a_position_in_a_list_is_a_key(folder: Path) -> None:
    config = with_text(folder, "layers: [{size: 1}, {size: 2}]", ["layers.1.size=5", "layers[0].size=4"])
    assert plain(config) == {"layers": [{"size": 4}, {"size": 5}]}
    assert config.warnings == ()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["fps"], r"override 'fps' has no value; it needs KEY=VALUE\. Type --model\.fps=VALUE"),
        (["=3"], r"override '=3' has no key"),
        (
            ["a=[1,"],
            r"--model\.a=\[1,: the value cannot be read as YAML.*To have it as text, type --model\.a=\"'\[1,'\"",
        ),
        (["a..b=1"], r"--model\.a\.\.b is no key; its parts are joined by single dots"),
        (["num_steps.x=1"], r"num_steps is 8 and holds no keys\. Type --model\.num_steps=VALUE"),
        (["a={b: 1}\nc: 2"], r"--model\.a='\{b: 1\}\\nc: 2' holds more than one value"),
        (5, r"overrides got int 5; it needs keys and values\. Type overrides="),
        (["num_steps=[1]", "num_steps.7=1"], r"--model\.num_steps\.7=1 does not fit.*list index out of range"),
        (
            ["a=${oc.env:NOWHERE_SET}"],
            r"the environment has no NOWHERE_SET\. Set it, or write \$\{oc\.env:NOWHERE_SET,",
        ),
        (["a=${"], r"--model\.a=\$\{: the value cannot be read as YAML: no viable alternative"),
        (["b='"], r"--model\.b=': the value cannot be read as YAML"),
        ({"a": object()}, r"--model\.a=<object .* does not fit the configuration"),
        (["a=${nowhere}"], r"the key a cannot be resolved: Interpolation key 'nowhere' not found"),
    ],
)
def test_a_bad_override_names_its_key(folder: Path, overrides: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as bad:
        load_config(SPEC, overrides=overrides, folder=folder)
    assert isinstance(bad.value, ValueError)


def test_repeated_flags_are_applied_in_their_order(folder: Path) -> None:
    assert plain(load_config(SPEC, overrides=["num_steps=9", "num_steps=10"], folder=folder))["num_steps"] == 10


def test_no_overrides_may_be_none(folder: Path) -> None:
    assert plain(load_config(SPEC, overrides=None, folder=folder))["num_steps"] == 8


def test_numbers_and_arrays_of_numpy_may_be_overrides(folder: Path) -> None:
    config = load_config(SPEC, overrides={"fps": np.float32(24), "sizes": np.arange(2)}, folder=folder)
    assert (config.values.fps, list(config.values.sizes)) == (24.0, [0, 1])


def test_keys_may_be_numbers_and_words_at_once(folder: Path) -> None:
    config = with_text(folder, "7: a\nb: c\ntrue: d\n")
    assert plain(config) == {7: "a", "b": "c", True: "d"} and config.fingerprint
    assert (
        with_text(folder, "b: c\ntrue: d\n7: a\n").fingerprint == with_text(folder, "7: a\ntrue: d\nb: c").fingerprint
    )


def test_a_byte_order_mark_is_no_part_of_the_first_key(folder: Path) -> None:
    assert plain(with_text(folder, "\ufeffsize: 1")) == {"size": 1}


def test_a_rate_that_was_typed_is_not_blamed_on_the_file(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"^fps is 'fast'; it needs"):
        load_config(SPEC, overrides=["fps=fast"], folder=folder)


def test_one_string_is_one_override(folder: Path) -> None:
    assert plain(load_config(SPEC, overrides="num_steps=9", folder=folder))["num_steps"] == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [1,\nc: 2\n", r"plasma\.yaml, line \d, column \d+: .*flow sequence"),
        ("a: 1\na: 2\n", r"plasma\.yaml, line 2, column 1: .*duplicate key a"),
        ("a:\n\t- x\n", r"plasma\.yaml, line 2, column 1: .*cannot start any token"),
        ("a: 1\nb: \x00\n", r"plasma\.yaml, line 2, column 4: unacceptable character #x0000"),
        (
            "a: 1\nb: {c: '${'}\n",
            r"plasma\.yaml, line 2, column 5: an interpolation that cannot be read\. Write \$\{KEY\}",
        ),
        ("a: 1\n---\nb: 2", r"plasma\.yaml, line 2, column 1: expected a single document"),
        ("a: &x\n  - *x", r"plasma\.yaml, line 1, column 4: YAML recursive aliases are not supported\. It"),
        (
            "a: 1\nb: ${oc.env:NOWHERE_SET}",
            r"plasma\.yaml, line 2, column 1: the key b .* the environment has no NOWHERE_SET",
        ),
        ("null: 1", r"plasma\.yaml: Incompatible key type 'NoneType'"),
        ("- 1\n- 2\n", r"plasma\.yaml holds a list; it needs keys and values, such as\nfps: 30"),
        ("fps 30\n", r"plasma\.yaml holds a single value; it needs keys and values"),
        ("a: !!python/object:os.system x\n", r"line 1, column 4: could not determine a constructor"),
        (
            "a: ${nowhere}\n",
            r"plasma\.yaml, line 1, column 1: the key a cannot be resolved: Interpolation key 'nowhere' not found",
        ),
        (
            "fps: fast\n",
            r"plasma\.yaml, line 1, column 1: fps is 'fast'; it needs frames per second, above 0 and at most 240",
        ),
    ],
)
def test_a_bad_file_is_named_with_the_line_or_the_key(folder: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_text(folder, text)


def test_a_file_that_is_no_text_is_told(folder: Path) -> None:
    (folder / "configs" / "plasma.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"plasma\.yaml is no text: byte 0 is not UTF-8\. Save it as UTF-8 YAML"):
        load_config(SPEC, folder=folder)


def test_a_missing_file_is_told_with_the_places_and_the_line_to_type(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"-c names the configuration 'no\.yaml', which is not there") as missing:
        load_config(SPEC, file="no.yaml", folder=folder)
    assert str(Path.cwd() / "no.yaml") in str(missing.value) and str(folder / "no.yaml") in str(missing.value)
    assert "%reactor run plasma -c FILE" in str(missing.value)
    with pytest.raises(ConfigError, match=r'@model\(name="gone", config=\.\.\.\) names .* which is not there'):
        load_config(ModelSpec("gone", "gone.yaml"), folder=folder)


def test_a_folder_is_no_file(folder: Path) -> None:
    with pytest.raises(ConfigError, match="which is a folder"):
        load_config(SPEC, file=folder / "configs", folder=folder)


def test_an_empty_file_is_an_empty_configuration(folder: Path) -> None:
    assert plain(with_text(folder, "")) == {}
    assert plain(with_text(folder, "# nothing yet\n")) == {}


def test_interpolations_reach_the_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLASMA_SIZE", "64")
    config = with_text(folder, "size: ${oc.env:PLASMA_SIZE}\ndouble: ${size}")
    assert config.values.double == "64"


def test_equal_values_have_equal_fingerprints(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = with_text(folder, "a: 1\nb: {c: 2, d: 3}\n").fingerprint
    assert with_text(folder, "# said otherwise\nb: {d: 3, c: 2}\na: 1\n").fingerprint == first
    assert with_text(folder, "a: 0\nb: {c: 2, d: 3}\n", ["a=1"]).fingerprint == first
    assert with_text(folder, "a: 2\nb: {c: 2, d: 3}\n").fingerprint != first
    monkeypatch.setenv("PLASMA_SIZE", "64")
    small = with_text(folder, "size: ${oc.env:PLASMA_SIZE}").fingerprint
    monkeypatch.setenv("PLASMA_SIZE", "65")
    assert with_text(folder, "size: ${oc.env:PLASMA_SIZE}").fingerprint != small


def test_a_model_may_change_its_configuration_without_changing_the_next(folder: Path) -> None:
    load_config(SPEC, folder=folder).values.num_steps = 99
    assert load_config(SPEC, folder=folder).values.num_steps == 8


@pytest.mark.parametrize(
    ("text", "rate_fps"), [("a: 1", 30), ("fps: 24", 24), ("fps: 59.94", 59.94), ("fps: null", 30)]
)
def test_the_rate_is_that_of_the_key_fps_else_30(folder: Path, text: str, rate_fps: float) -> None:
    rate = rate_of(with_text(folder, text))
    assert rate == rate_fps and isinstance(rate, float)
    assert rate_of(with_text(folder, "fps: 240")) == 240
    assert rate_of({"fps": "60"}) == 60


@pytest.mark.parametrize("value", ["0", "-1", "241", ".nan", ".inf", "true", "[30]", "30 fps"])
def test_a_rate_out_of_range_is_refused_before_the_model_is_loaded(folder: Path, value: str) -> None:
    with pytest.raises(
        ConfigError, match=r"plasma\.yaml, line 1, column 1: fps is .*above 0 and at most 240\. Write fps: 30"
    ):
        with_text(folder, f"fps: {value}")


def test_a_file_that_cannot_be_opened_is_told_with_the_reason(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"configs cannot be read: Is a directory\. Give it another one with -c"):
        read_file(folder / "configs")


def test_a_rate_without_any_file_is_refused_by_its_override(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"^fps is 'fast'; it needs"):
        load_config(ModelSpec("p"), overrides=["fps=fast"], folder=folder)
