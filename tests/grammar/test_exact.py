"""Exact distributions against a hand-made grammar, a literal enumeration and a million samples."""

import json
from functools import partial
from math import inf, log2

import numpy as np
import pytest

from sampled import agree
from synaptree.errors import SynaptreeError
from synaptree.grammar.exact import (
    class_patch,
    describe,
    feature_given_class,
    inputs_uniform,
    mutual_information,
    predicted_sample_complexity,
    same_class,
    siblings,
    transition,
)
from synaptree.grammar.integers import tuple_codes
from synaptree.grammar.rhm import RandomHierarchyModel

MODEL = RandomHierarchyModel(v=4, n=3, m=2, s=2, L=3, seed=1)
WIDE = RandomHierarchyModel(v=3, n=4, m=2, s=3, L=2, seed=2)
P = 1_000_000


@pytest.fixture(scope="module")
def samples():
    return {
        model: (model.sample(P, 0, replace=True), model.sample(P, 1, replace=True))
        for model in (MODEL, WIDE)
    }


def patches(model, latents, level):
    """What stands at each node of a level, (P, nodes): patch codes."""
    below = latents[level - 1]
    return tuple_codes(below.reshape(len(below), -1, model.s), model.v)


@pytest.mark.parametrize("model", [MODEL, WIDE])
def test_class_and_patch_agree_with_a_million_samples(model, samples):
    one, _ = samples[model]
    for level in range(1, model.L + 1):
        seen = patches(model, one.latents, level)
        for node in range(seen.shape[1]):
            agree(class_patch(model, level, node), one.y, seen[:, node])
            if level < model.L:
                feature = one.latents[level][:, node]
                agree(class_patch(model, level, node, of="feature"), one.y, feature)
    for node in range(model.d):
        agree(feature_given_class(model, 0, node) / model.n, one.y, one.x[:, node])


@pytest.mark.parametrize("model", [MODEL, WIDE])
def test_siblings_agree_with_a_million_samples(model, samples):
    one, _ = samples[model]
    for level in range(1, model.L):
        seen = patches(model, one.latents, level).reshape(P, -1, model.s)
        for parent in range(seen.shape[1]):
            for a, b in [(0, 1), (model.s - 1, 0)]:
                exact = siblings(model, level, parent, (a, b))
                agree(exact, seen[:, parent, a], seen[:, parent, b])
        every = [siblings(model, level, parent) for parent in range(seen.shape[1])]
        assert np.allclose(siblings(model, level), np.mean(every, axis=0), atol=1e-15)


@pytest.mark.parametrize("model", [MODEL, WIDE])
def test_two_inputs_of_one_class_agree_with_a_million_samples(model, samples):
    one, two = (
        [latent[np.argsort(half.y, kind="stable")] for latent in half.latents]
        for half in samples[model]
    )
    pairs = one[-1][:, 0] == two[-1][:, 0]  # sorted by class, all but a few positions agree
    assert pairs.mean() > 0.99
    for level in range(1, model.L + 1):
        first, second = patches(model, one, level), patches(model, two, level)
        for node in range(first.shape[1]):
            joint = same_class(model, level, node)
            agree(joint, first[pairs, node], second[pairs, node])


def test_a_grammar_made_by_hand():
    model = RandomHierarchyModel(v=2, n=2, m=1, s=2, L=2, seed=0)
    # class 0 -> 0 1, class 1 -> 1 1; feature 0 -> 0 0, feature 1 -> 1 0.
    rules = (np.array([[[0, 0]], [[1, 0]]]), np.array([[[0, 1]], [[1, 1]]]))
    model.__dict__["rules"] = rules
    assert transition(model, 2, 0).tolist() == [[1, 0], [0, 1]]
    assert transition(model, 2, 1).tolist() == [[0, 1], [0, 1]]
    assert transition(model, 1, 1).tolist() == [[1, 0], [1, 0]]
    assert feature_given_class(model, 0, 0).tolist() == [[1, 0], [0, 1]]  # tokens 0010 and 1010
    assert feature_given_class(model, 0, 2).tolist() == [[0, 1], [0, 1]]
    assert class_patch(model, 1, 0).tolist() == [[0.5, 0, 0, 0], [0, 0, 0.5, 0]]
    assert mutual_information(class_patch(model, 1, 0)) == 1
    assert mutual_information(class_patch(model, 1, 1)) == 0
    assert siblings(model, 1, of="feature").tolist() == [[0, 0.5], [0, 0.5]]
    assert siblings(model, 1, slots=(1, 0), of="feature").tolist() == [[0, 0], [0.5, 0.5]]
    assert same_class(model, 1, 0, of="feature").tolist() == [[0.5, 0], [0, 0.5]]
    assert mutual_information(same_class(model, 1, 0)) == 1


