"""Who takes the next frame of a codec, without threads and encoders."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reactor_nb.media.audience import Audience, Takers
from reactor_nb.media.encoders import EncodedFrame


def frame(number: int, is_keyframe: bool = False) -> EncodedFrame:
    return EncodedFrame("H264", b"", number, is_keyframe, 64, 48, 30.0, number)


class Hearer:
    def __init__(self, is_ready: bool = True) -> None:
        self.got: list[EncodedFrame] = []
        self.is_ready = is_ready

    def ready(self) -> bool:
        return self.is_ready


def audience(is_chained: bool = True) -> tuple[Audience, list[str]]:
    failed: list[str] = []
    return Audience(is_chained, failed.append), failed


def test_a_view_with_a_road_begins_with_a_keyframe_and_one_without_sorts_it_out_itself() -> None:
    views, _ = audience()
    road, peer = Hearer(), Hearer()
    views.attach("road", road.got.append, road.ready)
    assert views.choose() == Takers(inter=False, keyframe=True)
    views.attach("peer", peer.got.append, None)
    assert views.choose() == Takers(inter=True, keyframe=True)
    assert views.hand_out(frame(0)) == 1
    views.choose()
    assert views.hand_out(frame(1, is_keyframe=True)) == 0
    assert [each.number for each in road.got] == [1]
    assert [each.number for each in peer.got] == [0, 1]


def test_images_stand_alone_so_that_none_is_missed_for_one_that_was() -> None:
    views, _ = audience(is_chained=False)
    road, other = Hearer(), Hearer()
    views.attach("road", road.got.append, road.ready)
    views.attach("other", other.got.append, other.ready)
    for number, is_ready in enumerate([True, False, True]):
        road.is_ready = is_ready
        assert views.choose() == Takers(inter=True, keyframe=False)
        views.hand_out(frame(number))
    assert [each.number for each in road.got] == [0, 2]


def test_who_comes_while_a_frame_is_encoded_waits_for_the_next_keyframe() -> None:
    views, _ = audience()
    first, late = Hearer(), Hearer()
    views.attach("first", first.got.append, first.ready)
    views.choose()
    views.attach("late", late.got.append, late.ready)
    assert views.hand_out(frame(0, is_keyframe=True)) == 1
    assert (len(first.got), late.got) == (1, [])
    assert views.choose() == Takers(inter=True, keyframe=True)


def test_who_left_is_handed_nothing_and_nobody_is_a_taker() -> None:
    views, _ = audience()
    view = Hearer()
    views.attach("a", view.got.append, view.ready)
    views.choose()
    views.detach("a")
    assert views.hand_out(frame(0, is_keyframe=True)) == 0
    assert (view.got, views.choose(), views.has("a")) == ([], Takers(inter=False, keyframe=False), False)


def test_who_attaches_once_more_while_it_fails_stays() -> None:
    views, failed = audience()
    again = Hearer()

    def fail_and_come_back(frame: EncodedFrame) -> None:
        views.attach("a", again.got.append, again.ready)
        raise RuntimeError("cannot be sent")

    views.attach("a", fail_and_come_back, None)
    views.choose()
    views.hand_out(frame(0, is_keyframe=True))
    assert (failed, views.has("a")) == ([], True)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=60))
def test_whatever_is_missed_each_view_is_handed_an_unbroken_chain(rounds: list[tuple[bool, bool, bool]]) -> None:
    views, _ = audience()
    hearers = {"a": Hearer(), "b": Hearer()}
    for key, hearer in hearers.items():
        views.attach(key, hearer.got.append, hearer.ready)
    encoded = []
    for number, (a_is_ready, b_is_ready, may_keyframe) in enumerate(rounds):
        hearers["a"].is_ready, hearers["b"].is_ready = a_is_ready, b_is_ready
        takers = views.choose()
        is_keyframe = takers.keyframe and may_keyframe
        if is_keyframe or takers.inter:
            encoded.append(frame(number, is_keyframe))
            views.hand_out(encoded[-1])
    for hearer in hearers.values():
        for before, after in zip([None, *hearer.got], hearer.got, strict=False):
            assert after.is_keyframe or (before is not None and encoded.index(after) == encoded.index(before) + 1)
