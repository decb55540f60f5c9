"""Effective depth: the levels that an untrained network does not already hold."""

import numpy as np
import pandas as pd
import pytest

from synaptree.analysis.depth import effective_depth, with_depth

KIND = {"v": 8, "n": 8, "m": 4, "s": 2, "L": 3}


def probe(*own):
    matrix = np.full((len(own), len(own)), 0.5)
    np.fill_diagonal(matrix, own)
    return matrix.tolist()


@pytest.mark.parametrize(
    ("own", "depth"),
    [
        ([1.0, 0.368, 0.137], 2),
        ([1.0, 0.998, 0.314, 0.156], 2),
        ([1.0, 0.565, 0.196, 0.132], 3),
        ([0.99, 0.99, 0.99], 0),
        ([0.9899, 0.99, 0.99], 1),
    ],
)
def test_depth_counts_the_levels_that_are_not_read(own, depth):
    assert effective_depth(np.array([probe(*own)])) == depth


def test_the_mean_over_seeds_counts():
    # 0.988 and 0.994: 0.991 in the mean
    assert effective_depth(np.array([probe(0.988, 0.5), probe(0.994, 0.5)])) == 1
    assert effective_depth(np.array([probe(np.nan, np.nan), probe(0.994, 0.5)])) == 1
    assert effective_depth(np.array([probe(np.nan, 0.5)])) is None


def run(rule="readout_only", own=(1.0, 0.4, 0.1), **settings):
    return KIND | {"rule": rule, "probe": probe(*own), "status": "done"} | settings


def test_depth_is_that_of_the_same_kind_and_network():
    frame = pd.DataFrame(
        [
            run(width=128),
            run(width=512, own=(1.0, 1.0, 0.1)),
            run("dfa", width=128),
            run("dfa", width=512),
            run("dfa", width=256),
            run("dfa", width=128, parametrisation="mean_field"),
            run("dfa", width=128, connectivity="local"),
            run("dfa", width=128, m=6),
        ]
    )
    frame["parametrisation"] = frame["parametrisation"].fillna("standard")
    frame["connectivity"] = frame["connectivity"].fillna("shared")
    depths = with_depth(frame)["depth"]
    assert depths[:4].tolist() == [2, 1, 2, 1]
    assert depths[4:].isna().all()


def test_without_untrained_networks_depth_is_missing():
    assert with_depth(pd.DataFrame([run("dfa"), run("dfa")]))["depth"].isna().all()
    failed = pd.DataFrame([run(status="failed"), run("dfa")])
    assert with_depth(failed)["depth"].isna().all()
    unprobed = pd.DataFrame([run() | {"probe": None}, run("dfa") | {"probe": None}])
    assert with_depth(unprobed)["depth"].isna().all()
    assert with_depth(pd.DataFrame([run("dfa")]).drop(columns="probe"))["depth"].isna().all()
