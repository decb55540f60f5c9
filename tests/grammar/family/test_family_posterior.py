"""Posteriors against a sum over all trees, and against what is drawn."""

import numpy as np
import pytest
import torch
from every_tree import every_tree, likelihoods, posteriors
from hypothesis import given, settings
from hypothesis import strategies as st
from random_variants import grammars, seeds

from synaptree.errors import SynaptreeError
from synaptree.grammar.family import (
    MixedRules,
    Noise,
    OwnRules,
    Sparse,
    TreeGrammar,
    Zipf,
    tree_sums,
)
from synaptree.grammar.family.posterior import log_probability, posterior, sample_posterior
from synaptree.grammar.rhm import RandomHierarchyModel

often = settings(max_examples=60)


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
        assert abs(float(found.log_evidence[row]) - evidence) < 1e-12
        for level, table in enumerate(tables):
            assert np.abs(found.latents[level][row].numpy() - table).max() < 1e-12
    assert torch.equal(log_probability(grammar, xs), found.log_evidence)


def hide_tokens(grammar, x, data):
    return np.where(x < grammar.v, masked(x, data), x)


@often
@given(grammars(layout="packed", sparse=None, most=600), seeds, st.data())
def test_posteriors_of_strings_of_one_length(grammar, seed, data):
    lengths = np.flatnonzero(grammar.length_probabilities > 1e-3).tolist()
    dials = (grammar.probabilities, grammar.prior, None, grammar.noise, "packed")
    chosen = TreeGrammar(grammar.source, *dials, data.draw(st.sampled_from(lengths)))
    trees = every_tree(chosen)
    x = hide_tokens(chosen, chosen.sample(1, seed).x[0].astype(int), data)
    found = posterior(chosen, x)
    evidence, tables = posteriors(chosen, trees, x)
    assert abs(float(found.log_evidence[0]) - evidence) < 1e-12
    for level, table in list(enumerate(tables))[1:]:
        assert np.abs(found.latents[level][0].numpy() - table).max() < 1e-12


@often
@given(grammars(layout="aligned"), seeds, st.data())
def test_logarithms_from_the_first_level_on_give_the_same(grammar, seed, data):
    x = masked(grammar.sample(1, seed).x[0], data)[None]
    levels = range(grammar.L + 1)
    one = posterior(grammar, x, levels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree_sums, "_could_vanish", lambda *_: True)
        two = posterior(grammar, x, levels)
    assert torch.allclose(one.log_evidence, two.log_evidence, atol=1e-12)
    for level in levels:
        assert torch.allclose(one.latents[level], two.latents[level], atol=1e-12, rtol=0)


@often
@given(grammars(layout="aligned", most=500), seeds, st.data())
def test_known_nodes_and_likelihoods_of_ones_own(grammar, seed, data):
    trees = every_tree(grammar)
    samples = grammar.sample(1, seed)
    level = data.draw(st.integers(0, grammar.L))
    node = data.draw(st.integers(0, grammar.nodes(level) - 1))
    x = masked(samples.x[0], data)
    symbol = samples.latents[level][:, node].astype(int)
    fits = trees[1][level][:, node] == symbol
    found = posterior(grammar, x, known={(level, node): symbol})
    evidence, tables = posteriors(grammar, (trees[0] * fits, trees[1]), x)
    assert abs(float(found.log_evidence[0]) - evidence) < 1e-12
    assert np.abs(found.latents[1][0].numpy() - tables[1]).max() < 1e-12
    soft = data.draw(st.integers(0, 2**30))
    odds = np.random.default_rng(soft).random((grammar.d, grammar.symbols[0]))
    of_tree = odds[np.arange(grammar.d), trees[1][0]].prod(axis=1) * trees[0]
    found = posterior(grammar, None, likelihoods=torch.from_numpy(odds[None]))
    table = np.zeros(grammar.n)
    np.add.at(table, trees[1][-1][:, 0], of_tree / of_tree.sum())
    assert np.abs(found.latents[grammar.L][0, 0].numpy() - table).max() < 1e-12
    assert abs(float(found.log_evidence[0]) - np.log(of_tree.sum())) < 1e-12


DRAWN = [
    TreeGrammar(RandomHierarchyModel(3, 2, 2, 2, 2, 0), Zipf(0.5), noise=Noise(0.2, 0.3)),
    TreeGrammar(RandomHierarchyModel(3, 2, 1, 2, 2, 1), sparse=Sparse(1), noise=Noise(0.1)),
    TreeGrammar(MixedRules(3, 2, (2, 1), (2, 3), 2, 0), layout="packed"),
    TreeGrammar(
        MixedRules(3, 2, (1, 1), (2, 3), 2, 3), noise=Noise(0.3, 0.2, (2,)), layout="packed"
    ),
]


