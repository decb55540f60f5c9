"""P* on error curves whose P* is known, its interval's coverage, and what cannot be known."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synaptree.analysis.sample_complexity import (
    first_crossing,
    interval,
    power_law,
    ratio,
    sample_complexity,
)
from synaptree.training.solved import chance_error

SIZES = [256, 512, 1024, 2048, 4096, 8192]
CHANCE = chance_error(8)
THRESHOLD = 0.1 * CHANCE


def curve(P, where, steepness=3.0, chance=CHANCE, threshold=THRESHOLD):
    """A falling error whose crossing of the threshold is at `where`."""
    x = steepness * (np.log(P) - np.log(where)) + np.log(chance / threshold - 1)
    return chance / (1 + np.exp(x))


@given(where=st.floats(300, 8000), steepness=st.floats(1.5, 8))
def test_a_known_crossing_is_found_within_five_percent(where, steepness):
    fine = [int(256 * 2 ** (k / 2)) for k in range(12)]
    found = float(first_crossing(fine, curve(np.array(fine, float), where, steepness), THRESHOLD))
    assert found == pytest.approx(where, rel=0.05)


def test_between_two_sizes_it_is_on_the_line_of_logarithms():
    found = float(first_crossing([100, 1000], np.array([0.9, 0.1]), 0.3))
    assert found == pytest.approx(10**2.5)
    none = float(first_crossing([100, 1000], np.array([0.1, 0]), 0.001))  # counts as 0.00001
    assert none == pytest.approx(10**2.5)


def test_the_first_crossing_counts_and_the_ends_are_said():
    found = first_crossing(SIZES, np.array([0.9, 0.5, 0.1, 0.4, 0.1, 0]), 0.1)
    assert float(found) == pytest.approx(1024)
    assert float(first_crossing(SIZES, np.full(6, 0.3), 0.1)) == inf
    below = sample_complexity(SIZES, [np.zeros((2, 6))] * 3, 0.1)
    assert below.value == pytest.approx(256)
    assert (below.below, below.censored) == (True, False)


def test_censored_is_never_extrapolated():
    errors = [np.tile(curve(np.array(SIZES, float), 10_000), (2, 1))] * 4
    found = sample_complexity(SIZES, errors, THRESHOLD)
    assert found.censored
    assert (found.low, found.high) == (inf, inf)


def test_some_grammars_that_do_not_reach_it_leave_no_upper_bound():
    good, bad = (np.tile(curve(np.array(SIZES, float), w), (1, 1)) for w in (1500, 60_000))
    found = sample_complexity(SIZES, [good] * 6 + [bad], THRESHOLD)
    assert found.high == inf
    assert found.low < 2000


@pytest.mark.parametrize("level", [0.0, 0.875])
def test_constant_data_are_no_error(level):
    found = sample_complexity(SIZES, [np.full((3, 6), level)] * 5, THRESHOLD)
    assert (found.low, found.high) == pytest.approx((256, 256) if level == 0 else (inf, inf))


def test_all_alike_is_an_interval_of_no_width_and_one_grammar_none_at_all():
    errors = [np.tile(curve(np.array(SIZES, float), 1500), (2, 1))]
    many = sample_complexity(SIZES, errors * 8, THRESHOLD)
    assert many.low == pytest.approx(many.value)
    assert many.high == pytest.approx(many.value)
    one = sample_complexity(SIZES, errors, THRESHOLD)
    assert (one.low, one.high) == (0, inf)


def simulated(rng, grammars, replicas=2, where=1500, spread=0.25, within=0.1):
    """A study: grammars differ in log P*, and so do their replicas, less."""
    P = np.array(SIZES, float)
    each = np.exp(np.log(where) + spread * rng.standard_normal(grammars))
    noise = np.exp(within * rng.standard_normal((grammars, replicas)))
    return [np.stack([curve(P, w * f) for f in fs]) for w, fs in zip(each, noise, strict=True)]


@pytest.mark.parametrize(("grammars", "least"), [(10, 930), (5, 890)])
def test_the_interval_covers_the_truth_in_93_to_97_of_100_studies(grammars, least):
    """With ten grammars; five are too few for any bootstrap of a skewed quantity (docstring)."""
    rng = np.random.default_rng(1)
    population = simulated(rng, 20_000, replicas=1)
    truth = float(first_crossing(SIZES, np.mean([e.mean(0) for e in population], 0), THRESHOLD))
    inside = 0
    for study in range(1000):
        found = sample_complexity(SIZES, simulated(rng, grammars), THRESHOLD, 400, seed=study)
        inside += found.low <= truth <= found.high
    assert least <= inside <= 970


def test_a_ratio_is_paired_by_grammar():
    rng = np.random.default_rng(0)
    P = np.array(SIZES, float)
    where = np.exp(7 + 0.5 * rng.standard_normal(10))
    a, b = ([curve(P, f * w)[None] for w in where] for f in (1.5, 1.0))
    found = [sample_complexity(SIZES, e, THRESHOLD, seed=3) for e in (a, b)]
    value, low, high = ratio(*found, groups=10, sizes=SIZES)
    assert value == pytest.approx(1.5, rel=0.1)
    other = sample_complexity(SIZES, b, THRESHOLD, seed=4)
    unpaired = ratio(found[0], other, groups=10, sizes=SIZES)
    assert high / low < (unpaired[2] / unpaired[1]) ** 0.5


def test_a_ratio_to_what_was_not_reached_has_a_lower_end_alone_and_a_mere_bound_an_upper_one():
    P = np.array(SIZES, float)
    known, far, near = (
        sample_complexity(SIZES, [curve(P, where)[None]] * 10, THRESHOLD)
        for where in (4000, 20_000, 100)
    )
    beyond = SIZES[-1] / known.value
    assert ratio(far, known, 10, SIZES) == pytest.approx((beyond, beyond, inf))
    value, low, high = ratio(near, known, 10, SIZES)
    assert (low, high) == (0, pytest.approx(value))
    assert value == pytest.approx(SIZES[0] / known.value)


def test_a_power_law_is_recovered_with_its_interval():
    rng = np.random.default_rng(0)
    sizes = [int(64 * 2 ** (k / 2)) for k in range(24)]
    P = np.array(sizes, float)
    found = {}
    for m in (2, 4, 6, 8):
        where = 40 * m**2.5 * np.exp(0.1 * rng.standard_normal(10))
        found[m] = sample_complexity(sizes, [curve(P, w)[None] for w in where], THRESHOLD)
    law = power_law(found, groups=10)
    assert law.exponent == pytest.approx(2.5, abs=0.15)
    assert law.low < 2.5 < law.high
    assert law.points == 4
    assert law.constant == pytest.approx(40, rel=0.3)


def test_a_power_law_needs_two_points_and_leaves_censored_ones_out():
    P = np.array(SIZES, float)
    reached = sample_complexity(SIZES, [curve(P, 1000)[None]] * 3, THRESHOLD)
    never = sample_complexity(SIZES, [np.full((1, 6), 0.8)] * 3, THRESHOLD)
    assert np.isnan(power_law({2: reached, 4: never}, 3).exponent)
    assert power_law({2: reached, 3: reached, 4: never}, 3).points == 2


def test_wrong_shapes_are_said():
    with pytest.raises(ValueError, match="ascending"):
        sample_complexity([2, 1], [np.zeros((1, 2))], 0.1)
    with pytest.raises(ValueError, match=r"expected \(replicas, 2\)"):
        sample_complexity([1, 2], [np.zeros((1, 3))], 0.1)


def test_the_interval_of_many_groups_is_the_plain_percentiles():
    draws = np.arange(10_001, dtype=float)
    low, high = interval(draws, groups=100_000)
    assert low == pytest.approx(250, abs=3)
    assert high == pytest.approx(9750, abs=3)
