"""@command: what it accepts, whose command it is, and how a method is called directly and by name."""

from __future__ import annotations

import abc
import asyncio
import functools
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from reactor_nb.core.command import CommandSpec, command, commands_of, find_command, invoke
from reactor_nb.core.model import VideoModel
from reactor_nb.errors import ModelDefinitionError, ParameterError, UnknownCommandError

UPSTREAM = Path(__file__).parents[2] / "contract" / "seed_cases" / "commands.json"
"""What 1.x answers for the four methods of Camera."""


class Playable(VideoModel):
    def start_session(self) -> None:
        """Ends at once."""


class Camera(Playable):
    def __init__(self, config: Any = None) -> None:
        self.seen: list[Any] = []

    @command("set_prompt", description="Change the text prompt in real time")
    def set_prompt(self, prompt: str) -> None:
        self.seen.append(prompt)

    @command("move", description="Set movement direction")
    def move(self, direction: Literal["forward", "back", "left", "right", "none"]) -> str:
        return direction

    @command("set_speed", description="Adjust movement speed")
    def set_speed(self, speed: float = Field(..., ge=0.0, le=1.0, description="Speed multiplier")) -> float:
        return speed

    @command("set_camera", description="Control camera movement")
    def set_camera(
        self,
        direction: Literal["up", "down", "left", "right", "none"] = Field(..., description="Camera movement direction"),
        speed: float = Field(0.5, ge=0.0, le=1.0, description="Movement speed"),
    ) -> tuple[str, float]:
        return direction, speed


def test_commands_equal_upstreams_json_byte_for_byte() -> None:
    expected = json.dumps(json.loads(UPSTREAM.read_text()), sort_keys=True)
    assert json.dumps(Camera.commands(), sort_keys=True) == expected


def test_commands_are_told_of_an_instance_as_of_its_class() -> None:
    assert Camera().commands() == Camera.commands()


def test_changing_the_answer_of_commands_changes_no_command() -> None:
    Camera.commands()["commands"]["set_speed"]["schema"]["speed"]["maximum"] = 9
    assert Camera.commands()["commands"]["set_speed"]["schema"]["speed"]["maximum"] == 1.0


def test_a_direct_call_gets_the_value_of_a_field_default() -> None:
    assert Camera().set_camera("up") == ("up", 0.5)
    assert Camera().set_camera(direction="up", speed=0.25) == ("up", 0.25)


def test_a_direct_call_without_a_required_field_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"Camera\.set_speed\(\) missing 1 required argument: 'speed'"):
        Camera().set_speed()
    with pytest.raises(TypeError, match=r"missing 1 required argument: 'direction'"):
        Camera().set_camera(speed=1.0)


