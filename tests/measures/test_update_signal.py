"""Signal and noise of updates against updates of single inputs, one after the other."""

import itertools

import pytest
import torch

from synaptree.measures.signal import WHOLE, Signal, UpdateSums, between, jackknife
from synaptree.network.tree import TreeNet

K, B, L = 3, 5, 3


def net_of(connectivity="shared", parametrisation="mean_field"):
    g = [torch.Generator().manual_seed(r) for r in range(2)]
    how = {"connectivity": connectivity, "parametrisation": parametrisation}
    return TreeNet(3, 3, 2, L, 4, g, dtype=torch.float64, **how)


def sums_of(net, layer, seed, directions=None):
    """Random inputs in K blocks, and the update of each: (R, K, B, ·, H)."""
    g = torch.Generator().manual_seed(seed)
    sums = UpdateSums(net, layer, K, directions or {})
    every = []
    for block in range(K):
        N, (I, H) = net.positions(layer), net.W[layer - 1].shape[-2:]
        x, delta = (
            torch.randn(2, B, N, size, generator=g, dtype=torch.float64) + 1 for size in (I, H)
        )
        for part in (slice(2), slice(2, None)):  # a block may come in several batches
            sums.add(block, x[:, part], sums.products(x[:, part]), delta[:, part])
        of_place = net.gains[layer - 1] * torch.einsum("rbni,rbnh->rbnih", x, delta)
        every.append(of_place if net.connectivity == "local" else of_place.sum(2))
    return sums, torch.stack(every, 1)


def orthonormal(I, k):
    basis = torch.linalg.qr(torch.randn(2, I, I, dtype=torch.float64)).Q
    return basis[..., :k], basis[..., k : 2 * k]


def slow(g, other, project=None):
    """Signal, noise and cosine, from products of updates of single inputs in different blocks."""

    def pairs(a, b):
        return sum(
            float(a[j, i].flatten() @ b[k, h].flatten())
            for j, k in itertools.permutations(range(K), 2)
            for i in range(B)
            for h in range(B)
        ) / (K * (K - 1) * B**2)

    if project is not None:
        g = torch.einsum("ip,...ih->...ph", project, g)
    signal = pairs(g, g)
    size = sum(float(g[k, i].square().sum()) for k in range(K) for i in range(B)) / (K * B)
    cosine = None
    if project is None:
        cosine = pairs(g, other) / (signal * pairs(other, other)) ** 0.5
    return signal, size - signal, cosine


@pytest.mark.parametrize("connectivity", ["shared", "local"])
@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_every_number_is_that_of_single_updates(connectivity, parametrisation, layer):
    net = net_of(connectivity, parametrisation)
    directions = dict(zip("ab", orthonormal(net.W[layer - 1].shape[-2], 2), strict=True))
    sums, g = sums_of(net, layer, 1, directions)
    others, other = sums_of(net, layer, 2)
    found = Signal.of(sums, others)
    for r in range(2):
        signal, noise, cosine = slow(g[r], other[r])
        assert float(found.signal.value[r]) == pytest.approx(signal, rel=1e-9)
        assert float(found.noise.value[r]) == pytest.approx(noise, rel=1e-9)
        assert float(found.ratio.value[r]) == pytest.approx(signal / noise, rel=1e-9)
        assert float(found.cosine.value[r]) == pytest.approx(cosine, rel=1e-9)
        for name, F in directions.items():
            part, noise_of_part, _ = slow(g[r], None, F[r])
            share = found.share_of_signal[name].value[r], found.share_of_noise[name].value[r]
            assert float(share[0]) == pytest.approx(part / signal, rel=1e-9)
            assert float(share[1]) == pytest.approx(noise_of_part / noise, rel=1e-9)


def test_directions_that_span_everything_share_all_of_it():
    net = net_of()
    I = net.W[1].shape[-2]
    first, rest = orthonormal(I, I // 2)
    found = Signal.of(*[sums_of(net, 2, 3, {"first": first, "rest": rest})[0]] * 2)
    for shares in (found.share_of_signal, found.share_of_noise):
        total = sum(share.value for share in shares.values())
        assert torch.allclose(total, torch.ones(2, dtype=torch.float64))
    assert torch.allclose(found.cosine.value, torch.ones(2, dtype=torch.float64))


def test_estimates_are_unbiased():
    """All that two inputs of a finite world can be, each as often: the mean estimate is exact."""
    net = net_of()
    world = [torch.randn(2, 1, 4, 6, dtype=torch.float64) for _ in range(4)]
    deltas = [torch.randn(2, 1, 4, 4, dtype=torch.float64) for _ in range(4)]
    g = net.gains[0] * torch.stack(
        [torch.einsum("rbni,rbnh->rih", x, d) for x, d in zip(world, deltas, strict=True)]
    )
    signal = g.mean(0).square().sum((1, 2))
    noise = (g - g.mean(0)).square().sum((2, 3)).mean(0)
    estimates = []
    for pair in itertools.product(range(4), repeat=2):
        sums = UpdateSums(net, 1, 2)
        for block, i in enumerate(pair):
            sums.add(block, world[i], sums.products(world[i]), deltas[i])
        size = sums.size().mean(1)
        estimates.append(torch.stack([between(sums.gram()), size - between(sums.gram())]))
    assert torch.allclose(torch.stack(estimates).mean(0), torch.stack([signal, noise]))


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = torch.randn(2, 16, dtype=torch.float64)
    found = jackknife(lambda v: v.mean(1), values)
    assert torch.allclose(found.value, values.mean(1))
    assert torch.allclose(found.error, values.std(1) / 4)


def test_standard_errors_cover_the_truth():
    """The signal of Gaussian updates of known mean: 95% of the errors are below two of its own."""
    net, inside = net_of(), []
    g = torch.Generator().manual_seed(0)
    x = torch.ones(2, 40, 1, 8, dtype=torch.float64)
    for _ in range(100):
        sums = UpdateSums(net, 3, 16)
        for block in range(16):
            delta = torch.randn(2, 40, 1, 4, generator=g, dtype=torch.float64) + 0.2
            sums.add(block, x, sums.products(x), delta)
        found = jackknife(between, sums.gram())
        truth = net.gains[2] ** 2 * 8 * 4 * 0.2**2
        inside += ((found.value - truth).abs() < 2.13 * found.error).tolist()  # t of 15
    assert 0.89 < sum(inside) / len(inside) < 0.99


def test_an_update_that_is_zero_has_no_ratio():
    sums = UpdateSums(net_of(), 1, 2)
    x, delta = torch.ones(2, 3, 4, 6).double(), torch.zeros(2, 3, 4, 4).double()
    for block in range(2):
        sums.add(block, x, sums.products(x), delta)
    found = Signal.of(sums, sums)
    assert found.ratio.value.isnan().all()
    assert found.cosine.value.isnan().all()
    assert not sums.means(WHOLE).any()
