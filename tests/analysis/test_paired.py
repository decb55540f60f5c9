"""Bootstrap over grammars: estimates, their p-values, and ratios of P* that are censored."""

from math import inf

import numpy as np
import pytest
from scipy import stats

from synaptree.analysis.paired import (
    Needs,
    mean_of,
    needs_ratio,
    p_above,
    ratio_of_medians,
    share_of,
    weights,
)
from synaptree.analysis.sample_complexity import first_crossing

SIZES = (256, 512, 1024, 2048)


def needs(*errors, sizes=SIZES):
    return Needs.of(sizes, np.array(errors, float), 0.1)


def test_a_resample_weighs_grammars_by_how_often_they_are_drawn():
    W = weights(7)
    assert W.sum(1) == pytest.approx(np.ones(len(W)))
    assert np.allclose(W * 7, np.round(W * 7))
    # The variance of a multinomial count: n·p·(1 − p).
    assert (W[:, 0] * 7).var() == pytest.approx(7 * (1 / 7) * (6 / 7), rel=0.1)


def test_a_mean_has_the_spread_of_its_standard_error():
    values = np.random.default_rng(0).normal(1, 2, 40)
    found = mean_of(values)
    assert found.value == pytest.approx(values.mean())
    assert found.least.std() == pytest.approx(values.std() / 40**0.5, rel=0.06)
    # As wide as a t-interval, up to the chance of the resamples.
    half = stats.t.ppf(0.975, 39) * values.std(ddof=1) / 40**0.5
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.12)


def test_percentiles_are_how_far_resamples_go():
    values = np.random.default_rng(0).normal(1, 2, 40)
    found = mean_of(values)
    draws, tail = (
        np.sort(weights(40) @ values),
        stats.norm.cdf(-stats.t.ppf(0.975, 39) * (40 / 39) ** 0.5),
    )
    low, high = found.drawn
    assert (draws < low).mean() == pytest.approx(tail, abs=0.002)
    assert (draws > high).mean() == pytest.approx(tail, abs=0.002)
    assert found.low <= low < high <= found.high


def test_the_p_value_is_where_the_interval_begins_to_exclude():
    values = np.random.default_rng(1).normal(0.5, 1, 20)
    found = mean_of(values)
    assert found.above(found.low) == pytest.approx(0.025, rel=0.15)
    assert found.below(found.high) == pytest.approx(0.025, rel=0.15)
    assert found.above(found.value) == pytest.approx(0.5, abs=0.05)
    assert found.above(found.low - 5) < 0.001
    assert found.above(found.high + 5) == 1.0


def test_nothing_is_more_certain_than_as_many_grammars_that_agree():
    assert mean_of(np.full(5, 1.0)).above(0.0) == 0.5**5  # above 0.025: decides nothing
    assert mean_of(np.full(6, 1.0)).above(0.0) == 0.5**6
    assert mean_of(np.array([1.0])).above(0.0) == 1.0  # one grammar says nothing
    assert p_above(np.full(100, inf), 1.0, 20) == 0.5**20


def test_a_grammar_that_was_not_drawn_may_be_the_one_that_matters():
    values = np.zeros(20)
    assert mean_of(values).below(0.05) < 0.001
    assert mean_of(values, farthest=0.875).below(0.05) > 0.2
    assert mean_of(values, farthest=0.875).above(-0.05) < 0.001


def test_ratios_of_means_are_paired():
    whole = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    found = share_of(whole / 4, whole)
    assert (found.value, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))


def test_ratios_of_medians_may_be_infinite():
    a = np.array([200.0, 400.0, inf, inf, inf])
    b = np.array([100.0, 100.0, 100.0, 100.0, 100.0])
    found = ratio_of_medians(a, b)
    assert (found.value, found.at_least, found.high) == (inf, True, inf)
    assert ratio_of_medians(b, b).value == 1


def test_a_curve_must_stay_below():
    error = np.array([0.5, 0.05, 0.3, 0.01])
    assert first_crossing(SIZES, error, 0.1) < 512
    assert 1024 < first_crossing(SIZES, error, 0.1, stays=True) < 2048
    assert first_crossing(SIZES, np.array([0.5, 0.01, 0.01, 0.2]), 0.1, stays=True) == inf
    assert first_crossing(SIZES, np.full(4, 0.1), 0.1, stays=True) == pytest.approx(256)
    # log error against log P: from 0.2 to 0.05 the crossing of 0.1 is half way.
    half = first_crossing(SIZES, np.array([0.4, 0.2, 0.05, 0.05]), 0.1, stays=True)
    assert half == pytest.approx(512 * 2**0.5)


ONE = [0.4, 0.2, 0.05, 0.05]  # P* = 512·√2
FOUR = [0.8, 0.4, 0.2, 0.05]  # P* = 1024·√2
NEVER = [0.8, 0.8, 0.8, 0.8]
AT_ONCE = [0.05, 0.01, 0.0, 0.0]


def test_a_ratio_of_known_needs():
    found = needs_ratio(needs(*[FOUR] * 6), needs(*[ONE] * 6))
    assert (found.value, found.low, found.high) == pytest.approx((2, 2, 2))
    assert not found.at_least
    assert not found.at_most
    assert (found.above(1.5), found.below(1.5)) == (0.5**6, 1.0)


def test_needs_that_were_not_reached_are_above_the_largest_size_and_may_be_infinite():
    found = needs_ratio(needs(*[NEVER] * 6), needs(*[ONE] * 6))
    assert found.value == pytest.approx(2048 / (512 * 2**0.5))
    assert (found.low, found.high) == (pytest.approx(found.value), inf)
    assert found.at_least
    assert found.above(2.0) == 0.5**6
    assert found.above(3.0) == 1.0  # more than was tried
    assert found.below(1000.0) == 1.0


def test_needs_at_the_smallest_size_may_be_anything_below_it():
    found = needs_ratio(needs(*[AT_ONCE] * 6), needs(*[ONE] * 6))
    assert (found.low, found.at_most) == (0.0, True)
    assert found.high == pytest.approx(256 / (512 * 2**0.5))
    assert found.below(1.0) == 0.5**6
    assert found.above(0.1) == 1.0
    upside_down = needs_ratio(needs(*[ONE] * 6), needs(*[AT_ONCE] * 6))
    assert (upside_down.high, upside_down.at_least) == (inf, True)
    assert upside_down.above(2.0) == 0.5**6


def test_where_neither_was_reached_nothing_is_known():
    found = needs_ratio(needs(*[NEVER] * 6), needs(*[NEVER] * 6))
    assert (found.above(0.5), found.below(2.0)) == (1.0, 1.0)


def test_one_grammar_has_no_interval():
    found = needs_ratio(needs(FOUR), needs(ONE))
    assert (found.low, found.high, found.above(1.0), found.below(9.0)) == (0.0, inf, 1.0, 1.0)
