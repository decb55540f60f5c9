"""Portraits of networks whose layers are known."""

import numpy as np
import pytest
import torch

from synaptree import make_spec
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.measures import layers
from synaptree.measures import portrait as measured
from synaptree.measures.portrait import AT_ONCE, portraits
from synaptree.measures.strings import FEWEST
from synaptree.network.tree import Activity, TreeNet
from synaptree.sources.plain import PlainStrings
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
    monkeypatch.setitem(AT_ONCE, "cpu", 2**30)  # all replicas at once
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


def test_replicas_are_measured_one_by_one_or_together(monkeypatch):
    net = network()
    alone = portraits(net, GRAMMARS, [0, 1], inputs=900)
    assert portraits(net, GRAMMARS[1:], [1], inputs=900, rows=[1]) == alone[1:]
    monkeypatch.setitem(AT_ONCE, "cpu", 2**30)
    for one, other in zip(alone, portraits(net, GRAMMARS, [0, 1], inputs=900), strict=True):
        for name, value in vars(one).items():
            assert np.allclose(value, getattr(other, name), atol=1e-5)
    assert net.replicas == 2


def test_a_reader_is_never_tested_on_a_string_that_it_was_fitted_to(monkeypatch):
    """Whatever the size of the grammar; strings of 8 tokens, numbered."""
    grammar = RandomHierarchyModel(4, 4, 2, 2, 3, 0)  # 512 strings, fewer than are asked for
    seen = []

    def of_strings(first, end, nodes, like):
        return range(first, end)

    def noted(features, latent, classes, fit, test):
        seen.append((fit, test))
        return torch.zeros(1)

    drawn = []
    sample = RandomHierarchyModel.sample

    def drawing(self, *given, **options):
        drawn.append(sample(self, *given, **options))
        return drawn[-1]

    monkeypatch.setattr(layers, "probe_accuracy", noted)
    monkeypatch.setattr(layers.Examples, "of_strings", of_strings)
    monkeypatch.setattr(measured, "_repeats", lambda *given: False)
    monkeypatch.setattr(RandomHierarchyModel, "sample", drawing)
    net = TreeNet(4, 4, 2, 3, 8, [torch.Generator().manual_seed(0)])
    portraits(net, [grammar], [0])
    assert len(seen) == 9
    strings = [row.tobytes() for row in drawn[0].x]
    for fit, test in seen:
        assert fit
        assert test
        assert not {strings[i] for i in fit} & {strings[i] for i in test}


def read_by_newton(z, y, fitted, classes):
    """The accuracy on the other rows of z of a reader that is fitted to the first, by LBFGS."""
    x = (z - z[:fitted].mean(0)).double()
    ridge = 1e-4 * x[:fitted].var(0).mean()
    W = torch.zeros(z.shape[1] + 1, classes, dtype=torch.float64, requires_grad=True)
    steps = torch.optim.LBFGS([W], max_iter=500, line_search_fn="strong_wolfe")

    def loss():
        steps.zero_grad()
        value = torch.nn.functional.cross_entropy(x[:fitted] @ W[1:] + W[0], y[:fitted])
        value = value + ridge / 2 * W[1:].square().sum()
        value.backward()
        return value

    steps.step(loss)
    return float(((x[fitted:] @ W[1:] + W[0]).argmax(1) == y[fitted:]).double().mean())


def test_what_an_untrained_network_cannot_know_of_a_small_grammar():
    """How well it reads strings that it was fitted to is another matter."""
    grammar = RandomHierarchyModel(4, 4, 2, 2, 3, 1)
    net = TreeNet(4, 4, 2, 3, 64, [torch.Generator().manual_seed(r) for r in range(6)])
    drawn = grammar.sample(512, 9)  # all strings
    z = net.read(torch.as_tensor(drawn.x).int().expand(6, -1, -1)).z[2][:, :, 0]
    y = torch.as_tensor(drawn.y).long()
    found = np.mean([p.probe[2][2] for p in portraits(net, [grammar] * 6, [9] * 6)])
    expected = np.mean([read_by_newton(each, y, 341, 4) for each in z])
    known = np.mean(
        [read_by_newton(torch.cat([a[:341], a[:341]]), y[:341].repeat(2), 341, 4) for a in z]
    )
    assert found == pytest.approx(expected, abs=0.03)
    assert found < known - 0.05


def test_a_grammar_of_few_strings_has_no_probes():
    """FEWEST strings have."""
    net = TreeNet(4, 4, 2, 2, 8, [torch.Generator().manual_seed(0)])
    few, enough = RandomHierarchyModel(4, 3, 2, 2, 2, 0), RandomHierarchyModel(4, 4, 2, 2, 2, 0)
    assert few.size < FEWEST <= enough.size
    net.n = 3
    (portrait,) = portraits(net, [few], [0])
    assert np.isnan(portrait.probe).all()
    assert np.isfinite(portrait.rank).all()
    net.n = 4
    assert np.isfinite(portraits(net, [enough], [0])[0].probe).all()


def test_rows_that_repeat_change_no_accuracy(monkeypatch):
    grammar = RandomHierarchyModel(4, 4, 2, 2, 4, 0)
    net = TreeNet(4, 4, 2, 4, 16, [torch.Generator().manual_seed(0)])
    (found,) = portraits(net, [grammar], [0])
    called = []
    monkeypatch.setattr(measured, "_repeats", lambda *given: called.append(given) or False)
    (plain,) = portraits(net, [grammar], [0])
    assert called
    assert np.allclose(found.probe, plain.probe, atol=0.01)


@pytest.mark.parametrize(("connectivity", "level", "repeat"), [
    ("shared", 1, True), ("shared", 2, True), ("shared", 3, False), ("local", 1, False),
])  # fmt: skip
def test_nodes_repeat_where_substrings_are_few_and_weights_are_shared(connectivity, level, repeat):
    net = TreeNet(8, 8, 2, 4, 4, [torch.Generator().manual_seed(0)], connectivity=connectivity)
    # 32 patches, 512 substrings of level 2, 131072 of level 3
    strings = PlainStrings(RandomHierarchyModel(8, 8, 4, 2, 4, 0))
    assert measured._repeats(net, strings, 4096, level) is repeat


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