@pytest.mark.parametrize("index", range(len(DRAWN)))
def test_trees_are_drawn_from_their_posterior(index):
    grammar = DRAWN[index]
    P = 400 if grammar.layout == "packed" else 4000
    prior, levels = every_tree(grammar)
    x = grammar.sample(1, 4).x[0].astype(int)
    x[[0, 2]] = np.where(x[[0, 2]] < grammar.v, -1, x[[0, 2]])
    joint = prior * likelihoods(grammar, levels[0], x)
    trees = {}
    for p, rows in zip(joint / joint.sum(), zip(*levels, strict=True), strict=True):
        tree = tuple(np.concatenate(rows).tolist())
        trees[tree] = trees.get(tree, 0.0) + p
    drawn = sample_posterior(grammar, np.repeat(x[None], P, axis=0), 0)
    seen = [tuple(row) for row in torch.cat(drawn, dim=1).tolist()]
    number = {tree: i for i, tree in enumerate(trees)}
    counts = np.bincount([number[tree] for tree in seen], minlength=len(trees))
    expected = np.array(list(trees.values())) * P
    common = expected > 5  # rarer trees are counted together
    counts = np.append(counts[common], counts[~common].sum())
    expected = np.append(expected[common], expected[~common].sum())
    chi2 = ((counts - expected)[expected > 0] ** 2 / expected[expected > 0]).sum()
    dof = max((expected > 0).sum() - 1, 1)
    assert chi2 < dof + 6 * (2 * dof) ** 0.5
    assert counts[expected == 0].sum() == 0


def test_deep_and_wide_grammars_do_not_overflow():
    grammar = TreeGrammar(RandomHierarchyModel(32, 32, 32, 2, 10, 0), noise=Noise(0.05))
    samples = grammar.sample(2, 0)
    found = posterior(grammar, samples.x)
    # A slow reference: logarithms, one node at a time.
    for row in range(2):
        messages = np.log(np.eye(32) * 0.95 + 0.05 / 32)[samples.x[row].astype(int)]
        for rules in grammar.rules:
            left, right = messages[0::2], messages[1::2]
            terms = left[:, rules.tuples[..., 0]] + right[:, rules.tuples[..., 1]]
            messages = np.logaddexp.reduce(terms, axis=2) - np.log(32)
        top = messages[0] - np.log(32)
        total = np.logaddexp.reduce(top)
        assert abs(float(found.log_evidence[row]) - total) < 1e-9 * abs(total)
        assert np.abs(found.latents[10][row, 0].numpy() - np.exp(top - total)).max() < 1e-9
    for latent in found.latents.values():
        assert torch.allclose(latent.sum(dim=2), torch.ones(()).double(), atol=1e-9)


def test_evidence_against_all_odds_is_not_lost():
    """Two tokens that only noise of 1e-200 explains: their product is below the smallest number."""
    own = OwnRules([[[[0, 0, 0, 0]], [[1, 1, 1, 2]]]], tokens=3)
    grammar = TreeGrammar(own, noise=Noise(1e-200))
    found = posterior(grammar, [[2, 2, 2, 2], [2, 2, 0, 0], [1, 1, 0, 0]])
    off = np.log(1e-200 / 3)
    expected = np.log(0.5) + np.array([3 * off, 2 * off, 2 * off + np.log(2)])
    assert np.abs(found.log_evidence.numpy() - expected).max() < 1e-9
    classes = found.latents[1][:, 0].numpy()
    assert np.abs(classes - [[0, 1], [1, 0], [0.5, 0.5]]).max() < 1e-12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: posterior(g, [0, 1, 2, 9]), r"posterior x: 9 at place 3 of string 0; .*0\.\.2"),
        (lambda g: posterior(g, [0, 1]), r"posterior x: shape \(2,\); .*d=4"),
        (lambda g: posterior(g, [0.0] * 4), "posterior x: dtype float64; expected integers"),
        (lambda g: posterior(g, [0] * 4, [3]), "posterior levels: 3; expected an integer from 0"),
        (lambda g: posterior(g, [0] * 4, known={(1, 2): [0]}), "known node of level 1: 2"),
        (lambda g: posterior(g, [0] * 4, known={(1, 0): [3]}), r"known \(1, 0\): \[3\]; .*0\.\.2"),
        (
            lambda g: posterior(g, None, likelihoods=torch.ones(1, 4)),
            "posterior likelihoods: shape",
        ),
        (lambda g: posterior(g, impossible(g)), "string 1 cannot come from this grammar"),
        (lambda g: sample_posterior(g, impossible(g), 0), "string 1 cannot come from this"),
        (
            lambda g: posterior(PACKED, [0, 1, 3, 2] + [3] * 5),
            "string 0 has a blank before a token",
        ),
        (lambda g: posterior(PACKED, [0] * 9, known={(1, 0): [0]}), "a packed string hides where"),
    ],
)
def test_mistakes_are_named(call, message):
    grammar = TreeGrammar(RandomHierarchyModel(3, 2, 2, 2, 2, 0))
    with pytest.raises(SynaptreeError, match=message):
        call(grammar)


PACKED = TreeGrammar(MixedRules(3, 2, (2, 1), (2, 3), 2, 0), layout="packed")


def impossible(grammar):
    """A string of the grammar, and one that is none."""
    good = grammar.sample(1, 0).x
    every = np.indices((3,) * 4).reshape(4, -1).T
    never = every[torch.isneginf(log_probability(grammar, every)).numpy()]
    return np.concatenate([good, never[:1]])