def test_a_level_between():
    """One rule by hand with m = 2: half the mass on each tuple, by position."""
    model = RandomHierarchyModel(v=2, n=2, m=2, s=2, L=1, seed=0)
    model.__dict__["rules"] = (np.array([[[0, 0], [0, 1]], [[1, 0], [1, 1]]]),)
    assert transition(model, 1, 0).tolist() == [[1, 0], [0, 1]]
    assert transition(model, 1, 1).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert class_patch(model, 1, 0).tolist() == [[0.25, 0.25, 0, 0], [0, 0, 0.25, 0.25]]


@pytest.mark.parametrize("model", [MODEL, WIDE])
def test_marginals_and_the_same_information_of_patches_and_features(model):
    every = [
        (level, node)
        for level in range(1, model.L + 1)
        for node in range(model.s ** (model.L - level))
    ]
    for level, node in every:
        joint, twin = class_patch(model, level, node), same_class(model, level, node)
        assert joint.shape == (model.n, model.v**model.s)
        assert twin.shape == (model.v**model.s, model.v**model.s)
        assert np.allclose(joint.sum(axis=1), 1 / model.n, atol=1e-15)
        assert np.allclose(twin.sum(axis=0), joint.sum(axis=0), atol=1e-15)
        assert np.allclose(twin, twin.T, atol=1e-15)
        for law in (class_patch, same_class):
            patch, feature = (law(model, level, node, of=of) for of in ("patch", "feature"))
            assert mutual_information(patch) == pytest.approx(
                mutual_information(feature), abs=1e-12
            )
    for level in range(1, model.L):
        patch, feature = (siblings(model, level, 0, of=of) for of in ("patch", "feature"))
        assert mutual_information(patch) == pytest.approx(mutual_information(feature), abs=1e-12)
        assert np.allclose(
            feature.sum(axis=1), feature_given_class(model, level, 0).mean(axis=0), atol=1e-15
        )


@pytest.mark.parametrize(
    "sizes", [(2, 2, 2, 2, 3), (3, 3, 3, 2, 2), (2, 2, 4, 3, 2), (8, 8, 8, 2, 4)]
)
def test_uniform_inputs(sizes):
    """m = v**(s-1) and n = v: every string equally often, siblings without information."""
    model = RandomHierarchyModel(*sizes, seed=3)
    assert inputs_uniform(model)
    if model.size < 2000:
        codes = tuple_codes(model.sample(model.size, 0).x, model.v)
        assert np.array_equal(np.sort(codes), np.arange(model.v**model.d))
    for level in range(1, model.L):
        for parent in (None, 0):
            assert mutual_information(siblings(model, level, parent)) < 1e-12
        if model.v == 8:  # with 2 symbols a patch alone may well say nothing of the class
            assert mutual_information(class_patch(model, level, 0)) > 1e-6  # labels still tell
    assert mutual_information(class_patch(model, model.L, 0)) == pytest.approx(np.log2(model.n))


def test_inputs_uniform_just_if_all_strings_exist():
    for v, n, m, L in [(3, 3, 2, 2), (3, 2, 3, 2), (4, 8, 2, 1), (4, 4, 4, 1), (4, 4, 2, 1)]:
        model = RandomHierarchyModel(v, n, m, 2, L, 0)
        assert inputs_uniform(model) == (model.size == v**model.d)
    assert inputs_uniform(RandomHierarchyModel(4, 8, 2, 2, 1, 0))


