"""The first sentence of a judgement, on cells with planted errors."""

import numpy as np
import pytest

from synaptree.claims.second.cells import Cell, Kind
from synaptree.claims.second.study import Study
from synaptree.judgement.beside import Place
from synaptree.judgement.headline import headline

EASY, HARD = Kind(8, 8, 2, 2, 2), Kind(8, 8, 4, 2, 3)
PLACES = [Place(EASY, "L=2 m=2", 64, (64,)), Place(HARD, "L=3 m=4", 512, (512,))]
WORSE = "; its mean test error is higher than that of random features on "


def cell(rule, kind, errors, first=0):
    """A rule's runs on grammars from a seed on; one grammar solved is an error of 0."""
    seeds = tuple(range(first, first + len(errors)))
    P = 64 if kind == EASY else 512
    return Cell(kind, P, rule, rule, seeds, np.array(errors, float))


def said(*cells):
    return headline(PLACES, [c for c in cells if c.rule == "mine"], Study(cells))


def test_a_rule_that_errs_more_than_random_features_is_told_so():
    found = said(
        cell("mine", EASY, [0.0, 0.5, 0.7]),
        cell("readout_only", EASY, [0.1, 0.4, 0.6]),  # means 0.4 and 0.367; better on the first
        cell("backprop", EASY, [0.0, 0.0, 0.0]),
    )
    assert found == (
        f"solves 1 of 3 grammars, on 1 kind (backprop: 3 of 3){WORSE}L=2 m=2 (on 2 of 3 grammars)"
    )


@pytest.mark.parametrize("errors", [[0.3, 0.5], [0.6, 0.2]])  # equal everywhere; equal means
def test_nothing_is_said_of_a_rule_that_errs_as_much(errors):
    found = said(cell("mine", EASY, errors), cell("readout_only", EASY, errors[::-1]))
    assert found == "solves 0 of 2 grammars, on 1 kind (backprop: 0 of 0)"


def test_each_kind_counts_by_itself():
    """Where it is better, where there are no random features, and where it is worse."""
    mine = [cell("mine", EASY, [0.2, 0.2]), cell("mine", HARD, [0.8, 0.8])]
    floor = [cell("readout_only", EASY, [0.3, 0.3]), cell("readout_only", HARD, [0.7, 0.7])]
    assert said(*mine, *floor).endswith(f"{WORSE}L=3 m=4 (on 2 of 2 grammars)")
    assert WORSE not in said(*mine, floor[0])
    low = [cell("readout_only", kind, [0.1, 0.1]) for kind in (EASY, HARD)]
    assert said(*mine, *low).endswith(
        "L=2 m=2 (on 2 of 2 grammars) and L=3 m=4 (on 2 of 2 grammars)"
    )


def test_only_grammars_that_both_were_run_on_are_compared():
    """Over all of its grammars the rule has the higher mean; on the two in common the lower."""
    mine = cell("mine", EASY, [0.8, 0.3, 0.3])
    assert WORSE not in said(mine, cell("readout_only", EASY, [0.4, 0.4], first=1))
    assert WORSE not in said(mine, cell("readout_only", EASY, [0.1, 0.1], first=3))
    assert said(mine, cell("readout_only", EASY, [0.2, 0.2], first=1)).endswith("2 of 2 grammars)")


def test_without_a_finished_run_it_says_that():
    assert said(cell("readout_only", EASY, [0.1])) == "has no finished run"
