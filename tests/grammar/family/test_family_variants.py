"""What each variant is, held against its definition; and the mistakes that it names."""

import json

import numpy as np
import pytest
from every_tree import every_tree
from hypothesis import given, settings
from hypothesis import strategies as st
from random_variants import grammars, own_rules

from sampled import agree
from synaptree.grammar.exact import mutual_information
from synaptree.grammar.family import (
    CorrelationFree,
    MixedRules,
    Noise,
    OwnRules,
    Sparse,
    TreeGrammar,
    Zipf,
)
from synaptree.grammar.family.ambiguity import two_derivations
from synaptree.grammar.family.laws import budget, joint, marginal, siblings
from synaptree.grammar.family.posterior import log_probability, posterior
from synaptree.grammar.family.predictions import predicted
from synaptree.grammar.rhm import RandomHierarchyModel

often = settings(max_examples=40)
PLAIN = RandomHierarchyModel(4, 3, 2, 2, 2, 0)
MIXED = MixedRules(4, 3, (2, 3), (2, 3), 2, 0)
LARGE = [
    TreeGrammar(RandomHierarchyModel(8, 8, 4, 2, 3, 0), Zipf(0.5), Zipf(0.0), noise=Noise(0.1)),
    TreeGrammar(RandomHierarchyModel(6, 4, 3, 2, 2, 1), sparse=Sparse(1, "B"), noise=Noise(0, 0.2)),
    TreeGrammar(MixedRules(5, 4, (3, 4), (2, 3), 3, 0, (0.7, 0.3)), Zipf(1.0, (2,))),
    TreeGrammar(CorrelationFree(8, 8, 4, 2, 3, 0), noise=Noise(0.05, 0.1, (2,))),
    # Own rules: levels of their own sizes and probabilities, of which some strings are ambiguous.
    TreeGrammar(
        OwnRules(
            [
                [[[0, 1], [1, 2, 0]], [[2, 2], [1, 0]], [[0, 1], [3, 3, 3]], [[1]], [[2, 0]]],
                [[[0, 4], [4]], [[1, 3], [2, 2], [3, 0]], [[0, 1]]],
                [[[0, 1], [1, 2]], [[2, 1], [0, 1]]],
            ],
            [
                [[0.3, 0.7], [0.5, 0.5], [0.9, 0.1], [1.0], [1.0]],
                [[0.8, 0.2], [0.25, 0.5, 0.25], [1.0]],
                [[0.4, 0.6], [0.5, 0.5]],
            ],
            ambiguous=True,
        ),
        noise=Noise(0.1),
    ),
]


# Samples -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(len(LARGE)))
def test_a_million_samples_agree_with_the_exact_joints(index):
    grammar = LARGE[index]
    samples = grammar.sample(1_000_000, 0)
    L, last = grammar.L, grammar.nodes(1) - 1
    pairs = [((L, 0), (1, last)), ((1, 0), (1, 1)), ((L - 1, 1), (1, last)), ((L, 0), (0, 0))]
    for first, second in pairs:
        one, two = (samples.latents[level][:, node] for level, node in (first, second))
        agree(joint(grammar, first, second), one, two)
    seen = joint(grammar, (L, 0), (0, 1), seen=True)
    agree(seen, samples.y, samples.x[:, 1])
    agree(joint(grammar, (0, 0), (0, 1), seen=True), samples.x[:, 0], samples.x[:, 1])


