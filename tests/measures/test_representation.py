"""Sensitivity, rank, dead units and spread, where the answer is known."""

import numpy as np
import pytest
import torch

from synaptree.measures.representation import (
    Moments,
    dead_fraction,
    effective_rank,
    spread,
    synonym_sensitivity,
)


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_sensitivity_is_its_definition():
    z, moved = noise(2, 7, 3, 4), noise(2, 7, 3, 4, seed=1)
    for r, found in enumerate(synonym_sensitivity(z, moved)):
        exchanged = (
            sum(float((a - b).square().sum()) for a, b in zip(z[r], moved[r], strict=True)) / 7
        )
        pairs = [
            float((z[r, i] - z[r, j]).square().sum()) for i in range(7) for j in range(7) if i != j
        ]
        assert float(found) == pytest.approx(exchanged / (sum(pairs) / len(pairs)))


def test_a_blind_layer_and_an_unrelated_one():
    z = noise(1, 4000, 2, 5) + 3
    assert float(synonym_sensitivity(z, z)) == 0
    assert float(synonym_sensitivity(z, noise(1, 4000, 2, 5, seed=2) + 3)) == pytest.approx(
        1, abs=0.03
    )


def test_a_layer_that_never_moves_has_no_sensitivity():
    assert synonym_sensitivity(torch.ones(1, 5, 1, 2), torch.ones(1, 5, 1, 2)).isnan().all()


def rank(z):
    return float(effective_rank(Moments.of(z)))


@pytest.mark.parametrize("k", [1, 3, 8])
def test_the_rank_of_equal_directions_is_their_number(k):
    z = torch.zeros(1, 800, 1, 8, dtype=torch.float64)
    for i in range(800):
        z[0, i, 0, i % k] = 1.0 if i // k % 2 else -1.0
    assert rank(z) == pytest.approx(k, rel=1e-3)


def test_the_rank_does_not_see_scale_or_mean():
    z = noise(1, 500, 2, 6)
    assert rank(7 * z + 100) == pytest.approx(rank(z), rel=1e-6)
    assert rank(torch.ones(1, 5, 1, 3)) == 0


def test_unequal_directions_count_less():
    z = noise(1, 20000, 1, 2) * torch.tensor([1.0, 0.5])
    p = torch.tensor([0.8, 0.2])
    assert rank(z) == pytest.approx(float(torch.special.entr(p).sum().exp()), rel=0.02)


def test_dead_units_are_silent_everywhere():
    z = torch.ones(2, 4, 3, 5)
    z[0, :, :, 0] = 0
    z[0, :, 1:, 1] = 0  # silent at some positions only: alive
    assert dead_fraction(z).tolist() == pytest.approx([0.2, 0.0])


def test_spread_is_the_mean_deviation_of_units():
    z = noise(1, 5000, 2, 3) * torch.tensor([1.0, 2.0, 6.0]) + 4
    assert float(spread(Moments.of(z))) == pytest.approx(3, rel=0.03)


def test_moments_are_those_of_numpy():
    z = noise(2, 40, 3, 4) @ noise(4, 4, seed=1)
    found = Moments.of(z)
    for r in range(2):
        rows = z[r].reshape(-1, 4).numpy()
        assert np.allclose(found.mean[r], rows.mean(0))
        U, values = found.eigenvectors[r], found.eigenvalues[r]
        assert np.allclose((U * values) @ U.T, np.cov(rows.T, bias=True))


def test_the_spread_is_of_units_not_of_directions():
    z = noise(1, 300, 2, 4) @ noise(4, 4, seed=1)
    rows = z[0].reshape(-1, 4).numpy()
    assert float(spread(Moments.of(z))) == pytest.approx(rows.std(0).mean())