def test_mutual_information():
    assert mutual_information(np.eye(4) / 4) == 2
    assert mutual_information(np.eye(4) / 4, "nats") == pytest.approx(2 * np.log(2))
    assert mutual_information(np.outer([0.2, 0.8], [0.5, 0.25, 0.25])) == pytest.approx(
        0, abs=1e-15
    )
    flip = np.array([[0.45, 0.05], [0.05, 0.45]])  # a binary channel: 1 - H(0.1)
    assert mutual_information(flip) == pytest.approx(1 + 0.1 * log2(0.1) + 0.9 * log2(0.9))
    for wrong in (np.eye(2), np.array([1.0]), np.array([[1.5, -0.5]])):
        with pytest.raises(SynaptreeError, match="expected a matrix of probabilities"):
            mutual_information(wrong)


def test_predicted_sample_complexity():
    law = predicted_sample_complexity(8, 8, 4, 2, 3)
    assert law.supervised == 8 * 4**3
    assert law.latent_from_siblings == 8 * 4**3 / (1 - 4 / 8)
    assert predicted_sample_complexity(8, 8, 8, 2, 3).latent_from_siblings == inf
    deeper = predicted_sample_complexity(8, 8, 4, 2, 9)
    assert deeper.latent_from_siblings == law.latent_from_siblings
    assert deeper.supervised == law.supervised * 4**6


def test_describe():
    facts = describe(MODEL)
    assert (facts["d"], facts["P_max"], facts["input_strings"]) == (8, 3 * 2**7, 4**8)
    assert facts["log10_P_max"] == pytest.approx(np.log10(3 * 2**7))
    assert facts["predicted_supervised"] == 24
    assert facts["uniform_inputs"] is False
    assert [entry["level"] for entry in facts["bits"]] == [1, 2, 3]
    for entry in facts["bits"]:
        level, nodes = entry["level"], range(entry["nodes"])
        for name, law in (("class_patch", class_patch), ("same_class", same_class)):
            mean = np.mean([mutual_information(law(MODEL, level, node)) for node in nodes])
            assert entry[name] == pytest.approx(mean, abs=1e-12)
        if level < MODEL.L:
            pooled = mutual_information(siblings(MODEL, level))
            assert entry["siblings"] == pytest.approx(pooled, abs=1e-12)
    assert facts["bits"][-1]["siblings"] is None
    assert json.loads(json.dumps(facts)) == facts
    uniform = describe(RandomHierarchyModel(8, 8, 8, 2, 4, 0))
    assert uniform["uniform_inputs"] is True
    assert uniform["predicted_latent_from_siblings"] is None
    assert max(entry["siblings"] for entry in uniform["bits"][:3]) < 1e-12
    deep = describe(RandomHierarchyModel(2, 2, 2, 2, 20, 0))  # too many nodes to visit
    assert deep["bits"][0]["class_patch"] is None
    assert deep["bits"][-1]["class_patch"] == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(transition, MODEL, 4, 0), "transition level: 4; expected an integer from 1 to 3"),
        (partial(transition, MODEL, 1, 2), "transition slot: 2; expected an integer from 0 to 1"),
        (partial(class_patch, MODEL, 0, 0), "class_patch level: 0; expected .* from 1 to 3"),
        (partial(class_patch, MODEL, 1, 4), "node at level 1: 4; expected .* from 0 to 3"),
        (partial(class_patch, MODEL, 1, 0, "token"), "of: 'token'; expected 'patch' or 'feature'"),
        (partial(siblings, MODEL, 3), "siblings level: 3 is the class.*integer from 1 to 2"),
        (partial(siblings, MODEL, 1, 2), "node at level 2: 2; expected .* from 0 to 1"),
        (partial(siblings, MODEL, 1, 0, (1, 1)), r"slots: \(1, 1\); expected two different"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(SynaptreeError, match=message):
        call()


def test_too_large_to_hold():
    model = RandomHierarchyModel(64, 4, 2, 3, 2, 0)
    for call in (partial(same_class, model, 1, 0), partial(siblings, model, 1)):
        with pytest.raises(
            SynaptreeError, match=r"too many to hold.*of='feature' carries the same"
        ):
            call()
        assert call(of="feature").shape == (64, 64)


def test_a_grammar_with_too_many_tokens_is_described_as_far_as_it_can_be():
    facts = describe(RandomHierarchyModel(v=5000, n=7, m=2, s=2, L=3, seed=0))
    assert [level["class_patch"] is None for level in facts["bits"]] == [True, False, False]