@pytest.mark.parametrize("index", range(len(LARGE)))
def test_samples_agree_with_the_exact_posteriors(index):
    """Of the nodes whose likeliest symbol has probability p, a share p holds it, where half of the
    string is seen."""
    grammar = LARGE[index]
    samples = grammar.sample(60_000 if index == 0 else 20_000, 1)
    x = samples.x.astype(np.int64)
    x[:, grammar.d // 2 :] = -1
    for level in (1, grammar.L):
        node = grammar.nodes(level) - 1
        p, symbol = posterior(grammar, x, [level]).latents[level][:, node].max(dim=1)
        hit = symbol.numpy() == samples.latents[level][:, node]
        p = p.numpy()
        bins = np.minimum((p * 20).astype(int), 19)
        excess = np.bincount(bins, hit - p, 20)
        variance = np.bincount(bins, p * (1 - p), 20)
        assert (np.abs(excess) < 5 * np.sqrt(variance) + 1e-6).all()
        assert variance.sum() > 100  # there was something to be wrong about


@often
@given(grammars(), st.integers(0, 2**60))
def test_samples_are_trees_of_the_grammar(grammar, seed):
    samples = grammar.sample(40, seed)
    prior, levels = every_tree(grammar)
    every = {tuple(np.concatenate(rows).tolist()) for rows in zip(*levels, strict=True)}
    for rows in zip(*samples.latents, strict=True):
        assert tuple(np.concatenate(rows).tolist()) in every
    assert np.array_equal(samples.y, samples.latents[-1][:, 0])
    clean, x = samples.latents[0], samples.x
    blank = clean == grammar.v
    if grammar.layout == "packed":
        order = np.argsort(blank, axis=1, kind="stable")
        clean, blank = (np.take_along_axis(each, order, axis=1) for each in (clean, blank))
    assert np.array_equal(x == grammar.v, blank)
    if grammar.noise is None or not grammar.noise.tokens:
        assert np.array_equal(x, clean)
    again = grammar.sample(20, seed)
    assert np.array_equal(again.x, x[:20])
    if not grammar.noisy:
        assert grammar.derivations == len(prior)


@often
@given(grammars(layout="packed", sparse=None, noise=None), st.data())
def test_lengths_are_the_sum_over_all_trees_and_one_can_be_chosen(grammar, data):
    prior, levels = every_tree(grammar)
    counted = np.bincount((levels[0] < grammar.v).sum(axis=1), prior, grammar.d + 1)
    assert np.abs(grammar.length_probabilities - counted).max() < 1e-12
    length = data.draw(st.sampled_from(np.flatnonzero(counted > 1e-3).tolist()))
    chosen = TreeGrammar(
        grammar.source, grammar.probabilities, grammar.prior, layout="packed", length=length
    )
    x = chosen.sample(30, 1).x
    assert x.shape == (30, grammar.d)
    assert (x[:, :length] < grammar.v).all()
    assert not grammar.has_blank or (x[:, length:] == grammar.v).all()


def test_a_million_packed_strings_have_the_lengths_and_the_posteriors_that_are_calculated():
    grammar = TreeGrammar(MixedRules(3, 3, (2, 2), (2, 3), 2, 2), Zipf(0.5), layout="packed")
    samples = grammar.sample(1_000_000, 0)
    lengths = (samples.x < grammar.v).sum(axis=1)
    agree(grammar.length_probabilities[:, None], lengths, np.zeros_like(lengths))
    # The likeliest strings with several classes: how often each class is theirs.
    strings, inverse, counts = np.unique(samples.x, axis=0, return_inverse=True, return_counts=True)
    classes = posterior(grammar, strings.astype(int)).latents[grammar.L][:, 0].numpy()
    open_ = np.flatnonzero((classes.max(axis=1) < 0.999) & (counts > 1000))
    assert len(open_) >= 3
    likely = log_probability(grammar, strings[open_]).exp().numpy()
    assert (abs(counts[open_] / 1e6 - likely) < 5 * (likely / 1e6) ** 0.5).all()
    for row in open_:
        found = np.bincount(samples.y[inverse.ravel() == row], minlength=grammar.n) / counts[row]
        spread = (classes[row] * (1 - classes[row]) / counts[row]) ** 0.5
        assert (abs(found - classes[row]) < 5 * spread + 1e-9).all()


# Variants ----------------------------------------------------------------------------------------


def test_zipf_is_the_power_law_and_uniform_at_minus_one():
    assert np.allclose(Zipf(0.5).probabilities(3) * (1 + 2**-1.5 + 3**-1.5), [1, 2**-1.5, 3**-1.5])
    assert np.allclose(Zipf(-1).probabilities(4), 0.25)
    grammar = TreeGrammar(RandomHierarchyModel(8, 8, 8, 2, 3, 0), Zipf(1.0, levels=(2,)))
    assert np.allclose(grammar.rules[1].probabilities, Zipf(1.0).probabilities(8))
    assert np.allclose(grammar.rules[0].probabilities, 1 / 8)
    mixed = TreeGrammar(MixedRules(4, 3, (2, 3), (2, 3), 2, 0, (0.25, 0.75)), Zipf(1.0))
    row = mixed.rules[0].probabilities[0]
    assert np.allclose(row, [0.25 * 0.8, 0.25 * 0.2, *(0.75 * Zipf(1.0).probabilities(3))])
    assert np.allclose(marginal(TreeGrammar(PLAIN, prior=(0.5, 0.5, 0.0)), (2, 0)), [0.5, 0.5, 0])


@pytest.mark.parametrize(
    "sizes", [(8, 8, 4, 2, 3), (6, 4, 2, 3, 2), (16, 8, 4, 2, 4), (4, 2, 2, 2, 3)]
)
def test_a_correlation_free_grammar_has_independent_tokens_and_a_class_to_be_learned(sizes):
    source = CorrelationFree(*sizes, seed=1)
    grammar = TreeGrammar(source)
    v, _, b, s, L = sizes
    assert source.m == b ** (s - 1) < v ** (s - 1)
    assert not grammar.ambiguous
    for rules in grammar.rules:
        assert len(np.unique(rules.tuples.reshape(-1, s), axis=0)) == rules.tuples[..., 0].size
    for entry in budget(grammar):
        assert entry["siblings"] < 1e-12
    nodes = [(level, node) for level in range(L) for node in range(min(grammar.nodes(level), 8))]
    for first in nodes:
        for second in nodes:
            if first[0] == second[0] and first != second:
                assert mutual_information(joint(grammar, first, second)) < 1e-12
    told = [mutual_information(joint(grammar, (L, 0), (L - 1, node))) for node in range(s)]
    assert max(told) > 0.1
    assert predicted(grammar).latent_from_siblings == np.inf
    unlike = TreeGrammar(RandomHierarchyModel(v, sizes[1], source.m, s, L, 0))
    assert max(mutual_information(siblings(unlike, level)) for level in range(L)) > 1e-3


def test_all_tokens_of_a_correlation_free_grammar_are_independent_together():
    grammar = TreeGrammar(CorrelationFree(4, 4, 2, 2, 2, 5))
    prior, levels = every_tree(grammar)
    singles = [marginal(grammar, (0, place)) for place in range(4)]
    strings, which = np.unique(levels[0], axis=0, return_inverse=True)
    likely = np.bincount(which.ravel(), prior)
    products = np.prod([p[strings[:, place]] for place, p in enumerate(singles)], axis=0)
    assert np.abs(likely - products).max() < 1e-15


@pytest.mark.parametrize("form", "AB")
@pytest.mark.parametrize("jitter", [True, False])
def test_sparse_strings_hold_s_to_the_L_tokens_in_their_order(form, jitter):
    plain = TreeGrammar(PLAIN)
    grammar = TreeGrammar(PLAIN, sparse=Sparse(2, form, jitter))
    assert grammar.d == 6**2
    samples = grammar.sample(500, 0)
    assert ((samples.x < 4).sum(axis=1) == 4).all()
    known = {tuple(row) for row in every_tree(plain)[1][0].tolist()}
    assert {tuple(row[row < 4].tolist()) for row in samples.x} <= known
    where = samples.latents[1] < 4
    placed = {tuple(np.flatnonzero(row).tolist()) for row in where}
    block = [places for places in placed if places[0] < 3 <= places[1]]
    if jitter:
        assert len(placed) == {"A": 9, "B": 15}[form]
    assert form == "B" or len(block) == len(placed)
    by_rule = {tuple(row.tolist()) for row in samples.latents[1]}
    rules = len({tuple(row[row < 4].tolist()) for row in samples.latents[1]})
    assert jitter or len(by_rule) == rules
    told = predicted(grammar)
    law = 3 * 2**2
    assert told.supervised == (law * 9 if form == "A" and jitter else None)
    assert told.supervised_shared == (law * 9 if form == "A" and jitter else None)


def test_mixed_rules_have_both_sizes_and_padding():
    grammar = TreeGrammar(MIXED)
    x = grammar.sample(2000, 0).x
    assert grammar.d == 9
    assert set((x < 4).sum(axis=1).tolist()) == set(range(4, 10))
    packed = TreeGrammar(MIXED, layout="packed").sample(2000, 0).x
    assert np.array_equal(np.sort(x < 4, axis=1)[:, ::-1], packed < 4)
    assert [row[row < 4].tolist() for row in x] == [row[row < 4].tolist() for row in packed]


# Own rules ---------------------------------------------------------------------------------------


@often
@given(st.data(), st.integers(1, 2))
def test_ambiguity_is_found_exactly_where_a_string_has_two_trees(data, L):
    source = own_rules(data.draw, L)
    _, levels = every_tree(TreeGrammar(source))
    strings = {tuple(row) for row in levels[0].tolist()}
    twice = [
        row
        for row in strings
        if len(
            {
                tuple(np.concatenate(t).tolist())
                for t in zip(*levels, strict=True)
                if tuple(t[0].tolist()) == row
            }
        )
        > 1
    ]
    doubled = any(
        len({rule for rule, p in zip(rules, weights, strict=True) if p > 0})
        < sum(p > 0 for p in weights)
        for rows, likely in zip(source.rules, source.probabilities, strict=True)
        for rules, weights in zip(rows, likely, strict=True)
    )
    pair = two_derivations(source.level_rules)
    if pair is None:
        assert not twice
    else:
        assert twice or doubled
        one, two = (leaves(tree) for tree in pair)
        assert one == two
        assert pair[0] != pair[1] or doubled
    if twice:
        assert pair is not None


def leaves(tree):
    symbol, children = tree
    return [symbol] if not children else [leaf for child in children for leaf in leaves(child)]


def test_own_rules_are_read_from_arrays_and_files(tmp_path):
    own = OwnRules(PLAIN.rules)
    assert own == OwnRules([rules.tolist() for rules in PLAIN.rules])
    for mine, theirs in zip(own.level_rules, TreeGrammar(PLAIN).rules, strict=True):
        assert np.array_equal(mine.tuples, theirs.tuples)
        assert np.array_equal(mine.probabilities, theirs.probabilities)
    same, plain = TreeGrammar(own).sample(50, 3), TreeGrammar(PLAIN).sample(50, 3)
    assert np.array_equal(same.x, plain.x)
    ragged = OwnRules(
        [[[[0, 1]], [[1]]], [[[0, 1, 0]], [[1, 1], [0, 0]]]],
    )
    (tmp_path / "rules.json").write_text(ragged.to_json())
    assert OwnRules.from_json(tmp_path / "rules.json") == ragged
    likely = OwnRules([[[[0, 1], [1, 1]], [[1, 0]]]], [[[0.25, 0.75], [1.0]]])
    (tmp_path / "rules.json").write_text(likely.to_json())
    assert OwnRules.from_json(tmp_path / "rules.json") == likely


def test_ambiguity_is_allowed_by_name():
    own = OwnRules([[[[0, 1]], [[0, 1]]]], ambiguous=True)
    assert TreeGrammar(own).ambiguous
    assert not TreeGrammar(PLAIN).ambiguous
    assert json.loads(own.to_json())["rules"] == [[[[0, 1]], [[0, 1]]]]
