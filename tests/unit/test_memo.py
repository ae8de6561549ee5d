"""Answers kept by object: asked once, and of a sequence only what is new."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, strategies as st

from vnet_tui.engine.alike import alike
from vnet_tui.engine.memo import Memo


@dataclass(frozen=True)
class Thing:
    """Equal to others that say the same, and yet another object."""

    said: int


class Asking:
    """Answers with what was said, and remembers what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[Thing] = []

    def __call__(self, thing: Thing) -> tuple[int]:
        self.asked.append(thing)
        return (thing.said,)


THINGS = st.lists(st.integers(0, 5), max_size=8).map(tuple)


@given(THINGS, THINGS)
def test_what_is_alike_at_the_ends_is_all_that_is(
    one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    first, last = alike(one, other)
    assert one[:first] == other[:first]
    assert one[len(one) - last :] == other[len(other) - last :]
    left, right = one[first : len(one) - last], other[first : len(other) - last]
    if left and right:
        assert left[0] != right[0]
        assert left[-1] != right[-1]


def test_an_object_is_asked_about_once_and_an_equal_one_for_itself() -> None:
    asking = Asking()
    memo = Memo(asking)
    thing, equal = Thing(1), Thing(1)
    assert memo(thing) is memo(thing)
    assert memo(equal) is not memo(thing)
    assert list(map(id, asking.asked)) == [id(thing), id(equal)]


def test_what_is_asked_for_stays_while_others_come_and_go() -> None:
    asking = Asking()
    memo = Memo(asking, size=2)
    thing = Thing(0)
    for number in range(20):
        memo(thing)
        memo(Thing(number))
    assert sum(one is thing for one in asking.asked) == 1


@given(st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=8), st.integers(1, 20))
def test_a_sequence_has_the_answers_of_its_items(rounds: list[list[int]], size: int) -> None:
    memo = Memo(Asking(), size=size)
    pool = [Thing(number) for number in range(10)]
    for number, chosen in enumerate(rounds):
        keys = tuple(pool[at] for at in chosen)
        assert list(memo.each(keys, number % 2)) == [(key.said,) for key in keys]


def test_only_what_is_new_in_a_sequence_is_asked_about() -> None:
    asking = Asking()
    memo = Memo(asking, size=1)  # so that it remembers by the sequence alone
    pool = [Thing(number) for number in range(100)]
    memo.each(tuple(pool), "of")
    asking.asked.clear()
    edited = (*pool[:50], Thing(200), *pool[51:])
    memo.each(edited, "of")
    assert asking.asked == [Thing(200)]


def test_a_sequence_of_equal_things_has_the_answers_that_there_are() -> None:
    asking = Asking()
    memo = Memo(asking)
    first = memo.each(tuple(map(Thing, range(10))), "of")
    again = memo.each(tuple(map(Thing, range(10))), "of")
    assert list(map(id, first)) == list(map(id, again))
