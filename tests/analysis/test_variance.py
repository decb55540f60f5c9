"""Variance between grammars and between networks on one grammar."""

import numpy as np
import pandas as pd
import pytest

from synaptree.analysis.variance import components, variance_shares

KIND = {"v": 8, "n": 8, "m": 4, "s": 2, "L": 3, "P": 512, "status": "done"}


def test_components_are_those_of_a_table_by_hand():
    # Means 2 and 6; within each (1, 3) and (5, 7) variance 2. Between: 8 − 2/2 = 7.
    assert components(np.array([[1.0, 3.0], [5.0, 7.0]])) == pytest.approx((7, 2))
    assert components(np.array([[1.0, 3.0], [3.0, 1.0]])) == (0, 2)


def test_components_are_those_that_were_drawn():
    rng = np.random.default_rng(0)
    drawn = rng.normal(0, 3, (4000, 1)) + rng.normal(0, 1, (4000, 3))
    assert components(drawn) == pytest.approx((9, 1), rel=0.06)


@pytest.mark.parametrize("shape", [(1, 3), (3, 1)])
def test_one_of_either_says_nothing(shape):
    with pytest.raises(ValueError, match="two of each"):
        components(np.zeros(shape))


def test_shares_are_of_the_grammars_that_were_run_more_than_once():
    errors = {200: [0.1, 0.3], 201: [0.5, 0.7], 202: [0.9]}
    rows = [
        KIND | {"rule": "dfa", "label": "dfa", "seed": seed, "network_seed": i, "test_error": error}
        for seed, own in errors.items()
        for i, error in enumerate(own)
    ]
    alone = [row | {"rule": "drtp", "label": "drtp"} for row in rows if not row["network_seed"]]
    (row,) = variance_shares(pd.DataFrame(rows + alone)).to_dict("records")
    assert (row["label"], row["grammars"], row["networks"]) == ("dfa", 2, 2)
    assert row["of_grammars"] == pytest.approx(0.07 / 0.09)
    assert row["of_networks"] == pytest.approx(0.02 / 0.09)
