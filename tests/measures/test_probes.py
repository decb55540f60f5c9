"""Linear probes against another optimiser, and on activities whose answer is known."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.measures.probes import features_for, logistic_probe, probe_accuracy
from synaptree.network.tree import TreeNet


def g(seed=0):
    return torch.Generator().manual_seed(seed)


def objective(x, y, classes, W, b, ridge):
    """Mean cross-entropy + ridge/2 |W|², on features scaled to mean square 1, as documented."""
    scale = (x - x.mean(0)).square().mean().sqrt()
    loss = torch.nn.functional.cross_entropy(x @ W + b, y)
    return float(loss + ridge / 2 * (W * scale).square().sum())


def noisy(P=300, D=6, classes=3, seed=0):
    x = torch.randn(P, D, generator=g(seed), dtype=torch.float64) * 3 + 1
    truth = torch.randn(D, classes, generator=g(seed + 1), dtype=torch.float64)
    y = (x @ truth + 4 * torch.randn(P, classes, generator=g(seed + 2))).argmax(1)
    return x, y


@pytest.mark.parametrize("ridge", [1e-1, 1e-3])
def test_the_minimum_is_the_one_that_scipy_finds(ridge):
    x, y = noisy()
    centre, scale = x.mean(0), (x - x.mean(0)).square().mean().sqrt()
    scaled = ((x - centre) / scale).numpy()
    onehot = np.eye(3)[y]

    def loss(flat):
        W, b = flat[:18].reshape(6, 3), flat[18:]
        o = scaled @ W + b
        log_p = o - np.logaddexp.reduce(o, axis=1, keepdims=True)
        e = (np.exp(log_p) - onehot) / len(x)
        value = -(log_p * onehot).sum() / len(x) + ridge / 2 * (W**2).sum()
        return value, np.concatenate([(scaled.T @ e + ridge * W).ravel(), e.sum(0)])

    best = minimize(loss, np.zeros(21), jac=True, method="BFGS", options={"gtol": 1e-9})
    W, b = logistic_probe(x[None], y[None, :, None], 3, ridge=ridge, iterations=400)
    assert objective(x, y, 3, W[0, :, 0], b[0, 0], ridge) == pytest.approx(best.fun, abs=1e-6)


def test_the_default_fit_is_nearly_the_minimum_on_a_layer_of_a_network():
    # The second layer of a random network, and the latents of its level: solvable, but not at once.
    grammar = RandomHierarchyModel(8, 8, 4, 2, 2, 0)
    drawn = grammar.sample(3000, 0, replace=True)
    net = TreeNet(8, 8, 2, 2, 48, [g()])
    x = net.activity(torch.as_tensor(drawn.x).int()[None]).z[1][0, :, 0]
    y = torch.as_tensor(drawn.y).long()

    def fit(**options):
        W, b = logistic_probe(x[None, :2000], y[None, :2000, None], 8, **options)
        right = (x[2000:] @ W[0, :, 0] + b[0, 0]).argmax(1) == y[2000:]
        return objective(x[:2000], y[:2000], 8, W[0, :, 0], b[0, 0], 1e-4), right.float().mean()

    (loss, accuracy), (least, best) = fit(), fit(ridge=1e-4, iterations=2000)
    assert least < loss < least + 0.02
    assert abs(float(accuracy - best)) < 0.01


def test_regressions_beside_each_other_do_not_meet():
    sets = [noisy(seed=s) for s in (0, 10)]
    x = torch.stack([x for x, _ in sets])
    y = torch.stack([torch.stack([y, y.roll(1)], 1) for _, y in sets])
    W, b = logistic_probe(x, y, 3)
    for r in range(2):
        for q in range(2):
            one_W, one_b = logistic_probe(x[r : r + 1], y[r : r + 1, :, q : q + 1], 3)
            assert torch.allclose(W[r, :, q], one_W[0, :, 0], atol=1e-8)
            assert torch.allclose(b[r, q], one_b[0, 0], atol=1e-8)


def hierarchy(P=900, L=2, s=2, v=4, seed=0):
    """Latents of a tree: level l has s**(L-l) nodes; each level independent of the others."""
    return [torch.randint(v, (1, P, s ** (L - l)), generator=g(seed + l)) for l in range(L + 1)]


def onehot(latent, v=4):
    return torch.nn.functional.one_hot(latent, v).float()


def accuracy(z, latent, layer, level):
    return float(probe_accuracy(z, latent, layer, level, 2, 4, train=600))


def test_a_layer_that_is_its_latents_is_read_without_fault():
    latents = hierarchy()
    for l in (1, 2):
        assert accuracy(onehot(latents[l]), latents[l], l, l) == 1


def test_noise_is_read_at_chance():
    latents = hierarchy()
    z = torch.randn(1, 900, 2, 8, generator=g(9))
    for level in (0, 1, 2):
        assert abs(accuracy(z, latents[level], 1, level) - 0.25) < 0.08


def test_a_level_below_is_read_place_by_place():
    latents = hierarchy()
    # Layer 2's one position knows its first child of level 1 and nothing of the second.
    z = onehot(latents[1][:, :, :1])
    assert accuracy(z, latents[1], 2, 1) == pytest.approx((1 + 0.25) / 2, abs=0.04)
    both = onehot(latents[1]).flatten(2).unsqueeze(2)
    assert accuracy(both, latents[1], 2, 1) == 1


def test_a_level_above_is_read_from_all_its_positions():
    latents = hierarchy()
    # The class stands at the second position of layer 1 alone: no single position would do.
    z = torch.zeros(1, 900, 2, 4)
    z[:, :, 1] = onehot(latents[2][:, :, 0])
    assert accuracy(z, latents[2], 1, 2) == 1
    assert features_for(z, 1, 2, 2).shape == (1, 900, 1, 8)


@pytest.mark.parametrize("s", [2, 3])
def test_readers_reach_over_two_levels(s):
    latents = hierarchy(P=900, L=3, s=s)
    top = onehot(latents[1]).flatten(2).unsqueeze(2)  # layer 3 holds every feature of level 1
    assert float(probe_accuracy(top, latents[1], 3, 1, s, 4, train=600)) == 1
    assert float(probe_accuracy(top, latents[2], 3, 2, s, 4, train=600)) < 0.4
    bottom = torch.zeros(1, 900, s * s, 4)  # and the last position of layer 1 holds the class
    bottom[:, :, -1] = onehot(latents[3][:, :, 0])
    assert float(probe_accuracy(bottom, latents[3], 1, 3, s, 4, train=600)) == 1
    assert features_for(bottom, 1, 3, s).shape == (1, 900, 1, s * s * 4)


def test_nothing_that_fits_a_reader_tests_it():
    # Every input has a direction of its own: a reader fits them all and knows none of the others.
    z = torch.eye(300).view(1, 300, 1, 300)
    y = torch.randint(2, (1, 300, 1), generator=g(4))
    assert float(probe_accuracy(z, y, 1, 1, 2, 2, train=200)) < 0.65


def test_a_parity_is_not_linear():
    bits = torch.randint(2, (1, 900, 2), generator=g(3))
    parity = bits.sum(-1, keepdim=True) % 2
    z = bits.float().unsqueeze(2)
    assert abs(float(probe_accuracy(z, parity, 2, 2, 2, 2, train=600)) - 0.5) < 0.1


def test_features_without_scale_or_with_dead_units():
    latents = hierarchy()
    z = torch.cat([1e-4 * onehot(latents[1]) + 5, torch.zeros(1, 900, 2, 3)], -1)
    assert accuracy(z, latents[1], 1, 1) == 1
    assert accuracy(torch.zeros(1, 900, 2, 3), latents[1], 1, 1) < 0.5
