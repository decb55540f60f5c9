"""Linear probes against another optimiser, and on activities whose answer is known."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.measures import probes
from synaptree.measures.probes import RIDGE, Examples, Features, fit_readers, probe_accuracy
from synaptree.measures.representation import Moments
from synaptree.network.tree import TreeNet


def g(seed=0):
    return torch.Generator().manual_seed(seed)


def objective(x, y, W, b, ridge):
    """Mean cross-entropy + ridge/2 |W|², as documented."""
    loss = torch.nn.functional.cross_entropy(x @ W.T + b, y)
    return float(loss + ridge / 2 * W.square().sum())


def features(x):
    """The features of rows (P, D), as a layer of one position."""
    z = x.clone()[None, :, None]
    return Features.of_(z, Moments.of(z))


def fitted(x, y, classes, weight=None, ridge=None, metric=None, **options):
    """Weights (classes, D) and biases (classes,) of one reader of labels (P,) of rows (P, D)."""
    weight = torch.full((len(x),), 1 / len(x)) if weight is None else weight
    ridge = torch.tensor([RIDGE]) if ridge is None else torch.tensor([ridge])
    metric = torch.eye(x.shape[1]) if metric is None else metric
    given = (weight[None].to(x), ridge.to(x), metric[None].to(x))
    W = fit_readers(x[None], y[None, :, None], *given, classes, **options)[0]
    return W[:, :-1], W[:, -1]


TO_THE_END = {"ends": (0.0, -1e9, -1e9)}


def noisy(P=300, D=6, classes=3, seed=0):
    x = torch.randn(P, D, generator=g(seed), dtype=torch.float64) * 3 + 1
    truth = torch.randn(D, classes, generator=g(seed + 1), dtype=torch.float64)
    y = (x @ truth + 4 * torch.randn(P, classes, generator=g(seed + 2))).argmax(1)
    return x, y


def by_scipy(x, y, weight, classes, ridge):
    """The least weighted cross-entropy + ridge/2 |W|², by a quasi-Newton method."""
    x, weight, onehot = x.numpy(), weight.numpy(), np.eye(classes)[y]
    D = x.shape[1]

    def loss(flat):
        W, b = flat[: D * classes].reshape(D, classes), flat[D * classes :]
        o = x @ W + b
        log_p = o - np.logaddexp.reduce(o, axis=1, keepdims=True)
        e = (np.exp(log_p) - onehot) * weight[:, None]
        value = -((log_p * onehot).sum(1) * weight).sum() + ridge / 2 * (W**2).sum()
        return value, np.concatenate([(x.T @ e + ridge * W).ravel(), e.sum(0)])

    start = np.zeros((D + 1) * classes)
    return minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9}).fun


@pytest.mark.parametrize("ridge", [1e-1, 1e-3])
@pytest.mark.parametrize("whitened", [False, True])
def test_the_minimum_is_the_one_that_scipy_finds(ridge, whitened):
    x, y = noisy()
    metric = (x.T @ x / len(x) + ridge * torch.eye(6)).inverse() if whitened else None
    weight = torch.full((len(x),), 1 / len(x), dtype=torch.float64)
    W, b = fitted(x, y, 3, weight, ridge, metric, iterations=400, **TO_THE_END)
    best = by_scipy(x, y, weight, 3, ridge)
    assert objective(x, y, W, b, ridge) == pytest.approx(best, abs=1e-6)


def test_a_row_that_counts_three_times_is_three_rows():
    x, y = noisy(P=60)
    count = torch.arange(60) % 3 + 1
    often, labels = x.repeat_interleave(count, 0), y.repeat_interleave(count)
    W, b = fitted(x, y, 3, count / count.sum(), ridge=1e-2)
    again_W, again_b = fitted(often, labels, 3, ridge=1e-2)
    assert torch.allclose(W, again_W, atol=1e-9)
    assert torch.allclose(b, again_b, atol=1e-9)


def layer_of_a_network():
    """The second layer of a random network, and the classes: solvable, but not at once."""
    drawn = RandomHierarchyModel(8, 8, 4, 2, 2, 0).sample(3000, 0, replace=True)
    net = TreeNet(8, 8, 2, 2, 48, [g()])
    z = net.activity(torch.as_tensor(drawn.x).int()[None]).z[1][0, :, 0]
    return z, torch.as_tensor(drawn.y).long()


def test_the_default_fit_is_nearly_the_minimum_on_a_layer_of_a_network():
    z, y = layer_of_a_network()
    found = features(z)
    x, ridge = found.x[0, :, 0], float(found.ridge)

    def fit(**options):
        W, b = fitted(x[:2000], y[:2000], 8, None, ridge, found.metric[0], **options)
        right = (x[2000:] @ W.T + b).argmax(1) == y[2000:]
        return objective(x[:2000], y[:2000], W, b, ridge), float(right.double().mean())

    (loss, accuracy), (least, best) = fit(), fit(iterations=2000, **TO_THE_END)
    assert least < loss < least + 0.06
    assert abs(accuracy - best) < 0.03


def test_regressions_beside_each_other_do_not_meet():
    sets = [noisy(seed=s) for s in (0, 10)]
    x = torch.stack([x for x, _ in sets])
    y = torch.stack([torch.stack([y, y.roll(1)], 1) for _, y in sets])
    one = torch.ones(2, 300, dtype=torch.float64) / 300
    eye = torch.eye(6, dtype=torch.float64).expand(2, 6, 6)
    # The first replica can be fitted better than the second, and so ends at another step.
    y[0, :, :] = (x[0, :, :1] > 1).long()
    options = {"ends": (0.05, 0.02, 0.0)}
    W = fit_readers(x, y, one, one[:, 0], eye, 3, **options)
    for r in range(2):
        alone = fit_readers(x[r : r + 1], y[r : r + 1], one[:1], one[:1, 0], eye[:1], 3, **options)
        assert torch.allclose(W[r], alone[0], atol=1e-8)
    for q in range(2):
        W_q = fit_readers(x[1:], y[1:, :, q : q + 1], one[:1], one[:1, 0], eye[:1], 3, **TO_THE_END)
        both = fit_readers(x[1:], y[1:], one[:1], one[:1, 0], eye[:1], 3, **TO_THE_END)
        assert torch.allclose(both[0, 3 * q : 3 * q + 3], W_q[0], atol=1e-8)


def test_features_span_what_the_activity_does():
    """They are centred; the metric is the inverse of their covariance plus the ridge."""
    x = torch.randn(500, 6, generator=g(), dtype=torch.float64) @ torch.diag(
        torch.tensor([3.0, 2.0, 1.0, 1.0, 1e-9, 0.0], dtype=torch.float64)
    )
    whole = features(x[:, :5] + 7)
    rows = x[:, :5] - x[:, :5].mean(0)
    assert torch.allclose(whole.x[0, :, 0], rows, atol=1e-9)
    covariance = rows.T @ rows / 500
    ridge = 1e-4 * covariance.diagonal().mean()
    assert float(whole.ridge) == pytest.approx(float(ridge))
    seen = (covariance + ridge * torch.eye(5)).inverse()[:4, :4]
    assert torch.allclose(whole.metric[0, :4, :4], seen, rtol=1e-6)
    assert whole.metric[0, 4].abs().max() < 1e-3  # a direction below the ridge is not used
    # With few directions left, x holds only these, turned: distances stay.
    few = features(torch.cat([x, x[:, :4]], 1))
    assert few.x.shape[-1] == 4
    doubled = torch.cat([x, x[:, :4]], 1)
    assert torch.allclose(torch.pdist(few.x[0, :, 0]), torch.pdist(doubled))


def test_distinct_substrings_count_as_often_as_they_occur():
    strings = torch.randint(3, (2, 40, 8), generator=g(5), dtype=torch.int32)
    found = Examples.distinct(strings, 3, 4, torch.zeros(2, 1))
    every = strings.reshape(2, 160, 2)
    for r in range(2):
        count = {}
        for row in every[r].tolist():
            count[tuple(row)] = count.get(tuple(row), 0) + 1 / 160
        chosen = found.of(every)[r].tolist()
        weights = found.weight[r].tolist()
        got = {tuple(row): w for row, w in zip(chosen, weights, strict=True) if w > 0}
        assert got == pytest.approx(count)


def hierarchy(P=900, L=2, s=2, v=4, seed=0):
    """Latents of a tree: level l has s**(L-l) nodes; each level independent of the others."""
    return [torch.randint(v, (1, P, s ** (L - l)), generator=g(seed + l)) for l in range(L + 1)]


def onehot(latent, v=4):
    return torch.nn.functional.one_hot(latent, v).float()


def accuracy(z, latent, train=600, classes=4):
    """Of readers that are fitted to the first strings and tested on the others."""
    z = z.clone()
    nodes = max(1, min(z.shape[2], latent.shape[2]))
    fit = Examples.of_strings(0, train, nodes, z)
    test = Examples.of_strings(train, z.shape[1], nodes, z)
    return float(probe_accuracy(Features.of_(z, Moments.of(z)), latent, classes, fit, test))


def test_a_layer_that_is_its_latents_is_read_without_fault():
    latents = hierarchy()
    for l in (1, 2):
        assert accuracy(onehot(latents[l]), latents[l]) == 1


def test_noise_is_read_at_chance():
    latents = hierarchy()
    z = torch.randn(1, 900, 2, 8, generator=g(9))
    for level in (0, 1, 2):
        assert abs(accuracy(z, latents[level]) - 0.25) < 0.08


def test_a_level_below_is_read_place_by_place():
    latents = hierarchy()
    # Layer 2's one position knows its first child of level 1 and nothing of the second.
    z = onehot(latents[1][:, :, :1])
    assert accuracy(z, latents[1]) == pytest.approx((1 + 0.25) / 2, abs=0.04)
    both = onehot(latents[1]).flatten(2).unsqueeze(2)
    assert accuracy(both, latents[1]) == 1


def test_a_level_above_is_read_from_all_its_positions():
    latents = hierarchy()
    # The class stands at the second position of layer 1 alone: no single position would do.
    z = torch.zeros(1, 900, 2, 4)
    z[:, :, 1] = onehot(latents[2][:, :, 0])
    assert accuracy(z, latents[2]) == 1


@pytest.mark.parametrize("s", [2, 3])
def test_readers_reach_over_two_levels(s):
    latents = hierarchy(P=900, L=3, s=s)
    top = onehot(latents[1]).flatten(2).unsqueeze(2)  # layer 3 holds every feature of level 1
    assert accuracy(top, latents[1]) == 1
    assert accuracy(top, latents[2]) < 0.4
    bottom = torch.zeros(1, 900, s * s, 4)  # and the last position of layer 1 holds the class
    bottom[:, :, -1] = onehot(latents[3][:, :, 0])
    assert accuracy(bottom, latents[3]) == 1


def test_nothing_that_fits_a_reader_tests_it():
    # Every input has a direction of its own: a reader fits them all and knows none of the others.
    z = torch.eye(300).view(1, 300, 1, 300)
    y = torch.randint(2, (1, 300, 1), generator=g(4))
    assert accuracy(z, y, train=200, classes=2) < 0.65


def test_a_parity_is_not_linear():
    bits = torch.randint(2, (1, 900, 2), generator=g(3))
    parity = bits.sum(-1, keepdim=True) % 2
    z = bits.float().unsqueeze(2)
    assert abs(accuracy(z, parity, classes=2) - 0.5) < 0.1


def test_features_without_scale_or_with_dead_units():
    latents = hierarchy()
    z = torch.cat([1e-4 * onehot(latents[1]) + 5, torch.zeros(1, 900, 2, 3)], -1)
    assert accuracy(z, latents[1]) == 1
    assert accuracy(torch.zeros(1, 900, 2, 3), latents[1]) < 0.5


def test_places_that_are_fitted_in_parts_are_read_as_in_one(monkeypatch):
    latents = hierarchy(P=900, L=3)
    z = (
        torch.randn(1, 900, 1, 24, generator=g(1))
        + onehot(latents[1]).flatten(2).repeat(1, 1, 2)[:, :, None, :24]
    )
    whole = accuracy(z, latents[1])
    assert 0.3 < whole < 0.99
    monkeypatch.setattr(probes, "LOGITS", 4 * 600 * 3)
    # Readers that are fitted together end together.
    assert accuracy(z, latents[1]) == pytest.approx(whole, abs=0.01)
