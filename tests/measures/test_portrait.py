"""Portraits of networks whose layers are known."""

import numpy as np
import pytest
import torch

from synaptree import make_spec
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.measures.portrait import portraits
from synaptree.network.tree import Activity, TreeNet
from synaptree.training.replicas import Replicas

GRAMMARS = [RandomHierarchyModel(4, 5, 3, 2, 3, seed) for seed in (0, 1)]


def network():
    return TreeNet(4, 5, 2, 3, 16, [torch.Generator().manual_seed(r) for r in (0, 1)])


def oracle(x):
    """Layers that are the latents themselves, parsed from the tokens."""
    parsed = [g.parse(each.numpy()) for g, each in zip(GRAMMARS, x, strict=True)]
    z = [
        torch.nn.functional.one_hot(
            torch.from_numpy(np.stack([p.latents[l] for p in parsed]).astype(np.int64)), 5
        ).float()
        for l in (1, 2, 3)
    ]
    return Activity(z, z, z, z[-1][:, :, 0])


def test_the_oracle_reads_its_levels_and_is_blind_below_them(monkeypatch):
    net = network()
    monkeypatch.setattr(net, "read", oracle)
    for portrait in portraits(net, GRAMMARS, [0, 1], inputs=900):
        for l in range(3):
            assert portrait.probe[l][l] == 1
            # A feature tells what is below only up to the choice among its m rules.
            assert all(portrait.probe[l][k] < 0.9 for k in range(l))
            # Exchanging the rules of level k leaves the features of level k and above alone.
            assert all(portrait.sensitivity[l][k] == 0 for k in range(l + 1))
            assert all(portrait.sensitivity[l][k] > 0.3 for k in range(l + 1, 3))
        # One-hot features vary in v - 1 directions, classes in n - 1.
        assert portrait.rank == pytest.approx([3, 3, 4], abs=0.4)
        # The fifth unit of the layers below the class stands for no feature.
        assert portrait.dead == pytest.approx([0.2, 0.2, 0])
        # p (1 - p) is the variance of a unit of probability p.
        assert portrait.spread == pytest.approx([0.8 * 0.43, 0.8 * 0.43, 0.4], abs=0.03)


def test_a_random_network_has_no_hierarchy():
    for portrait in portraits(network(), GRAMMARS, [0, 1], inputs=900):
        assert portrait.probe[2][2] < 0.7
        assert portrait.sensitivity[2][0] > 0.5


def test_without_synonyms_there_is_no_sensitivity():
    net = TreeNet(4, 4, 2, 2, 8, [torch.Generator().manual_seed(0)])
    (portrait,) = portraits(net, [RandomHierarchyModel(4, 4, 1, 2, 2, 0)], [0], inputs=90)
    assert np.isnan(portrait.sensitivity).all()


def test_a_replicas_portrait_is_its_own():
    net = network()
    both = portraits(net, GRAMMARS, [0, 1], inputs=300)
    net.select(torch.tensor([1]))
    (alone,) = portraits(net, GRAMMARS[1:], [1], inputs=300)
    assert alone.probe == both[1].probe
    assert np.allclose(alone.sensitivity, both[1].sensitivity, rtol=1e-5)


@pytest.mark.parametrize("planted", [float("nan"), float("inf"), 1e30])
def test_a_diverged_network_has_no_portrait_and_does_not_harm_its_companions(planted):
    specs = make_spec(rule="backprop", v=4, n=4, m=2, L=3, P=64, batch=16, width=16).replicate(3)
    whole, broken = (Replicas(specs) for _ in range(2))
    broken.net.W[1][1, 0, 0] = planted
    grammars, seeds = [spec.grammar for spec in specs], [5, 6, 7]
    expected = portraits(whole.net, grammars, seeds, 600)
    found = portraits(broken.net, grammars, seeds, 600)
    assert broken.net.finite().tolist() == [True, False, True]
    for r in (0, 2):
        for name, value in vars(found[r]).items():
            assert np.allclose(value, getattr(expected[r], name), atol=1e-6)
    assert all(np.isnan(value).all() for value in vars(found[1]).values())


def test_a_network_that_is_only_large_has_the_portrait_of_a_small_one():
    (spec,) = make_spec(rule="backprop", v=4, n=4, m=4, L=2, P=64, batch=16, width=16).replicate(1)
    small, large = Replicas([spec]), Replicas([spec])
    large.net.W[0] *= 1e15
    a, b = (portraits(p.net, [spec.grammar], [5], 600)[0] for p in (small, large))
    assert np.allclose(a.probe, b.probe, atol=0.02)
    assert np.allclose(a.sensitivity, b.sensitivity, atol=1e-4)
    assert np.allclose(a.rank, b.rank, rtol=1e-3)
