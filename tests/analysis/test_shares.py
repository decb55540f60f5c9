"""Shares of grammars against one half, and Holm's correction, held to tables and to scipy."""

import pytest
from scipy import stats

from synaptree.analysis.shares import above_and_below, clopper_pearson, holm

# From tables of the exact 95% interval.
TABLE = [
    (15, 20, 0.5090, 0.9134), (14, 20, 0.4572, 0.8811), (5, 20, 0.0866, 0.4910),
    (0, 20, 0.0, 0.1684), (9, 10, 0.5550, 0.9975), (8, 10, 0.4439, 0.9748),
    (6, 6, 0.5407, 1.0), (5, 5, 0.4782, 1.0), (0, 0, 0.0, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("hits", "of", "low", "high"), TABLE)
def test_the_exact_interval_is_that_of_the_tables(hits, of, low, high):
    assert clopper_pearson(hits, of) == pytest.approx((low, high), abs=5e-5)


def test_the_exact_interval_is_scipys():
    for of in range(1, 25):
        for hits in range(of + 1):
            found = stats.binomtest(hits, of).proportion_ci(0.95, "exact")
            assert clopper_pearson(hits, of) == pytest.approx((found.low, found.high), abs=1e-9)


def test_the_interval_and_the_p_values_say_the_same():
    for of in range(31):
        for hits in range(of + 1):
            low, high = clopper_pearson(hits, of)
            above, below = above_and_below(hits, of)
            assert (low > 0.5) == (above <= 0.025), (hits, of)
            assert (high < 0.5) == (below <= 0.025), (hits, of)


@pytest.mark.parametrize(("of", "least"), [(20, 15), (10, 9), (6, 6), (5, None)])
def test_how_many_grammars_decide(of, least):
    deciding = [hits for hits in range(of + 1) if clopper_pearson(hits, of)[0] > 0.5]
    assert min(deciding, default=None) == least
    assert {of - hits for hits in deciding} == {
        hits for hits in range(of + 1) if clopper_pearson(hits, of)[1] < 0.5
    }


def test_more_hits_than_trials_are_an_error():
    with pytest.raises(ValueError, match="3 hits of 2"):
        clopper_pearson(3, 2)


def test_holms_correction_is_that_of_the_textbook():
    # Holm's own procedure on four p-values: 4 · 0.005, 3 · 0.01, 2 · 0.03, and not less than those.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
    assert holm([0.02, 0.02]) == pytest.approx([0.04, 0.04])
