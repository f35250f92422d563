"""@model: names, what it may be put on, and which model's weights are meant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import pytest

from reactor_nb.core.command import command
from reactor_nb.core.model import ModelSpec, VideoModel, loading, model, proposed_name, spec_of
from reactor_nb.errors import ModelDefinitionError, WeightsError


class Playable(VideoModel):
    def start_session(self) -> None:
        """Ends at once."""


def made(name: str = "longlive", **arguments: Any) -> type[Playable]:
    class Made(Playable):
        pass

    return model(name, **arguments)(Made)


@pytest.mark.parametrize("name", ["longlive", "my-diffusion-v2", "world-simulator-beta", "a", "4d"])
def test_the_names_of_the_seed_are_accepted(name: str) -> None:
    spec = spec_of(made(name))
    assert spec is not None and spec.name == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My Model", r"'M' at position 1 is not allowed.*Write @model\(name=\"my-model\"\)"),
        ("my_model", r"'_' at position 3 is not allowed.*Write @model\(name=\"my-model\"\)"),
        ("LongLive2", r"Write @model\(name=\"long-live2\"\)"),
        ("über", r"'ü' at position 1.*name=\"ber\""),
        ("", r"starts and ends with a lowercase letter or a digit. Write @model\(name=\"my-model\"\)"),
        ("-x", r"starts and ends with .*name=\"x\""),
        ("a\n", r"'\\n' at position 2"),
        (3, r"@model got int 3 for its name; it needs a string"),
    ],
)
def test_a_bad_name_is_refused_with_the_character_and_a_proposal(name: Any, message: str) -> None:
    with pytest.raises(ModelDefinitionError, match=message) as refused:
        made(name)
    assert isinstance(refused.value, TypeError)


def test_every_proposal_is_a_valid_name() -> None:
    for text in ("My Model", "--", "MyVideoModel", "ä", "a b_c.D", "9 lives!"):
        assert spec_of(made(proposed_name(text))) is not None


def test_a_decorator_without_parentheses_is_refused_with_the_line() -> None:
    with pytest.raises(ModelDefinitionError, match=r'Write @model\(name="plasma-field"\) above class PlasmaField'):

        @model  # type: ignore[arg-type]
        class PlasmaField(Playable):
            pass


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (dict, r"was put on the class dict; it needs a subclass of VideoModel. Write: class dict\(VideoModel\):"),
        (len, r"was put on a builtin_function_or_method len"),
        (3, r"was put on a int"),
    ],
)
def test_only_a_video_model_is_a_model(target: Any, message: str) -> None:
    with pytest.raises(ModelDefinitionError, match=message):
        model("x")(target)


def test_a_model_without_start_session_is_refused_by_the_decorator() -> None:
    class NoLoop(VideoModel):
        def __init__(self, config: Any) -> None: ...

    with pytest.raises(ModelDefinitionError, match="NoLoop has no start_session") as refused:
        model("no-loop")(NoLoop)
    assert "def start_session(self):" in str(refused.value)
    assert "while not get_ctx().should_stop():" in str(refused.value)


def test_a_body_of_pass_is_no_sketch() -> None:
    with pytest.raises(ModelDefinitionError, match="Empty has no start_session"):

        @model("empty")
        class Empty(VideoModel):
            pass


def test_a_body_of_dots_may_be_named_as_in_the_seeds_and_not_made() -> None:
    @model(name="my-diffusion-model")
    class Sketch(VideoModel): ...

    assert spec_of(Sketch) == ModelSpec("my-diffusion-model")
    with pytest.raises(ModelDefinitionError, match="Sketch has no start_session"):
        Sketch()


def test_a_class_without_start_session_can_be_written_and_not_made() -> None:
    class Base(VideoModel):
        @command("go")
        def go(self) -> None: ...

    class Whole(Base):
        def start_session(self) -> None: ...

    with pytest.raises(ModelDefinitionError, match="Base has no start_session"):
        Base()
    with pytest.raises(ModelDefinitionError, match="VideoModel has no start_session"):
        VideoModel()
    assert isinstance(Whole(), VideoModel)


def test_start_session_may_come_from_a_mixin() -> None:
    class Loop:
        def start_session(self) -> None: ...

    class Mixed(Loop, VideoModel):
        pass

    assert spec_of(model("mixed")(Mixed)) is not None


def test_the_spec_holds_what_the_decorator_was_given() -> None:
    cls = made("m", config="configs/a.yaml", weights=["w", "vae-decoder"], author="Me", version="1.0.0")
    spec = spec_of(cls)
    assert spec is not None
    assert (spec.config, spec.weights) == ("configs/a.yaml", ("w", "vae-decoder"))
    assert spec.metadata == {"author": "Me", "version": "1.0.0"}


def test_metadata_overwrites_nothing_of_the_spec() -> None:
    spec = spec_of(made("m", config="a.yaml", spec="x", cls="y", metadata={"name": "z"}, order=7))
    assert spec is not None
    assert (spec.name, spec.config) == ("m", "a.yaml")
    assert spec.metadata == {"spec": "x", "cls": "y", "metadata": {"name": "z"}, "order": 7}


def test_metadata_is_a_copy_that_cannot_be_changed() -> None:
    tags = ["a"]
    spec = spec_of(made("m", tags=tags))
    assert spec is not None
    tags.append("b")
    assert spec.metadata == {"tags": ["a"]}
    with pytest.raises(TypeError):
        spec.metadata["tags"] = []  # type: ignore[index]


def test_metadata_that_cannot_be_copied_is_kept_as_it_is() -> None:
    spec = spec_of(made("m", module=threading, tags=["a"]))
    assert spec is not None
    assert spec.metadata == {"module": threading, "tags": ["a"]}


def test_a_model_without_on_frame_ignores_the_camera() -> None:
    class Camera(Playable):
        def on_frame(self, frame: Any) -> None:
            super().on_frame(frame)
            self.seen = frame

    camera = Camera()
    camera.on_frame(1)
    assert camera.seen == 1


def test_a_path_object_is_a_configuration_too() -> None:
    spec = spec_of(made("m", config=Path("configs") / "a.yaml"))
    assert spec is not None and spec.config == str(Path("configs/a.yaml"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"config": 3}, r"got int 3 for its config; it needs the path of a YAML file"),
        ({"config": {}}, r"got dict \{\} for its config"),
        ({"weights": "w"}, r"got str 'w' for its weights; it needs a list of folder names: weights=\['w'\]"),
        ({"weights": ["../w"]}, r"'../w' is no folder name; .*Write weights=\[\"w\"\]"),
        ({"weights": [""]}, r"'' is no folder name.*my-weights"),
    ],
)
def test_bad_arguments_are_refused_with_the_mend(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelDefinitionError, match=message):
        made("m", **arguments)


def test_the_same_name_may_be_decorated_again() -> None:
    first, second = spec_of(made("again")), spec_of(made("again"))
    assert first is not None and second is not None
    assert first == second and first.order < second.order


def test_a_subclass_of_a_model_is_no_model_by_itself() -> None:
    class Child(made("parent")):  # type: ignore[misc]
        pass

    assert spec_of(Child) is None
    assert spec_of(Playable) is None
    assert spec_of("text") is None


def test_a_model_keeps_its_spec_under_a_decorator_that_makes_the_class_anew() -> None:
    @dataclass(slots=True)
    @model("slotted")
    class Slotted(Playable):
        config: Any = None

    assert spec_of(Slotted) == ModelSpec("slotted")


def test_instances_need_not_call_the_base_class() -> None:
    class Alone(Playable):
        def __init__(self, config: Any) -> None:
            self.config = config

        @command("double")
        def double(self, x: int) -> int:
            return 2 * x

    assert Alone({"a": 1}).send("double", {"x": 2}) == 4
    assert isinstance(Playable({"ignored": True}), Playable)


def test_a_model_may_be_generic() -> None:
    T = TypeVar("T")

    class Boxed(Playable, Generic[T]):
        pass

    assert isinstance(Boxed[int](), Boxed)


def test_annotations_may_name_what_is_local_to_the_function_that_makes_the_class() -> None:
    Heading = Literal["north", "south"]

    class Local(Playable):
        Depth = Literal[1, 2]

        @command("go")
        def go(self, heading: Heading, depth: Depth) -> None: ...

    schema = Local.commands()["commands"]["go"]["schema"]
    assert (schema["heading"]["enum"], schema["depth"]["enum"]) == (["north", "south"], [1, 2])


@pytest.fixture
def weight_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("diffusion-weights", "vae"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("REACTOR_WEIGHTS_PATH", str(tmp_path))
    return tmp_path


def weighted(load: Callable[[], Path]) -> type[VideoModel]:
    @model("weighted", weights=["diffusion-weights"])
    class Weighted(Playable):
        def __init__(self, config: Any = None) -> None:
            self.path = load()

    return Weighted


def test_video_model_weights_means_the_model_that_is_being_made(weight_folder: Path) -> None:
    instance = weighted(lambda: VideoModel.weights("diffusion-weights"))()
    assert instance.path == weight_folder / "diffusion-weights"  # type: ignore[attr-defined]


def test_a_thread_of_init_means_the_same_model(weight_folder: Path) -> None:
    def load() -> Path:
        found: list[Path] = []
        thread = threading.Thread(target=lambda: found.append(VideoModel.weights("diffusion-weights")))
        thread.start()
        thread.join()
        return found[0]

    instance = weighted(load)()
    assert instance.path == weight_folder / "diffusion-weights"  # type: ignore[attr-defined]


def test_two_models_that_load_at_once_do_not_mix(weight_folder: Path) -> None:
    both_load = threading.Barrier(2)
    found: dict[str, Path] = {}

    def load(name: str) -> None:
        @model(f"m-{name}", weights=[name])
        class Weighted(Playable):
            pass

        with loading(Weighted):
            both_load.wait(5)
            found[name] = VideoModel.weights(name)
            both_load.wait(5)

    threads = [threading.Thread(target=load, args=(name,)) for name in ("vae", "diffusion-weights")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: weight_folder / name for name in ("vae", "diffusion-weights")}


def test_the_inner_of_two_models_is_meant_while_it_is_being_made(weight_folder: Path) -> None:
    inner = weighted(lambda: VideoModel.weights("diffusion-weights"))

    @model("outer", weights=["vae"])
    class Outer(Playable):
        def __init__(self, config: Any = None) -> None:
            self.inner = inner()
            self.path = VideoModel.weights("vae")

    assert Outer().path == weight_folder / "vae"


def test_weights_of_a_model_class_need_no_loading(weight_folder: Path) -> None:
    cls = weighted(lambda: Path())
    assert cls.weights("diffusion-weights") == weight_folder / "diffusion-weights"
    assert cls().weights("diffusion-weights") == weight_folder / "diffusion-weights"


def test_a_base_class_asks_for_the_model_that_is_being_made(weight_folder: Path) -> None:
    class Base(Playable):
        def __init__(self, config: Any = None) -> None:
            self.path = Base.weights("vae")

    @model("child", weights=["vae"])
    class Child(Base):
        pass

    assert Child().path == weight_folder / "vae"


def test_weights_while_nothing_is_loaded_say_where_to_call_them() -> None:
    with pytest.raises(WeightsError, match=r'while no model is being loaded.*MyModel\.weights\("x"\)'):
        VideoModel.weights("x")


def test_weights_of_a_thread_that_belongs_to_none_of_several_models_are_refused() -> None:
    asked, answers = threading.Barrier(3), threading.Event()

    def load(name: str) -> type[VideoModel]:
        def wait() -> Path:
            asked.wait(5)
            answers.wait(5)
            return Path()

        cls = weighted(wait)
        cls.__name__ = name
        return cls

    threads = [threading.Thread(target=load(name)) for name in ("One", "Two")]
    for thread in threads:
        thread.start()
    asked.wait(5)
    try:
        with pytest.raises(WeightsError, match=r"on a thread that is none of One and Two's, so it cannot tell whose"):
            VideoModel.weights("x")
    finally:
        answers.set()
        for thread in threads:
            thread.join(5)


def test_weights_of_an_undecorated_class_say_what_to_write() -> None:
    with pytest.raises(WeightsError, match=r'Write @model\(name="playable", weights=\["x"\]\) above it'):
        Playable.weights("x")


def test_an_init_that_raises_leaves_no_model_loading(weight_folder: Path) -> None:
    def fail() -> Path:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        weighted(fail)()
    with pytest.raises(WeightsError, match="while no model is being loaded"):
        VideoModel.weights("x")


def test_a_start_session_that_only_calls_the_base_class_is_told_so() -> None:
    class Base(VideoModel):
        def start_session(self) -> None:
            VideoModel.start_session(self)

    class Bare:
        pass

    assert Base().start_session() is None  # type: ignore[func-returns-value]
    with pytest.raises(ModelDefinitionError, match="VideoModel has no start_session"):
        VideoModel.__new__(VideoModel).start_session()
