"""The oracles: counts against slow loops, clusters from exact counts, and what is learned."""

from itertools import permutations

import findings_bounds
import numpy as np
import pandas as pd
import pytest
from tables import RESULTS

from synaptree.errors import SynaptreeError
from synaptree.grammar import exact
from synaptree.grammar.oracles import agreement, at_sizes, beside, clustered, of_class, synonyms
from synaptree.grammar.rhm import RandomHierarchyModel


def test_counts_are_those_of_a_slow_loop():
    rng = np.random.default_rng(0)
    patches, y = rng.integers(5, size=(40, 6)), rng.integers(3, size=40)
    slow_beside, slow_class = np.zeros((5, 6 * 5)), np.zeros((5, 6 * 3))
    for row, label in zip(patches, y, strict=True):
        for parent in range(2):
            for number, (a, b) in enumerate(permutations(range(3), 2)):
                slow_beside[row[3 * parent + a], 5 * number + row[3 * parent + b]] += 1
        for node, patch in enumerate(row):
            slow_class[patch, 3 * node + label] += 1
    assert (beside(patches, 5, 3) == slow_beside).all()
    assert (of_class(patches, 5, y, 3) == slow_class).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("by", ["siblings", "class"])
def test_exact_counts_give_exactly_the_features(seed, by):
    model = RandomHierarchyModel(6, 6, 3, 2, 3, seed)
    if by == "siblings":
        joint = exact.siblings(model, 1)
        counts = np.concatenate([joint, joint.T], 1)
    else:
        counts = np.concatenate([exact.class_patch(model, 1, node).T for node in range(4)], 1)
    there = np.flatnonzero(counts.sum(1))
    owner = {int(a * 6 + b): f for f, rules in enumerate(model.rules[0]) for a, b in rules}
    found = synonyms(counts[there], 6, 0)
    pairs = {(int(cluster), owner[patch]) for cluster, patch in zip(found, there, strict=True)}
    assert len(there) == 18
    assert len(pairs) == 6


def test_agreement_is_that_of_the_best_names():
    rng = np.random.default_rng(1)
    found, true = rng.integers(3, size=(50, 2)), rng.integers(3, size=(50, 2))
    best = max((np.array(names)[found] == true).mean() for names in permutations(range(3)))
    assert agreement(found, true, 3) == pytest.approx(best)


@pytest.mark.parametrize("by", ["siblings", "class"])
def test_with_many_strings_everything_is_read_and_with_few_nothing(by):
    model = RandomHierarchyModel(8, 8, 3, 2, 3, 0)
    few, many = at_sizes(model, [16, 8192], 0, by)
    assert many.accuracy == (1, 1, 1)
    assert many.error == 0
    assert few.accuracy[0] < 0.8
    assert few.error > 0.6


def test_siblings_tell_nothing_where_they_are_independent():
    model = RandomHierarchyModel(6, 6, 6, 2, 2, 0)  # uniform: all pairs of features occur
    (by_siblings,) = at_sizes(model, [1000], 0, "siblings", tests=200)
    (by_class,) = at_sizes(model, [1000], 0, "class", tests=200)
    assert by_class.error == 0
    assert by_siblings.accuracy[0] < 0.6
    assert by_siblings.error > 0.1


def test_patches_that_were_never_seen_are_read_as_some_feature():
    model = RandomHierarchyModel(8, 8, 4, 2, 3, 0)
    one = model.sample(1, 0)
    found = clustered(model, one, model.sample(50, 1), "siblings")
    assert all(0 <= share < 0.6 for share in found.accuracy)


def test_another_oracle_is_refused():
    model = RandomHierarchyModel(4, 4, 2, 2, 2, 0)
    with pytest.raises(SynaptreeError, match="expected 'siblings' or 'class'"):
        clustered(model, model.sample(8, 0), model.sample(8, 1), "time")


def test_kept_rows_come_out_again():
    kept = pd.read_csv(RESULTS / findings_bounds.KEPT)
    for oracle in ("siblings", "class"):
        again = findings_bounds.study.rows(oracle, 4, 3, 204).reset_index(drop=True)
        own = kept.query(f"oracle == '{oracle}' and m == 4 and L == 3 and seed == 204")
        own = own[again.columns].reset_index(drop=True)
        assert own["P"].tolist() == again["P"].tolist()
        # k-means may end elsewhere in the last digits of another processor.
        assert np.abs(own["test_error"] - again["test_error"]).mean() < 0.05


def test_P_star_of_an_oracle_with_known_errors():
    table = pd.DataFrame(
        {"oracle": "class", "m": 4, "L": 3, "seed": seed, "P": [32, 64, 128], "test_error": errors}
        for seed, errors in enumerate([[0.8, 0.0, 0.0], [0.8, 0.0, np.nan]])
    ).explode(["P", "test_error"])
    at = findings_bounds.study.points(table.astype({"P": int, "test_error": float}))
    needs = at["class"][4][3].needs
    assert needs.sizes == (32, 64, 128)
    assert 32 < needs.value <= 64
    assert findings_bounds.crossover.ratio(at["class"][4][3], at["class"][4][3]).value == 1