def test_a_direct_call_with_wrong_arguments_raises_pythons_own_words() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'sped'"):
        Camera().set_speed(sped=1.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes from 1 to 2 positional arguments but 3 were given"):
        Camera().set_speed(1.0, 2.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'prompt'"):
        Camera().set_prompt()  # type: ignore[call-arg]


def test_a_direct_call_is_not_validated() -> None:
    assert Camera().set_speed(7.0) == 7.0


def test_each_direct_call_gets_its_own_mutable_default() -> None:
    class Route(Playable):
        @command("follow")
        def follow(
            self,
            points: list[int] = Field([1]),  # noqa: B008
            extra: list[int] = Field(default_factory=list),  # noqa: B008
        ) -> tuple[list[int], list[int]]:
            points.append(2)
            extra.append(3)
            return points, extra

    assert Route().follow() == ([1, 2], [3])
    assert Route().follow() == ([1, 2], [3])


def test_a_required_field_may_stand_after_one_with_a_default() -> None:
    class Mixed(Playable):
        @command("go")
        def go(self, speed: float = Field(0.5), to: str = Field(...)) -> tuple[float, str]:
            return speed, to

    assert Mixed().go(to="x") == (0.5, "x")
    assert Mixed().send("go", {"to": "x"}) == (0.5, "x")
    with pytest.raises(TypeError, match="missing 1 required argument: 'to'"):
        Mixed().go(1.0)


def test_a_default_inside_annotated_holds_in_both_ways_to_call() -> None:
    class Annotating(Playable):
        @command("zoom")
        def zoom(self, factor: Annotated[float, Field(2.0, ge=1)]) -> float:
            return factor

    assert Annotating().zoom() == 2.0  # type: ignore[call-arg]
    assert Annotating().send("zoom") == 2.0


def test_send_validates_runs_and_returns_what_the_method_returns() -> None:
    assert Camera().send("set_camera", {"direction": "up", "speed": "0.25"}) == ("up", 0.25)


def test_send_of_bad_parameters_runs_nothing() -> None:
    camera = Camera()
    with pytest.raises(ParameterError, match="prompt is missing") as refused:
        camera.send("set_prompt", {})
    assert camera.seen == []
    assert refused.value.fields == {"prompt": "is required"}
    assert isinstance(refused.value.__cause__, ValidationError)
    assert isinstance(refused.value, ValueError)


def test_an_unknown_command_is_a_value_error_that_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"^Unknown command: set_sped\. Commands: set_prompt, move") as unknown:
        Camera().send("set_sped")
    assert "Did you mean set_speed? Send: set_speed speed=<float 0..1>" in str(unknown.value)
    with pytest.raises(UnknownCommandError, match=r"^Unknown command: nope\."):
        Camera().send("nope")


def test_a_model_without_commands_says_how_to_make_one() -> None:
    with pytest.raises(UnknownCommandError, match=r'This model has no commands; put @command\("go"\) above a method'):
        find_command({}, "go")


def test_every_model_answers_the_request_for_its_capabilities() -> None:
    assert Camera().send("requestCapabilities") == Camera.commands()


def test_commands_belong_to_their_class() -> None:
    class Other(Playable):
        @command("fly")
        def fly(self) -> None: ...

    assert list(commands_of(Other)) == ["fly"]
    assert "fly" not in commands_of(Camera)
    with pytest.raises(UnknownCommandError):
        Camera().send("fly")


def test_an_override_without_a_decorator_keeps_the_command_and_runs_itself() -> None:
    class Fast(Camera):
        def set_speed(self, speed: float = 1.0) -> float:
            return speed * 10

    assert Fast.commands() == Camera.commands()
    assert Fast().send("set_speed", {"speed": 0.5}) == 5.0
    assert Camera().send("set_speed", {"speed": 0.5}) == 0.5


def test_an_override_with_a_decorator_replaces_the_command() -> None:
    class Wide(Camera):
        @command("set_speed", description="Faster")
        def set_speed(self, speed: float = Field(2.0, ge=0.0, le=10.0)) -> float:
            return speed

    assert list(commands_of(Wide)) == list(commands_of(Camera))
    assert Wide.commands()["commands"]["set_speed"]["schema"]["speed"]["maximum"] == 10.0
    assert Wide().send("set_speed") == 2.0


def test_an_override_under_another_command_name_takes_the_old_name_away() -> None:
    class Renamed(Camera):
        @command("velocity")
        def set_speed(self, speed: float = 0.5) -> float:
            return speed

    assert "set_speed" not in commands_of(Renamed)
    assert Renamed().send("velocity") == 0.5


def test_another_method_may_take_over_an_inherited_name() -> None:
    class Takeover(Camera):
        @command("move")
        def walk(self, steps: int) -> int:
            return steps

    assert commands_of(Takeover)["move"].method_name == "walk"
    assert Takeover().send("move", {"steps": 3}) == 3


def test_none_takes_an_inherited_command_away() -> None:
    class Still(Camera):
        move = None  # type: ignore[assignment]

    assert "move" not in commands_of(Still)


def test_an_override_that_cannot_take_the_parameters_is_refused_where_it_is_written() -> None:
    with pytest.raises(ModelDefinitionError, match=r"Bad\.move overrides the command 'move' and cannot take its"):

        class Bad(Camera):
            def move(self, where: str) -> str:
                return where


def test_commands_of_a_mixin_are_inherited() -> None:
    class Zooming:
        @command("zoom")
        def zoom(self, factor: float = 1.0) -> float:
            return factor

    class Both(Zooming, Camera):
        pass

    assert "zoom" in commands_of(Both)
    assert Both().send("zoom", {"factor": 2}) == 2.0


def test_of_two_mixins_the_first_in_the_mro_wins() -> None:
    class A:
        @command("who")
        def who(self) -> str:
            return "a"

    class B:
        @command("who")
        def who(self) -> str:
            return "b"

    class Both(A, B, Playable):
        pass

    assert Both().send("who") == "a"


def test_two_methods_under_one_name_are_refused() -> None:
    with pytest.raises(
        ModelDefinitionError, match=r"Twice has two methods for the command 'go': walk and run.*@command\(\"run\"\)"
    ):

        class Twice(Playable):
            @command("go")
            def walk(self) -> None: ...

            @command("go")
            def run(self) -> None: ...


def test_static_and_class_methods_work_in_both_orders() -> None:
    class Kinds(Playable):
        @command("static_below")
        @staticmethod
        def static_below(x: int = Field(1)) -> int:
            return x

        @staticmethod
        @command("static_above")
        def static_above(x: int = Field(2)) -> int:
            return x

        @command("class_below")
        @classmethod
        def class_below(cls, x: int = Field(3)) -> tuple[str, int]:
            return cls.__name__, x

        @classmethod
        @command("class_above")
        def class_above(cls, x: int = Field(4)) -> tuple[str, int]:
            return cls.__name__, x

    assert [len(spec.params) for spec in commands_of(Kinds).values()] == [1, 1, 1, 1]
    sent = [Kinds().send(name) for name in commands_of(Kinds)]
    assert sent == [1, 2, ("Kinds", 3), ("Kinds", 4)]
    assert [Kinds.static_below(), Kinds.static_above(), Kinds.class_below(), Kinds.class_above()] == sent


def counted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return ["counted", function(*args, **kwargs)]

    return wrapper


def test_a_stack_of_decorators_works_above_and_below() -> None:
    class Stacked(Playable):
        @counted
        @command("above")
        def above(self, x: float = Field(0.5, ge=0)) -> float:
            return x

        @command("below")
        @counted
        def below(self, x: float = Field(0.5, ge=0)) -> float:
            return x

    assert Stacked().send("above", {"x": 1}) == ["counted", 1.0]
    assert Stacked().send("below", {"x": 1}) == ["counted", 1.0]
    assert Stacked().above() == Stacked().below() == ["counted", 0.5]
    with pytest.raises(ParameterError, match="greater than or equal to 0"):
        Stacked().send("below", {"x": -1})


def test_a_method_written_with_async_def_runs_to_its_end() -> None:
    class Slow(Playable):
        @command("wait")
        async def wait(self, x: float = Field(0.5)) -> float:
            await asyncio.sleep(0)
            return x

    assert Slow().send("wait") == 0.5
    assert asyncio.run(Slow().wait()) == 0.5


def test_an_async_command_also_runs_where_a_loop_is_running() -> None:
    class Slow(Playable):
        @command("wait")
        async def wait(self) -> str:
            await asyncio.sleep(0)
            return threading.current_thread().name

        @command("fail")
        async def fail(self) -> None:
            raise KeyError("its own error")

    async def cell() -> Any:
        return Slow().send("wait")

    async def failing_cell() -> Any:
        return Slow().send("fail")

    assert asyncio.run(cell()) == "reactor-async-command"
    with pytest.raises(KeyError, match="its own error"):
        asyncio.run(failing_cell())
    assert not any(thread.name == "reactor-async-command" for thread in threading.enumerate())


def test_what_a_method_raises_is_passed_on_untouched() -> None:
    class Failing(Playable):
        @command("fail")
        def fail(self) -> None:
            raise ZeroDivisionError("its own error")

    with pytest.raises(ZeroDivisionError, match="its own error"):
        Failing().send("fail")


def test_invoke_runs_the_method_of_the_class_that_the_instance_has_now() -> None:
    camera = Camera()
    spec = commands_of(Camera)["set_speed"]
    assert invoke(camera, spec, spec.validate({"speed": 1})) == 1.0


def test_a_model_may_be_an_abstract_class_too() -> None:
    class Base(VideoModel, abc.ABC):
        @command("go")
        @abc.abstractmethod
        def go(self) -> str: ...

        def start_session(self) -> None: ...

    class Whole(Base):
        def go(self) -> str:
            return "went"

    with pytest.raises(TypeError, match="abstract"):
        Base()  # type: ignore[abstract]
    assert Whole().send("go") == "went"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: command(print), r'@command got the function print .* Write @command\("print"\)'),  # type: ignore[arg-type]
        (lambda: command(""), r"@command got str '' for its name; it needs a string"),
        (lambda: command("requestCapabilities"), "every model answers by itself. Rename it"),
        (lambda: command("go", description=3), r"got int 3 for its description"),  # type: ignore[arg-type]
        (lambda: command("go")(3), r'@command\("go"\) was put on int 3; it needs a method'),
        (lambda: command("go")(property(lambda self: 1)), r"was put on property .*; it needs a method"),
        (lambda: command("go")(dict), r"was put on the class dict; it needs a method"),
    ],
)
def test_what_is_no_method_or_no_name_is_refused_with_the_mend(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ModelDefinitionError, match=message) as refused:
        make()
    assert isinstance(refused.value, TypeError)


