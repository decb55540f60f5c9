"""Several networks on one grammar: counted once beside other rules, and compared in a table."""

import pandas as pd
import pytest
from report_frames import run, runs

from synaptree.report.inputs import Inputs
from synaptree.report.tables.variance import TABLE


def inputs(rows):
    return Inputs.of(pd.DataFrame(rows), {})


def several(rule, errors):
    """A run for each error: a list a grammar, a network for each of its errors."""
    return [
        run(rule, error, seed=seed, data_seed=seed, network_seed=seed + i)
        for seed, of_grammar in enumerate(errors)
        for i, error in enumerate(of_grammar)
    ]


def test_every_grammar_counts_once_beside_other_rules():
    made = inputs(several("dfa", [[0.1, 0.3, 0.5], [0.5, 0.7], [0.9]])[::-1])
    assert sorted(made.compared["test_error"]) == [0.1, 0.5, 0.9]
    assert len(made.runs) == 6


def test_shares_of_grammars_and_networks_stand_in_a_table():
    rows = several("dfa", [[0.1, 0.3], [0.5, 0.7]]) + several("drtp", [[0.5, 0.5], [0.5, 0.5]])
    made = TABLE.groups(inputs(rows))
    ((_, of_dfa), (_, of_drtp)) = [(row.head, row.cells) for _, group in made for row in group]
    assert of_dfa == ("2", "2", "78%", "22%")
    assert of_drtp == ("2", "2", "nothing varies", "nothing varies")


@pytest.mark.parametrize("rows", [[], runs("dfa", [0.1, 0.2])])
def test_there_is_no_table_of_single_networks(rows):
    assert not TABLE.groups(inputs(rows or runs("dfa", [0.1])))
