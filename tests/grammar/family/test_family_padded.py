"""Rules of two sizes as another program lays them out, against its strings and their law."""

import itertools

import numpy as np
import pytest
import torch

from synaptree import SynaptreeError, make_spec
from synaptree.grammar.family import TreeGrammar
from synaptree.grammar.family.data import encoded
from synaptree.grammar.family.layout import rules_from_top, trees_from_top
from synaptree.grammar.family.posterior import log_probability, posterior
from synaptree.training.data import training_strings

V, N, TWO, THREE, L = 3, 2, 2, 1, 2  # tokens, classes, rules of each size, levels
# Their law: either size equally often, then a rule of it.
LIKELY = {i: np.array([1 / (2 * TWO)] * TWO + [1 / (2 * THREE)] * THREE) for i in range(L)}


def apart(seed):
    """For each level from the top its rules of two and of three children."""
    rng = np.random.default_rng(seed)
    levels = {}
    for i, owners in enumerate([N, *[V] * (L - 1)]):
        levels[i] = {}
        for kind, (m, s) in enumerate([(TWO, 2), (THREE, 3)]):
            tuples = np.array(list(itertools.product(range(V), repeat=s)))
            few = rng.permutation(len(tuples))[: owners * m]
            levels[i][kind] = tuples[few].reshape(owners, m, s)
    return levels


def padded(levels):
    """The same rules in one array a level, with V for missing children, and a last row of V."""
    arrays = {}
    for i, sizes in levels.items():
        array = np.full((len(sizes[0]) + 1, TWO + THREE, 3), V)
        array[:-1, :TWO, :2], array[:-1, TWO:] = sizes[0], sizes[1]
        arrays[i] = array
    return arrays


def every_tree(arrays):
    """All trees that the arrays expand into, row after row, V like any feature: how likely each is,
    and its rows from the class down."""
    found = []
    for y in range(N):
        trees = [(1 / N, [[y]])]
        for i in range(L):
            trees = [
                (p * np.prod([LIKELY[i][k] for k in chosen]),
                 [*rows, [int(c) for f, k in zip(rows[-1], chosen, strict=True)
                          for c in arrays[i][f, k]]])
                for p, rows in trees
                for chosen in itertools.product(range(TWO + THREE), repeat=len(rows[-1]))
            ]  # fmt: skip
        found += trees
    return found


@pytest.mark.parametrize("seed", range(3))
def test_padded_rules_give_the_strings_of_the_other_program(seed):
    arrays = padded(apart(seed))
    source = rules_from_top(arrays, tokens=V, blank=V, probabilities=LIKELY)
    grammar = TreeGrammar(source, layout="packed")
    assert (grammar.v, grammar.n, grammar.d) == (V, N, 3**L)
    # Their strings: the tokens in their order, and V behind them.
    law, joint = {}, {}
    for p, rows in every_tree(arrays):
        tokens = [token for token in rows[-1] if token != V]
        x = (*tokens, *[V] * (3**L - len(tokens)))
        law[x] = law.get(x, 0.0) + p
        joint[x, rows[0][0]] = joint.get((x, rows[0][0]), 0.0) + p
    x = np.array(list(law))
    assert abs(sum(law.values()) - 1) < 1e-12
    assert np.abs(log_probability(grammar, x).exp().numpy() - list(law.values())).max() < 1e-12
    classes = posterior(grammar, x).latents[L][:, 0].numpy()
    theirs = [[joint.get((key, y), 0.0) / p for y in range(N)] for key, p in law.items()]
    assert np.abs(classes - theirs).max() < 1e-12
    # Every string that is drawn here is one of theirs, and all trees are theirs.
    samples = grammar.sample(3000, seed)
    assert {tuple(row) for row in samples.x.tolist()} <= set(law)
    drawn = trees_from_top(samples)
    known = {tuple(map(tuple, rows)) for _, rows in every_tree(arrays)}
    for y, *rows in zip(*(drawn[i].tolist() for i in range(L + 1)), strict=True):
        assert ((y,), *map(tuple, rows)) in known
    # How often a string is drawn: within sampling error of its law.
    likeliest = max(law, key=lambda key: law[key])
    share = (samples.x == likeliest).all(axis=1).mean()
    assert abs(share - law[likeliest]) < 5 * (law[likeliest] / 3000) ** 0.5


def test_rules_that_are_apart_are_those_that_are_padded():
    one = rules_from_top(padded(apart(0)), tokens=V, blank=V, probabilities=LIKELY)
    two = rules_from_top(apart(0), tokens=V, probabilities=LIKELY)
    tensors = [[torch.tensor(rules) for rules in level.values()] for level in apart(0).values()]
    three = rules_from_top(tensors, tokens=V, probabilities=LIKELY)
    assert one == two == three
    assert [len(rows) for rows in one.rules] == [V, N]
    equally = rules_from_top(apart(0), tokens=V)
    assert equally.rules == one.rules
    assert equally.level_rules[0].probabilities[0].tolist() == [1 / 3] * 3


def test_one_hot_codes_are_zero_where_no_token_stands():
    grammar = TreeGrammar(rules_from_top(apart(0), tokens=V, probabilities=LIKELY), layout="packed")
    x = grammar.sample(50, 0).x
    theirs = np.eye(V + 1)[x][:, :, :V].transpose(0, 2, 1)  # v is encoded, and cut off
    assert np.array_equal(encoded(grammar, x, "one-hot").numpy(), theirs)


def test_networks_are_trained_on_such_rules():
    own = rules_from_top(apart(0), tokens=V, probabilities=LIKELY)
    spec = make_spec(rule="dfa", P=50, batch=10, variant={"rules": own})
    assert (spec.v, spec.n, spec.m, spec.s, spec.L, spec.numbers) == (V, N, 3, 3, L, V + 1)
    assert np.array_equal(training_strings(spec).x, TreeGrammar(own).sample(50, 0).x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: rules_from_top(a, tokens=V), "child 3; expected features 0..2 of level 0"),
        (
            lambda a: rules_from_top({**a, 1: np.roll(a[1], 1, axis=2)}, tokens=V, blank=V),
            r"level 1 from the top: rule \[3, .*; expected blanks only at its end",
        ),
        (
            lambda a: rules_from_top({**a, 1: np.roll(a[1], 1, axis=0)}, tokens=V, blank=V),
            "level 1 feature 0: a rule without children",
        ),
        (
            lambda a: rules_from_top(a, tokens=V, blank=V, probabilities=[[0.5, 0.5]] * 2),
            r"own probabilities level 1 feature 0: shape \(2,\); expected \(3,\)",
        ),
        (
            lambda a: rules_from_top(a, tokens=V, blank=V, probabilities=[LIKELY[0]]),
            "own probabilities: 1 levels; expected 2",
        ),
        (
            lambda a: rules_from_top([[a[0], a[1]]], tokens=V, blank=V),
            r"level 0 from the top: shape \(4, 3, 3\); expected",
        ),
    ],
)
def test_mistakes_are_one_line(call, message):
    with pytest.raises(SynaptreeError, match=message) as caught:
        call(padded(apart(0)))
    assert "\n" not in str(caught.value)
