"""Which model of a namespace is meant."""

from __future__ import annotations

from typing import Any

import pytest

from reactor_nb.core.discovery import choose, models_in
from reactor_nb.core.model import VideoModel, model
from reactor_nb.errors import ModelNotFoundError, SeveralModelsError


class Playable(VideoModel):
    def start_session(self) -> None:
        """Ends at once."""


def made(name: str) -> type[VideoModel]:
    return model(name)(type("Made", (Playable,), {}))


def test_the_distinct_models_of_a_namespace_are_found_in_the_order_of_decoration() -> None:
    first, second = made("b-first"), made("a-second")
    namespace = {"Second": second, "First": first, "Alias": first, "x": 1, "VideoModel": VideoModel, "P": Playable}
    assert list(models_in(namespace).items()) == [("b-first", first), ("a-second", second)]


def test_of_equal_names_the_last_decorated_wins() -> None:
    old, new = made("same"), made("same")
    assert models_in({"New": new, "Old": old}) == {"same": new}
    assert choose({"New": new, "Old": old}) is new


def test_what_a_cell_showed_is_no_candidate() -> None:
    shown = made("shown")
    assert models_in({"_": shown, "__": shown, "_12": shown, "Out": {12: shown}}) == {}
    assert models_in({"_Private": shown}) == {"shown": shown}


def test_the_only_model_is_chosen() -> None:
    only = made("only")
    assert choose({"Only": only, "x": 1}) is only


def test_a_model_is_chosen_by_its_name_or_by_its_variable() -> None:
    one, two = made("one"), made("two")
    namespace = {"One": one, "Two": two}
    assert choose(namespace, "two") is two
    assert choose(namespace, "One") is one


def test_a_model_name_comes_before_a_variable_of_that_name() -> None:
    one, two = made("one"), made("two")
    assert choose({"two": one, "Two": two}, "two") is two


def test_several_models_without_a_name_are_listed_with_the_line_to_type() -> None:
    with pytest.raises(SeveralModelsError) as several:
        choose({"B": made("b"), "A": made("a")})
    assert str(several.value).startswith("Multiple models found: ['a', 'b'].")
    assert "Type: %reactor run a" in str(several.value)
    assert isinstance(several.value, LookupError)


def test_no_model_at_all_says_what_to_write() -> None:
    with pytest.raises(ModelNotFoundError, match=r'^No @model decorated class found\. Type @model\(name="my-model"\)'):
        choose({})


def test_an_undecorated_class_is_named_when_there_is_no_model() -> None:
    class LongLive(Playable):
        pass

    with pytest.raises(ModelNotFoundError, match=r'Type @model\(name="long-live"\) above class LongLive\(VideoModel\)'):
        choose({"VideoModel": VideoModel, "LongLive": LongLive})
    with pytest.raises(ModelNotFoundError, match=r"^LongLive is a VideoModel without @model\. Type @model"):
        choose({"LongLive": LongLive}, "LongLive")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, r"^thing is a variable of type int, no model\. Models here: plasma\. Type: %reactor run plasma"),
        (dict, r"^thing is the class dict, no model"),
        (Playable(), r"^thing is an instance of Playable; a run needs the class\. Type: %reactor run Playable"),
        (made("kept")(), r"an instance of Made; a run needs the class\. Type: %reactor run kept"),
        (VideoModel, r"VideoModel is the base of every model"),
    ],
)
def test_a_variable_that_is_no_model_is_told_so(value: Any, message: str) -> None:
    with pytest.raises(ModelNotFoundError, match=message):
        choose({"thing": value, "Plasma": made("plasma")}, "thing")


def test_an_unknown_name_gets_the_nearest_and_the_line_to_type() -> None:
    namespace = {"Plasma": made("plasma"), "Tunnel": made("tunnel")}
    with pytest.raises(ModelNotFoundError) as unknown:
        choose(namespace, "plasmo")
    assert str(unknown.value) == (
        "No model of the name 'plasmo'; there is plasma, tunnel. Did you mean plasma? Type: %reactor run plasma"
    )


def test_an_unknown_name_without_any_model_says_what_to_write() -> None:
    with pytest.raises(ModelNotFoundError, match=r"^'plasma' is no model\. No @model decorated class found"):
        choose({}, "plasma")