def test_a_method_without_self_is_refused() -> None:
    with pytest.raises(ModelDefinitionError, match=r"No.go takes no `self`. Write def go\(self, \.\.\.\)"):

        class No(Playable):
            @command("go")
            def go() -> None: ...  # type: ignore[misc]


def test_parameters_that_cannot_be_sent_by_name_are_refused() -> None:
    with pytest.raises(ModelDefinitionError, match=r"takes `\*points.*`, and a command's parameters are sent by name"):

        class Star(Playable):
            @command("go")
            def go(self, *points: int) -> None: ...

    with pytest.raises(ModelDefinitionError, match=r"takes `\*\*more.*`"):

        class Stars(Playable):
            @command("go")
            def go(self, **more: int) -> None: ...

    with pytest.raises(ModelDefinitionError, match=r"takes `x.*`, and"):

        class Slash(Playable):
            @command("go")
            def go(self, x: int, /) -> None: ...


def test_a_method_that_every_model_has_is_no_command() -> None:
    with pytest.raises(ModelDefinitionError, match=r"Shadow\.send is a method of every VideoModel"):

        class Shadow(Playable):
            @command("transmit")
            def send(self, x: int) -> None: ...  # type: ignore[override]


def test_specs_say_how_to_call_them() -> None:
    signatures = [spec.signature() for spec in commands_of(Camera).values()]
    assert signatures == [
        "set_prompt prompt=<str>",
        "move direction=<forward|back|left|right|none>",
        "set_speed speed=<float 0..1>",
        "set_camera direction=<up|down|left|right|none> [speed=<float 0..1>]",
    ]


