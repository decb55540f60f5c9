"""Posteriors against a sum over all trees, and against what is drawn."""

import numpy as np
import torch
from every_tree import every_tree, posteriors
from hypothesis import given, settings
from hypothesis import strategies as st
from random_variants import grammars, seeds

from synaptree.grammar.family.posterior import log_probability, posterior

often = settings(max_examples=60, deadline=None)


def masked(x, data):
    hidden = data.draw(st.lists(st.booleans(), min_size=len(x), max_size=len(x)))
    return np.where(hidden, -1, x.astype(int))


@often
@given(grammars(), seeds, st.data())
def test_posteriors_are_the_sum_over_all_trees(grammar, seed, data):
    trees = every_tree(grammar)
    assert abs(trees[0].sum() - 1) < 1e-12
    xs = grammar.sample(3, seed).x.astype(int)
    xs[1:] = [
        masked(x, data) if grammar.layout == "aligned" else hide_tokens(grammar, x, data)
        for x in xs[1:]
    ]
    found = posterior(grammar, xs, range(grammar.L + 1))
    for row, x in enumerate(xs):
        evidence, tables = posteriors(grammar, trees, x)
        assert abs(float(found.log_evidence[row]) - evidence) < 1e-11
        for level, table in enumerate(tables):
            assert np.abs(found.latents[level][row].numpy() - table).max() < 1e-12
    assert torch.equal(log_probability(grammar, xs), found.log_evidence)


def hide_tokens(grammar, x, data):
    return np.where(x < grammar.v, masked(x, data), x)
