"""Directions of features and synonyms against their definition, on grammars that are listed."""

import numpy as np
import pytest
import torch

from synaptree import RandomHierarchyModel, TreeNet
from synaptree.measures.directions import FEATURES, SYNONYMS, RuleMeans

KINDS = [(4, 3, 2, 2, 2), (5, 5, 3, 2, 2), (4, 2, 2, 2, 3), (3, 3, 3, 3, 2)]


def drawn(kind, width=7):
    """Two grammars and networks, the directions from all of their strings (or many), and x_l."""
    v, n, _, s, L = kind
    grammars = [RandomHierarchyModel(*kind, seed) for seed in (0, 1)]
    g = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    net = TreeNet(v, n, s, L, width, g, dtype=torch.float64)
    samples = [grammar.sample(min(grammar.size, 2000), seed=3) for grammar in grammars]
    means = RuleMeans(net, grammars)
    tokens = torch.from_numpy(np.stack([each.x for each in samples]).astype(np.int64))
    half = tokens.shape[1] // 2
    for part in (slice(half), slice(half, None)):
        some = [
            grammar.parse(each.x[part]) for grammar, each in zip(grammars, samples, strict=True)
        ]
        strings = [
            type(each)(each.x[part], each.y[part], derived.latents)
            for each, derived in zip(samples, some, strict=True)
        ]
        means.add(net.activity(tokens[:, part]), strings)
    return grammars, samples, net, means, net.activity(tokens)


def projector(rows):
    """On the span of rows, by the pseudo-inverse."""
    return np.linalg.pinv(rows, rcond=1e-8) @ rows


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_the_span_of_means_and_what_rules_add_to_it(kind):
    grammars, samples, net, means, activity = drawn(kind)
    for layer in range(1, net.L + 1):
        found = means.directions(layer, torch.float64)
        for r, (grammar, strings) in enumerate(zip(grammars, samples, strict=True)):
            derived = grammar.parse(strings.x)
            x = activity.x[layer - 1][r].flatten(0, 1).numpy()
            feature = derived.latents[layer].flatten()
            choice = derived.choices[layer - 1].flatten()
            of_rule = np.array([
                [x[(feature == a) & (choice == k)].mean(0) for k in range(grammar.m)]
                for a in range(len(grammar.rules[layer - 1]))
            ])  # fmt: skip
            of_feature = of_rule.mean(1)
            apart = projector(of_feature - of_feature.mean(0))
            rules = (of_rule - of_rule.mean((0, 1))).reshape(-1, x.shape[1])
            both = projector(rules)
            F, S = (found[name][r].numpy() for name in (FEATURES, SYNONYMS))
            assert np.allclose(F @ F.T, apart, atol=1e-7)
            assert np.allclose(S @ S.T, both - apart, atol=1e-7)
            assert np.abs(F.T @ S).max() < 1e-9
            sizes = np.linalg.norm(F, axis=0)
            assert set(sizes.round(9)) <= {0.0, 1.0}
            assert sizes.round().sum() <= len(of_feature) - 1


def test_at_layer_1_the_patches_of_the_grammar_alone_decide():
    """Whatever strings are seen, as soon as each rule has occurred: exact, without sampling."""
    grammars, _, _, means, _ = drawn((5, 5, 3, 2, 2))
    found = means.directions(1, torch.float64)
    for r, grammar in enumerate(grammars):
        patches = np.eye(5)[grammar.rules[0]].reshape(5, 3, 10)
        of_feature = patches.mean(1)
        F = found[FEATURES][r].numpy()
        assert np.allclose(F @ F.T, projector(of_feature - of_feature.mean(0)), atol=1e-9)
        # A weight orthogonal to both answers alike to every patch of the grammar.
        rest = np.eye(10) - sum(found[name][r].numpy() @ found[name][r].numpy().T for name in found)
        answers = patches.reshape(-1, 10) @ rest
        assert np.allclose(answers, answers[0])


def test_a_rule_that_never_occurred_has_no_mean():
    grammar = RandomHierarchyModel(4, 3, 2, 2, 2, 0)
    net = TreeNet(4, 3, 2, 2, 5, [torch.Generator().manual_seed(0)], dtype=torch.float64)
    means = RuleMeans(net, [grammar])
    one = grammar.sample(1, seed=0)
    means.add(net.activity(torch.from_numpy(one.x.astype(np.int64)).unsqueeze(0)), [one])
    for layer in (1, 2):
        for columns in means.directions(layer, torch.float64).values():
            assert columns.isfinite().all()
    assert not means.directions(2, torch.float64)[FEATURES].any()  # one feature, nothing to tell
