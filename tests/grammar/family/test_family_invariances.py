"""Shifts and synonyms change what they may change, and nothing else."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_variants import grammars, seeds, sources

from synaptree.errors import SynaptreeError
from synaptree.grammar.family import Noise, OwnRules, Sparse, TreeGrammar
from synaptree.grammar.family.invariances import shift, synonym
from synaptree.grammar.family.posterior import log_probability, posterior
from synaptree.grammar.rhm import RandomHierarchyModel

often = settings(max_examples=40)
PLAIN = RandomHierarchyModel(4, 3, 2, 2, 2, 0)


def features(row, blank):
    return row[row != blank].tolist()


@often
@given(st.data(), seeds, st.sampled_from("AB"), st.integers(1, 2))
def test_a_shift_moves_features_and_changes_no_probability(data, seed, form, s0):
    source = data.draw(sources(("plain", "mixed")))
    grammar = data.draw(
        grammars(most=1e9, source=source, sparse=Sparse(s0, form), layout="aligned")
    )
    samples = grammar.sample(30, seed)
    level = data.draw(st.integers(1, grammar.L))
    moved = shift(grammar, samples, level, seed)
    for at, (old, new) in enumerate(zip(samples.latents, moved.latents, strict=True)):
        if at >= level:
            assert np.array_equal(old, new)
        blank = grammar.symbols[at] - 1 if at < grammar.L else -1
        for before, after in zip(old, new, strict=True):
            assert features(before, blank) == features(after, blank)
    for before, after in zip(samples.x, moved.x, strict=True):
        assert features(before, grammar.v) == features(after, grammar.v)
    one, two = (posterior(grammar, each.x, [grammar.L]) for each in (samples, moved))
    assert torch.allclose(one.log_evidence, two.log_evidence, atol=1e-10)
    assert torch.allclose(one.latents[grammar.L], two.latents[grammar.L], atol=1e-10)


def test_shifts_reach_all_places_equally_often():
    grammar = TreeGrammar(PLAIN, sparse=Sparse(2))
    one = grammar.sample(1, 0)
    many = type(one)(
        *(np.repeat(each, 9000, axis=0) for each in (one.x, one.y)),
        tuple(np.repeat(each, 9000, axis=0) for each in one.latents),
    )
    moved = shift(grammar, many, 2, 1)
    places = [tuple(np.flatnonzero(row != 4).tolist()) for row in moved.latents[1]]
    counts = np.array([places.count(place) for place in set(places)])
    assert len(counts) == 9
    assert np.abs(counts - 1000).max() < 5 * (1000 * 8 / 9) ** 0.5


@often
@given(grammars(noise=None, layout="aligned", most=1e9), seeds, st.data())
def test_a_synonym_changes_the_rules_of_one_level(grammar, seed, data):
    assume(not grammar.ambiguous and (grammar.sparse is None or grammar.sparse.jitter))
    level = data.draw(st.integers(1, grammar.L))
    sizes = [rules.sizes for rules in grammar.rules[: level - 1]]
    assume(all((each == each[0]).all() for each in sizes))
    samples = grammar.sample(30, seed)
    other = synonym(grammar, samples, level, seed)
    assert np.array_equal(samples.y, other.y)
    for at in range(level, grammar.L + 1):
        assert np.array_equal(samples.latents[at], other.latents[at])
    for at in range(level):
        blank = grammar.symbols[at] - 1 if grammar.has_blank else -1
        assert np.array_equal(samples.latents[at] == blank, other.latents[at] == blank)
    assert torch.isfinite(log_probability(grammar, other.x)).all()
    assert np.array_equal(other.x, other.latents[0])
    rules = grammar.rules[level - 1]
    places = grammar.places[level - 1]
    before, after = (each.latents[level - 1].reshape(-1, places) for each in (samples, other))
    parents = samples.latents[level].ravel().astype(int)
    features = parents < len(rules.tuples)
    counts = (rules.probabilities > 0)[:, :, None] & (
        rules.sizes[:, :, None] == rules.sizes[:, None]
    )
    alone = (counts.sum(axis=1) < 2).any(axis=1)
    changed = (before != after).any(axis=1)
    sure = features & ~alone[np.minimum(parents, len(alone) - 1)]
    if rules.sizes.min() == rules.sizes.max() or not alone.any():
        assert changed[sure].all()
    assert not changed[~features].any()


def test_synonyms_of_the_plain_model_have_its_law():
    model = RandomHierarchyModel(4, 3, 3, 2, 3, 1)
    grammar = TreeGrammar(model)
    samples = grammar.sample(200, 0)
    other = synonym(grammar, samples, 2, 5)
    before, after = model.parse(samples.x), model.parse(other.x)
    assert (before.choices[1] != after.choices[1]).all()
    for level in (0, 2):
        assert np.array_equal(before.choices[level], after.choices[level])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: shift(TreeGrammar(PLAIN), s, 1, 0), "shift: a grammar without jitter"),
        (lambda s: synonym(TreeGrammar(PLAIN, noise=Noise(0.1)), s, 1, 0), "do not show their rul"),
        (
            lambda s: synonym(TreeGrammar(PLAIN, sparse=Sparse(1, "A", False)), s, 1, 0),
            "synonym: a sparse grammar without jitter",
        ),
        (lambda s: synonym(TreeGrammar(PLAIN), s, 3, 0), "synonym level: 3; expected an integer"),
        (
            lambda s: synonym(
                TreeGrammar(OwnRules([[[[0, 1]], [[1, 1, 1]]], [[[0, 1]], [[1, 1]]]])), s, 2, 0
            ),
            "the features of level 1 have rules of different sizes",
        ),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(SynaptreeError, match=message):
        call(TreeGrammar(PLAIN).sample(2, 0))