def test_a_spec_knows_its_method_and_parameters() -> None:
    spec: CommandSpec = commands_of(Camera)["set_camera"]
    assert (spec.name, spec.description, spec.method_name) == (
        "set_camera",
        "Control camera movement",
        "set_camera",
    )
    assert [(p.name, p.is_required, p.default) for p in spec.params][1] == ("speed", False, 0.5)
    assert spec.params[0].is_required


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("set prompt", r"' ' at position 4 is not allowed; .*Write @command\(\"set_prompt\"\)"),
        ("a\nb", r"'\\n' at position 2 is not allowed"),
        ("speed=1", r"'=' at position 6.*Write @command\(\"speed_1\"\)"),
        ("'", r"\"'\" at position 1.*Write @command\(\"set_speed\"\)"),
        ("\u200b", r"Write @command\(\"set_speed\"\)"),
    ],
)
def test_a_name_that_cannot_be_typed_as_one_word_is_refused(name: str, message: str) -> None:
    with pytest.raises(ModelDefinitionError, match=message):
        command(name)


@pytest.mark.parametrize("name", ["set_prompt", "set-prompt", "camera.pan", "tür", "a/b", "42"])
def test_other_names_are_the_authors_own(name: str) -> None:
    owner = type("Owner", (Playable,), {"go": command(name)(lambda self: name)})
    assert owner().send(name) == name


def test_a_frame_of_the_camera_is_no_command() -> None:
    with pytest.raises(ModelDefinitionError, match="on_frame is a method of every VideoModel"):
        type("Owner", (Playable,), {"on_frame": command("on_frame")(lambda self, frame: None)})


def test_a_function_without_attributes_of_its_own_is_read_as_any_other() -> None:
    with pytest.raises(ModelDefinitionError, match=r"command go: len takes no `self`|takes `obj, /`"):
        type("Owner", (Playable,), {"go": staticmethod(command("go")(len))})


class Unreadable:
    """A callable whose annotations name what is not there, told as Python 3.14 tells it: when they are asked for."""

    __name__ = __qualname__ = "go"

    @property
    def __signature__(self) -> Any:
        raise NameError("name 'Sped' is not defined", name="Sped")

    def __call__(self, owner: Any, speed: Any) -> Any:
        return speed


def test_annotations_that_are_read_late_and_name_nothing_are_refused() -> None:
    with pytest.raises(ModelDefinitionError, match="name 'Sped' is not defined"):
        type("Owner", (Playable,), {"go": command("go")(Unreadable())})


def test_an_override_whose_annotations_name_nothing_keeps_the_command() -> None:
    owner: Any = type("Owner", (Camera,), {"set_speed": Unreadable()})
    assert "set_speed" in owner.commands()["commands"]


def test_an_annotated_default_holds_without_postponed_annotations() -> None:
    def go(self: Any, speed: Any, to: Any = Field("up")) -> Any:  # noqa: B008
        return speed, to

    go.__annotations__.update(speed=Annotated[float, "metres", Field(0.5)], to=Annotated[str, Field("down")])
    owner = type("Owner", (Playable,), {"go": command("go")(go)})
    assert owner().go() == (0.5, "up")
    assert owner().send("go") == (0.5, "up")
