"""The space of a search: what is drawn from it, and what lies beyond the ends of its axes."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synaptree.study.search.space import Axis, Point, Space

LR = Axis("lr", (0.001, 0.003, 0.01), log=True)
CHOICE = Axis("parametrisation", ("standard", "mean_field"))


@pytest.mark.parametrize(
    ("values", "value", "further"),
    [
        ((0.001, 0.003, 0.01), 0.01, 0.0333),
        ((0.001, 0.003, 0.01), 0.0333, 0.111),  # already beyond: on by the same factor
        ((0.001, 0.003, 0.01), 0.001, 0.000333),
        ((0.001, 0.003, 0.01), 0.003, None),
        ((0.0, 1e-4, 1e-3), 1e-3, 0.01),
        ((0.0, 1e-4, 1e-3), 0.0, None),  # nothing is below 0
        ((0.0, 1e-3), 1e-3, None),  # no factor
        ((128, 512), 512, 2048),
        ((128, 512), 2048, 8192),
        ((1, 4), 1, None),
        ((2, 4), 2, 1),
    ],
)
def test_an_axis_goes_on_beyond_its_ends_by_its_own_factor(values, value, further):
    assert Axis("lr", values, log=True).beyond(value) == further


def test_choices_have_no_ends():
    assert Axis("batch", (128, 512)).beyond(512) is None
    assert not Axis("batch", (128, 512)).ends(512)


def test_what_lies_beyond_a_setting_differs_from_it_on_one_axis():
    decay = Axis("weight_decay", (1e-4, 1e-3), log=True)
    space = Space("a", ((LR, decay, CHOICE),))
    assert space.beyond(Point(0, (0.01, 1e-4, "standard"))) == {
        "lr": Point(0, (0.0333, 1e-4, "standard")),
        "weight_decay": Point(0, (0.01, 1e-5, "standard")),
    }
    assert space.beyond(Point(0, (0.003, 3e-4, "standard"))) == {}


def spaces():
    """Spaces of up to three axes, whose values are numbers."""
    axes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(
        lambda sizes: tuple(
            Axis(f"a{i}", tuple(float(k + 1) for k in range(size)), log=size > 1)
            for i, size in enumerate(sizes)
        )
    )
    return st.lists(axes, min_size=1, max_size=3).map(lambda parts: Space("a", tuple(parts)))


@given(spaces(), st.data())
def test_settings_are_drawn_once_each_and_a_longer_draw_begins_with_a_shorter_one(space, data):
    assert len(set(space.points)) == space.size
    first = data.draw(st.integers(1, space.size))
    seed = data.draw(st.integers(0, 5))
    drawn = space.drawn(first, 0, seed)
    assert len(set(drawn)) == first
    assert set(drawn) <= set(space.points)
    assert space.drawn(max(1, first // 2), 0, seed) == drawn[: max(1, first // 2)]
    assert set(space.drawn(first, space.size - first, seed)) == set(space.points)


@given(st.lists(st.integers(2, 5), min_size=2, max_size=3), st.integers(0, 20), st.data())
def test_every_value_is_drawn_equally_often(sizes, seed, data):
    axes = tuple(Axis(f"a{i}", tuple(range(size))) for i, size in enumerate(sizes))
    space = Space("a", (axes,))
    count = data.draw(st.integers(1, max(sizes)))
    drawn = space.drawn(count, 0, seed)
    for index, size in enumerate(sizes):
        counts = Counter(point.values[index] for point in drawn)
        often = [counts[value] for value in range(size)]
        assert max(often) - min(often) <= 1, often


def test_a_draw_of_a_latin_square_has_each_pair_at_most_once_more_than_others():
    axes = tuple(Axis(f"a{i}", (0, 1, 2)) for i in range(3))
    for seed in range(5):
        drawn = Space("a", (axes,)).drawn(9, 0, seed)
        for i, j in itertools.combinations(range(3), 2):
            pairs = Counter((p.values[i], p.values[j]) for p in drawn)
            assert len(pairs) >= 8, seed  # of 9; by chance there would be about 6


def test_parts_of_a_space_share_the_settings_evenly():
    small = (Axis("lr", (0.1, 0.3)),)
    large = (Axis("lr", tuple(map(float, range(1, 9)))), CHOICE)
    drawn = Space("a", (small, large)).drawn(4, 4, seed=1)
    assert Counter(point.part for point in drawn[:4]) == {0: 2, 1: 2}
    assert Counter(point.part for point in drawn) == {0: 2, 1: 6}  # part 0 has no more


def test_what_is_held_back_is_drawn_from_the_inside_while_there_is_some():
    lr = Axis("lr", (0.001, 0.003, 0.01, 0.03), log=True)
    space = Space("a", ((lr, CHOICE),))
    drawn = space.drawn(2, 4, seed=3)
    inside = [point for point in space.points if point.values[0] in (0.003, 0.01)]
    held = drawn[2:]
    left = [point for point in inside if point not in drawn[:2]]
    assert set(held[: len(left)]) == set(left)


def test_the_draw_is_the_same_for_ever():
    # Registered searches rest on it.
    drawn = Space("a", ((LR, CHOICE),)).drawn(3, 1, seed=0)
    assert [point.values for point in drawn] == [
        (0.001, "standard"),
        (0.01, "mean_field"),
        (0.003, "standard"),
        (0.003, "mean_field"),
    ]
