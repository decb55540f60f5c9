"""The signal budget against samples, against the exact distributions of pairs, and its limits."""

import itertools

import numpy as np
import pytest

from sampled import agree
from synaptree.errors import SynaptreeError
from synaptree.grammar.clips import draw_clips
from synaptree.grammar.exact import (
    class_patch,
    feature_given_class,
    mutual_information,
    same_class,
    siblings,
)
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.views.budget import SHOWN, signal_budget
from synaptree.views.information import trace_information, two_frames, two_nodes

MODEL = RandomHierarchyModel(v=4, n=3, m=2, s=2, L=3, seed=1)
WIDE = RandomHierarchyModel(v=3, n=4, m=2, s=3, L=2, seed=2)
REDRAW = [(0.3, 0.3, 0.3), (1.0, 0.0, 0.0), (0.2, 0.9, 0.4)]


@pytest.mark.parametrize("redraw", REDRAW)
@pytest.mark.parametrize("level", [1, 2, 3])
def test_two_frames_are_those_of_clips(level, redraw):
    P = 400_000
    clips = draw_clips(MODEL, P, 3, 2, redraw)
    joint = np.zeros(())
    for node in range(2 ** (3 - level)):
        joint = two_frames(MODEL, level, node, redraw)
        # What stands at a node: its feature and the rule in use, found from the tuple below it.
        feature = np.asarray(clips.latents[level])[:, node].astype(int)
        below = np.asarray(clips.latents[level - 1]).reshape(P, -1, 2)[:, node]
        used = MODEL.rules[level - 1][feature]  # (P, m, s)
        rule = (used == below[:, None]).all(-1).argmax(1)
        patch = feature * MODEL.m + rule
        agree(joint, patch[::2], patch[1::2])


@pytest.mark.parametrize("model", [MODEL, WIDE])
def test_two_nodes_are_those_of_samples(model):
    drawn = model.sample(400_000, 5, replace=True)
    for level in range(1, model.L):
        count = model.s ** (model.L - level)
        features = np.asarray(drawn.latents[level])
        for first in range(count):
            for second in range(count):
                if first != second:
                    joint = two_nodes(model, level, first, second)
                    agree(joint, features[:, first], features[:, second])


def test_redrawing_everything_is_another_input_of_the_class_and_nothing_is_the_same_input():
    for level in (1, 2, 3):
        every = mutual_information(two_frames(MODEL, level, 0, (1, 1, 1)))
        assert every == pytest.approx(mutual_information(same_class(MODEL, level, 0)), abs=1e-12)
        none = mutual_information(two_frames(MODEL, level, 0, (0, 0, 0)))
        p = feature_given_class(MODEL, level, 0).mean(0)
        entropy = -(p[p > 0] * np.log2(p[p > 0])).sum() + 1
        assert none == pytest.approx(entropy, abs=1e-12)


def slow_trace(model, level, node, K):
    given = feature_given_class(model, level, node)
    n, v = given.shape
    joint = np.zeros((v**K, v))
    for code in range(v**K):
        others = [code // v**k % v for k in range(K)]
        for c in range(n):
            joint[code] += np.prod([given[c, x] for x in others]) * given[c] / n
    return mutual_information(joint)


@pytest.mark.parametrize("K", [1, 2, 4])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_trace_is_all_its_inputs_together(level, K):
    found = trace_information(MODEL, level, 0, K)
    assert found == pytest.approx(slow_trace(MODEL, level, 0, K), abs=1e-10)


def test_a_longer_trace_says_more_and_never_more_than_the_class():
    model = RandomHierarchyModel(v=4, n=4, m=3, s=2, L=3, seed=0)
    for level in (1, 2):
        bits = [trace_information(model, level, 1, K) for K in (1, 2, 4, 8, 32)]
        assert bits[0] == pytest.approx(mutual_information(same_class(model, level, 1)), abs=1e-12)
        assert all(a < b for a, b in itertools.pairwise(bits))
        limit = mutual_information(class_patch(model, level, 1))
        assert 0.9 * limit < bits[-1] < limit


def test_uniform_inputs_offer_nothing_within_an_input_and_something_between_inputs():
    model = RandomHierarchyModel(v=4, n=4, m=4, s=2, L=3, seed=0)
    for view in ("sibling", "half_mask"):
        *below, top = signal_budget(model, view)
        assert top is None
        assert below == pytest.approx([0.0, 0.0], abs=1e-12)
    for view in ("same_class", "trace:7", "movie:0.1", "same_latent:1"):
        assert all(bits > 1e-3 for bits in signal_budget(model, view))


def test_it_is_a_mean_over_positions():
    found = signal_budget(MODEL, "half_mask")
    expected = np.mean([mutual_information(two_nodes(MODEL, 1, j, (j + 2) % 4)) for j in range(4)])
    assert found[0] == pytest.approx(expected)
    odd = signal_budget(WIDE, "half_mask")[0]
    pairs = [mutual_information(two_nodes(WIDE, 1, j, (j + 1) % 3)) for j in range(3)]
    assert odd == pytest.approx(np.mean(pairs))
    deep = RandomHierarchyModel(v=3, n=3, m=2, s=3, L=3, seed=4)
    for model in (MODEL, deep):
        for level in range(1, model.L):
            parents = model.s ** (model.L - level - 1)
            slots = [(k, (k + 1) % model.s) for k in range(model.s)]
            each = [
                mutual_information(siblings(model, level, parent, pair, of="feature"))
                for parent in range(parents)
                for pair in slots
            ]
            assert signal_budget(model, "sibling")[level - 1] == pytest.approx(np.mean(each))


def test_same_latent_keeps_what_is_above_its_level():
    """At the level itself the feature; above it the whole patch; below it less."""
    bits = signal_budget(MODEL, "same_latent:2")
    entropy = {}
    for level in (2, 3):
        each = [feature_given_class(MODEL, level, j).mean(0) for j in range(2 ** (3 - level))]
        entropy[level] = np.mean([-(p[p > 0] * np.log2(p[p > 0])).sum() for p in each])
    assert bits[1] == pytest.approx(entropy[2])
    assert bits[2] == pytest.approx(entropy[3] + 1)  # the rule in use, one of m = 2, is kept
    assert 0 < bits[0] < bits[1]


def test_every_view_has_a_budget_or_says_that_it_has_none():
    for view in (*SHOWN, "half_mask:neurons", "half_mask:redrawn"):
        bits = signal_budget(MODEL, view)
        assert len(bits) == 3
        assert all(b is None or 0 <= b < 10 for b in bits)
    large = RandomHierarchyModel(v=32, n=32, m=8, s=2, L=9, seed=0)
    assert signal_budget(large, "trace:15")[0] is None
    with pytest.raises(SynaptreeError, match="sibling"):
        signal_budget(MODEL, "siblings")
